// mqttsn demo: a gateway on an embedded broker, simulated sensors around it, and what happens, live.

import { Command } from 'commander'
import { createBoard } from './demo/board.ts'
import { printLines } from './demo/lines.ts'
import { playScene } from './demo/scene.ts'
import { showScreen } from './demo/screen.ts'
import { count, timeOption } from './options.ts'

interface Options {
  port: number
  duration?: number
  plain?: boolean
}

/** The command `demo`. Exit codes: 0 ended by Ctrl-C or after --duration, 1 could not start, 2 wrong usage. */
export function demoCommand(): Command {
  return new Command('demo')
    .description('show the gateway at work: embedded broker, simulated sensors, everything live')
    .option('-p, --port <number>', 'UDP port of the gateway; 0 takes any free one', count, 1884)
    .addOption(timeOption('-d, --duration <time>', 'end after this time (default: at Ctrl-C)'))
    .option('--plain', 'plain lines on a terminal too')
    .addHelpText('after', help)
    .action(async (options: Options) => {
      process.exitCode = await run(options)
    })
}

const help = `
Examples:
  mqttsn demo
  mqttsn demo --duration 20s | tee demo.log     plain lines in a pipe
  mqttsn demo --port 2000                       where port 1884 is taken

While it runs, join in from another terminal:
  mqttsn sub -t '#'
  mqttsn pub -t valve/valve-1/setpoint -m 80 -q 1`

async function run({ port, duration, plain }: Options): Promise<number> {
  const end = new AbortController()
  const stop = () => end.abort()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop)
  const timer = duration === undefined ? undefined : setTimeout(stop, duration)
  const board = createBoard()
  const live = process.stdout.isTTY && !plain
  try {
    const scene = await playScene({ port, board, signal: end.signal })
    const close = live ? showScreen(board, scene, process.stdout) : printLines(board, scene, process.stdout)
    await scene.ended
    close()
    process.stdout.write(`${scene.summary()}\n`)
    return 0
  } catch (error) {
    stop()
    const reason = error instanceof Error ? error.message : String(error)
    process.stderr.write(`the demo cannot start: ${reason}\nTry another port: mqttsn demo --port 0\n`)
    return 1
  } finally {
    clearTimeout(timer)
  }
}
