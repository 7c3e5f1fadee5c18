// The demo in a pipe: one plain line per happening.

import type { WriteStream } from 'node:tty'
import type { Board, Happening } from './board.ts'
import type { Scene } from './scene.ts'

/** Prints what has happened so far and everything from now on; returns how to end that. */
export function printLines(
  board: Board,
  { gatewayUrl, brokerUrl, consoleUrl, joinIn, radio, store }: Scene,
  stream: WriteStream,
): () => void {
  const print = ({ at, who, what, text }: Happening) =>
    stream.write(`${at.toISOString().slice(11, 23)}  ${who.padEnd(14)} ${what.padEnd(9)} ${text}\n`)
  stream.write(`gateway on ${gatewayUrl}, embedded broker on ${brokerUrl}, console on ${consoleUrl}\n`)
  if (radio !== undefined) stream.write(`radio-1 and radio-2 are on ${radio}\n`)
  if (store !== undefined) stream.write(`sessions are kept in ${store}\n`)
  stream.write(`join in from another terminal:\n${joinIn.map((command) => `  ${command}\n`).join('')}`)
  for (const happening of board.happenings) print(happening)
  board.onHappening = print
  return () => {
    board.onHappening = () => {}
  }
}
