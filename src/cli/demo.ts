// mqttsn demo: a gateway on an embedded broker, simulated sensors around it, and what happens, live.

import { Command, Option } from 'commander'
import { createBoard } from './demo/board.ts'
import { printLines } from './demo/lines.ts'
import { playScene } from './demo/scene.ts'
import { showScreen } from './demo/screen.ts'
import { count, timeOption } from './options.ts'
import { addressParser, CONSOLE } from './terminal/addresses.ts'
import { invocation } from './terminal/invocation.ts'

interface Options {
  port: number
  duration?: number
  plain?: boolean
  console?: string
  radio?: boolean
  store?: string
}

/** The command `demo`. Exit codes: 0 ended by Ctrl-C or after --duration, 1 could not start, 2 wrong usage. */
export function demoCommand(): Command {
  return new Command('demo')
    .description('show the gateway at work: embedded broker, simulated sensors, everything live')
    .option('-p, --port <number>', 'UDP port of the gateway; 0 takes any free one', count, 1884)
    .addOption(timeOption('-d, --duration <time>', 'end after this time (default: at Ctrl-C)'))
    .addOption(
      new Option(
        '--console <address>',
        'serve the console there (default: 127.0.0.1:8885, or any free port)',
      ).argParser(addressParser({ ...CONSOLE, others: [] })),
    )
    .option(
      '--radio',
      'sensors on a simulated XBee network as well, at a serial line where socat is installed',
    )
    .option(
      '--store <url>',
      'keep the sessions in a PostgreSQL database, such as postgres://mqttsn:secret@127.0.0.1/mqttsn',
    )
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
  mqttsn demo --console 127.0.0.1:9000          the console there, and nowhere else
  mqttsn demo --radio                           two sensors on a radio that loses messages

While it runs, join in from another terminal (-p: with the port that the demo has):
  mqttsn sub -t '#'
  mqttsn pub -t valve/valve-1/setpoint -m 80 -q 1

Exit codes: 0 ended by Ctrl-C or after --duration, 1 it could not start, 2 wrong usage.`

async function run({ port, duration, plain, console, radio = false, store }: Options): Promise<number> {
  const end = new AbortController()
  const stop = () => end.abort()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop)
  const timer = duration === undefined ? undefined : setTimeout(stop, duration)
  const board = createBoard()
  const live = process.stdout.isTTY && !plain
  try {
    const scene = await playScene({ port, console, radio, store, board, signal: end.signal })
    const close = live ? showScreen(board, scene, process.stdout) : printLines(board, scene, process.stdout)
    await scene.ended
    close()
    process.stdout.write(`${scene.summary()}\n`)
    return 0
  } catch (error) {
    stop()
    const reason = error instanceof Error ? error.message : String(error)
    const other = console === undefined ? '--port 0' : `--port 0 --console 127.0.0.1:0`
    // what is wrong with the database says itself what to change
    const advice = reason.includes('store.url') ? '' : `Try other ports: ${invocation()} demo ${other}\n`
    process.stderr.write(`the demo cannot start: ${reason}\n${advice}`)
    return 1
  } finally {
    clearTimeout(timer)
  }
}
