// A soak test: Mosquitto, the gateway as a process of its own, and a swarm around it; the broker is stopped for a
// while in the middle. Fails if a sensor lost its session, if anything acknowledged got lost, or if memory kept growing.
//   npm run soak -- --sensors 5000 --duration 10m --outage 20s

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createConnection } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Command } from 'commander'
import { count, timeOption } from '../src/cli/options.ts'
import { freePort, usage } from './processes.ts'

interface Options {
  sensors: number
  duration: number
  outage: number
  rate: number
  downlink: number
  shared: number
}

const program = new Command('soak')
  .description(
    'Run gateway, Mosquitto and a swarm for a while, stop the broker in the middle, and check the books.',
  )
  .option('--sensors <count>', 'how many', count, 5000)
  .addOption(timeOption('--duration <time>', 'how long the swarm lives', 600_000))
  .addOption(
    timeOption('--outage <time>', 'how long the broker is away in the middle; 0 = not at all', 20_000),
  )
  .option('--rate <count>', 'connection attempts per second', count, 300)
  .option('--downlink <count>', 'messages per second to random sensors', count, 50)
  .option(
    '--shared <count>',
    'connections to the broker that all sensors share; 0: each has its own',
    count,
    0,
  )
  .addHelpText('after', '\nExit code: 0 all well, 1 something was lost, memory grew, or it could not start.')
  .action(async (options: Options) => {
    process.exitCode = await run(options)
  })

const say = (text: string) => console.log(`${new Date().toISOString().slice(11, 19)} ${text}`)
const folder = mkdtempSync(join(tmpdir(), 'mqttsn-soak-'))
const children = new Set<ChildProcess>()

function start(command: string, args: string[], onLine: (line: string) => void): ChildProcess {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  children.add(child)
  child.once('exit', () => children.delete(child))
  for (const stream of [child.stdout, child.stderr]) {
    let rest = ''
    stream.on('data', (chunk: Buffer) => {
      const lines = (rest + chunk).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) onLine(line)
    })
  }
  return child
}

/** A Mosquitto that keeps its sessions over a restart, on a port of its own. */
async function startBroker(port: number): Promise<ChildProcess> {
  const file = join(folder, 'mosquitto.conf')
  const lines = [
    `listener ${port} 127.0.0.1`,
    'allow_anonymous true',
    'persistence true',
    `persistence_location ${folder}/`,
    'max_queued_messages 100000',
    'user root',
  ]
  writeFileSync(file, lines.join('\n'))
  const broker = start('mosquitto', ['-c', file], () => {})
  for (let tries = 0; tries < 100; tries++) {
    const socket = createConnection(port, '127.0.0.1')
    const [event] = await Promise.race([
      once(socket, 'connect').then(() => ['up']),
      once(socket, 'error').then(() => ['down']),
    ]).catch(() => ['down'])
    socket.destroy()
    if (event === 'up') return broker
    await sleep(100)
  }
  throw new Error('mosquitto does not start; is it installed?')
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return
  child.kill('SIGTERM')
  await once(child, 'exit')
}

async function run({ sensors, duration, outage, rate, downlink, shared }: Options): Promise<number> {
  const port = await freePort()
  let broker = await startBroker(port)
  let url = ''
  let listening = ''
  const faults: string[] = []
  const gatewayArgs = [
    'dist/src/cli.js',
    'gateway',
    '-l',
    'udp://127.0.0.1:0',
    '-b',
    `mqtt://127.0.0.1:${port}`,
  ]
  gatewayArgs.push('--store', join(folder, 'state'), '--console', 'http://127.0.0.1:0')
  if (shared > 0) {
    const file = join(folder, 'gateway.json')
    writeFileSync(file, JSON.stringify({ broker: { connections: { shared } } }))
    gatewayArgs.push('-c', file)
  }
  let lastWords = ''
  const gateway = start(process.execPath, gatewayArgs, (line) => {
    lastWords = line
    if (line.includes('"gateway started"')) listening = url
    url ||= /"url":"(udp:[^"]+)"/.exec(line)?.[1] ?? ''
    if (/"level":"(error|fatal)"/.test(line)) faults.push(line)
    if (/"msg":"gateway stopped"/.test(line)) say(line)
  })
  while (listening === '' && gateway.exitCode === null) await sleep(50)
  if (gateway.exitCode !== null) throw new Error(`the gateway does not start: ${lastWords}`)
  const pid = gateway.pid ?? 0
  say(`gateway ${listening}, process ${pid}; broker on port ${port}; ${sensors} sensors`)
  const swarmArgs = ['dist/scripts/swarm.js', '--gateway', listening, '--sensors', String(sensors)]
  swarmArgs.push('--rate', String(rate), '--downlink', String(downlink), '--duration', `${duration}ms`)
  swarmArgs.push('--report', '10', '--verify', `mqtt://127.0.0.1:${port}`)
  let sessionsLost = 0
  const swarm = start(process.execPath, swarmArgs, (line) => {
    if (!/ECONNREFUSED/.test(line)) say(line)
    sessionsLost = Number(/sessions lost (\d+)/.exec(line)?.[1] ?? sessionsLost)
  })
  const ended = once(swarm, 'exit')
  const startedAt = Date.now()
  const memory: { minute: number; mebibytes: number }[] = []
  const watch = setInterval(() => {
    const { memory: mebibytes, cpu } = usage(pid)
    const minute = (Date.now() - startedAt) / 60_000
    memory.push({ minute, mebibytes })
    say(`gateway: ${mebibytes.toFixed(0)} MiB, ${cpu.toFixed(1)} s of processor time`)
  }, 10_000)
  if (outage > 0) {
    await sleep(duration / 2)
    say('the broker stops')
    await stop(broker)
    await sleep(outage)
    broker = await startBroker(port)
    say('the broker is back')
  }
  const [code] = await ended
  clearInterval(watch)
  await stop(gateway)
  await stop(broker)
  return judge({
    code,
    sessionsLost,
    faults,
    memory: memory.filter(({ minute }) => minute <= duration / 60_000),
  })
}

interface Outcome {
  code: number
  sessionsLost: number
  faults: string[]
  memory: { minute: number; mebibytes: number }[]
}

/** Memory counts as flat if the last third of the run is at most 10 % above what it was after the first third. */
function judge({ code, sessionsLost, faults, memory }: Outcome): number {
  const highest = (from: number, to: number) =>
    Math.max(
      ...memory
        .slice(Math.floor(memory.length * from), Math.ceil(memory.length * to))
        .map((m) => m.mebibytes),
    )
  const [early, late] = [highest(0.2, 0.5), highest(0.7, 1)]
  say(`memory: ${early.toFixed(0)} MiB in the first half, ${late.toFixed(0)} MiB at the end`)
  say(
    `sessions lost: ${sessionsLost}; errors logged: ${faults.length}; the swarm's books: ${code === 0 ? 'right' : 'WRONG'}`,
  )
  for (const fault of faults.slice(0, 5)) say(fault)
  return code === 0 && sessionsLost === 0 && faults.length === 0 && late <= early * 1.1 ? 0 : 1
}

try {
  await program.parseAsync()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
} finally {
  for (const child of children) child.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
}
