// The demo on a terminal: a table of sensors and the latest happenings, drawn anew a few times a second.

import type { WriteStream } from 'node:tty'
import { styleText } from 'node:util'
import type { LinkStats } from '../../transport/transport.ts'
import type { Board, Happening, Row } from './board.ts'
import type { Scene } from './scene.ts'

const ENTER = '\x1b[?1049h\x1b[?25l' // switches to the alternate screen and hides the cursor; LEAVE undoes both
const LEAVE = '\x1b[?25h\x1b[?1049l'
const HOME = '\x1b[H'
const CLEAR_LINE = '\x1b[K'
const CLEAR_BELOW = '\x1b[J'
const FRAME = 250

type Style = Parameters<typeof styleText>[0]

const stateStyles: Record<string, Style> = {
  active: 'green',
  awake: 'cyan',
  asleep: 'blue',
  lost: 'red',
  disconnected: 'gray',
}
const happeningStyles: Record<Happening['what'], Style> = {
  state: 'gray',
  published: 'green',
  received: 'cyan',
  note: 'yellow',
}

/** Draws until the returned function is called, which gives the terminal back as it was. */
export function showScreen(board: Board, scene: Scene, stream: WriteStream): () => void {
  const draw = () => {
    const lines = render(board, scene, stream.columns || 80, stream.rows || 24)
    stream.write(`${HOME}${lines.map((line) => `${line}${CLEAR_LINE}`).join('\n')}${CLEAR_BELOW}`)
  }
  const leave = () => stream.write(LEAVE)
  process.once('exit', leave)
  stream.write(ENTER)
  draw()
  const timer = setInterval(draw, FRAME)
  stream.on('resize', draw)
  return () => {
    clearInterval(timer)
    stream.off('resize', draw)
    process.off('exit', leave)
    leave()
  }
}

function render(board: Board, scene: Scene, width: number, height: number): string[] {
  const { gateway, gatewayUrl, brokerUrl, consoleUrl } = scene
  const { counters, listeners } = gateway.status()
  const link = listeners.find(({ stats }) => stats.link !== undefined)?.stats.link
  const rows = [...board.rows.values()].filter(({ name }) => name !== 'office').sort(byName)
  const head = [
    `${styleText('bold', 'MQTT-SN gateway demo')}   console: ${styleText('underline', consoleUrl)}`,
    `sensors → ${gatewayUrl} → gateway → ${brokerUrl} → everyone else`,
    `datagrams in ${counters.receivedDatagrams}, out ${counters.sentDatagrams}   published ${counters.published}, delivered ${counters.delivered}`,
    ...(scene.store === undefined ? [] : [cut(`sessions are kept in ${scene.store}`, width)]),
    ...(link === undefined ? [] : [cut(radioLine(scene.radio ?? '', link), width)]),
    '',
    styleText('dim', columns('sensor', 'state', 'sent', 'got', 'last message')),
  ]
  const table = rows.map((row) => {
    const cells = columns(row.name, row.state, String(row.published), String(row.received), '')
    return styleText(stateStyles[row.state] ?? 'white', cells) + cut(row.last, width - cells.length)
  })
  const foot = ['', styleText('dim', 'what happens')]
  const room = Math.max(0, height - head.length - table.length - foot.length - 2)
  const latest = room === 0 ? [] : board.happenings.slice(-room)
  const news = latest.map(({ at, who, what, text }) => {
    const line = `${at.toTimeString().slice(0, 8)} ${who.padEnd(14)} ${what.padEnd(9)} ${text}`
    return styleText(happeningStyles[what], cut(line, width))
  })
  const end = styleText('dim', cut(`Ctrl-C ends.  Join in: ${scene.joinIn[0]}`, width))
  return [...head, ...table, ...foot, ...news, end].slice(0, height)
}

const radioLine = (about: string, { octets, errors, up }: LinkStats): string =>
  `radio ${up ? 'open' : 'away'}: octets in ${octets.received}, out ${octets.sent}; ${errors.undelivered} undelivered   ${about}`

const columns = (name: string, state: string, sent: string, got: string, last: string): string =>
  `${name.padEnd(15)} ${state.padEnd(13)} ${sent.padStart(5)} ${got.padStart(5)}  ${last}`

const cut = (text: string, width: number): string =>
  text.length > width ? `${text.slice(0, width - 1)}…` : text

const byName = (a: Row, b: Row): number => a.name.localeCompare(b.name)
