// A crowd on one simulated XBee network: nodes that publish at QoS 1 through losses, at a slow line, for minutes. Fails if something
// acknowledged did not arrive, if a node brought nothing home, or if what waits grew beyond its bounds.
//   npx tsx lab/radio.ts --nodes 200 --baud 9600 --loss 0.05 --duration 10m

import { setMaxListeners } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command } from 'commander'
import { connectAsync } from 'mqtt'
import { count, timeOption } from '../src/cli/options.ts'
import { loadConfig } from '../src/config/load.ts'
import { Gateway } from '../src/gateway/gateway.ts'
import { serveRadio, serveRadioOnPty } from '../src/simulation/radio/run-radio.ts'
import { XbeeNetwork } from '../src/simulation/radio/xbee-network.ts'
import { CrowdBooks, liveAsCrowd } from './radio/crowd.ts'

interface Options {
  nodes: number
  baud: number
  loss: number
  moves: number
  duration: number
  interval: number
  downlink: number
}

const program = new Command('radio')
  .description('Run a crowd of nodes on a simulated XBee network at a gateway, and check the books.')
  .option('--nodes <count>', 'how many', count, 200)
  .option('--baud <rate>', 'of the line', count, 9600)
  .option('--loss <part>', 'part of the messages that is lost', Number, 0.05)
  .option('--moves <part>', 'part of messages before which a node finds another short address', Number, 0.01)
  .addOption(timeOption('--duration <time>', 'how long', 600_000))
  .addOption(timeOption('--interval <time>', 'between two messages of a node', 25_000))
  .option('--downlink <count>', 'messages a minute to random nodes', count, 30)
  .addHelpText('after', '\nExit code: 0 all well, 1 something was lost, or grew.')
  .action(async (options: Options) => {
    process.exitCode = await run(options)
  })

const say = (text: string) => console.log(`${new Date().toISOString().slice(11, 19)} ${text}`)

async function run(options: Options): Promise<number> {
  const { nodes, baud, loss, moves, duration, interval, downlink } = options
  const clock = () => performance.now()
  const network = new XbeeNetwork({ clock, random: Math.random, baud, loss, moves })
  const folder = mkdtempSync(join(tmpdir(), 'mqttsn-radio-'))
  const onPty = await serveRadioOnPty(network, join(folder, 'xbee'))
  const radio = onPty ?? (await serveRadio(network))
  const url = onPty ? `xbee://${radio.place}?flow=none&baud=${baud}` : `tcp://${radio.place}?framing=xbee`
  const pace = onPty ? {} : { pace: { octetsPerSecond: Math.floor(0.09 * baud) } }
  const { config } = loadConfig({
    env: {},
    overrides: {
      listeners: [{ url, name: 'radio', ...pace }],
      broker: 'embedded',
      store: { type: 'memory' },
      log: { level: 'silent' },
    },
  })
  const gateway = new Gateway(config)
  await gateway.start()
  const end = new AbortController()
  setMaxListeners(0, end.signal) // every node listens to it
  const office = await connectAsync(gateway.status().broker.url, { clientId: 'office' })
  const books = new CrowdBooks()
  office.on('message', (_, payload) => books.arrive(payload.toString()))
  await office.subscribeAsync('crowd', { qos: 1 })
  say(`${nodes} nodes on ${url}, ${loss * 100} % lost, a message each ${interval / 1000} s`)

  const most = { queue: 0, waiting: 0 }
  const link = () => gateway.status().listeners[0]?.stats.link
  const watch = setInterval(() => {
    const waiting = [...gateway.sessions.byClientId.values()].map((one) => one.downlink.queue.length)
    most.queue = Math.max(most.queue, link()?.queue ?? 0)
    most.waiting = Math.max(most.waiting, ...waiting)
  }, 100)
  const report = setInterval(() => say(stateOf()), 30_000)
  const stateOf = () => {
    const { octets, errors, queue } = link() ?? {}
    const lost = Object.entries(errors ?? {}).flatMap(([name, n]) => (n > 0 ? [`${n} ${name}`] : []))
    const memory = Math.round(process.memoryUsage().rss / 1e6)
    return `${gateway.sessions.byPeer.size} connected, ${books.acknowledged.size} of ${books.begun.size} acknowledged, ${books.arrived.size} arrived; octets in ${octets?.received}, out ${octets?.sent}; waiting ${queue}; ${lost.join(', ') || 'no errors'}; ${memory} MB`
  }
  let orders = 0
  const commands = setInterval(() => {
    const all = [...gateway.sessions.byClientId.values()].filter((one) => one.subscriptions.size > 0)
    const to = all[Math.floor(Math.random() * all.length)]
    if (to === undefined || end.signal.aborted) return
    office.publish(to.clientId.replace('-', '/'), `${orders++}`, { qos: 1 })
  }, 60_000 / Math.max(1, downlink))
  const stop = () => end.abort()
  process.once('SIGINT', stop)
  const timer = setTimeout(stop, duration)
  const transportOf = (n: number) => network.node(`0013a20041${n.toString(16).padStart(6, '0')}`)
  const crowd = {
    count: nodes,
    interval,
    spread: Math.min(60_000, duration / 4),
    signal: end.signal,
    tRetry: 10_000,
  }
  await liveAsCrowd({ ...crowd, transportOf, random: Math.random }, books)
  for (
    let left = 600;
    left > 0 && books.orders.size < orders;
    left-- // the last orders are still on their way
  )
    await new Promise((resolve) => setTimeout(resolve, 100))
  for (const each of [watch, report, commands, timer]) clearInterval(each)
  say(stateOf())
  const failures = [...books.failures].map(([what, times]) => `${times} ${what}`).join(', ') || 'none'
  say(
    `waits for acknowledgements: half ${books.wait(0.5)} ms, 99 % ${books.wait(0.99)} ms; repeated ${books.repeated}`,
  )
  say(
    `failed attempts: ${failures}; connects ${books.connects}; octets that overran the module: ${network.uart.overrun}`,
  )
  say(
    `most that waited: ${most.queue} for the line, ${most.waiting} for one node; lost ${books.lost.length}; orders ${books.orders.size} of ${orders}`,
  )
  await office.endAsync()
  await gateway.stop()
  await radio.close()
  rmSync(folder, { recursive: true, force: true })
  const isWell =
    books.lost.length === 0 &&
    books.orders.size === orders &&
    books.acknowledged.size === books.begun.size &&
    most.queue <= 32 &&
    most.waiting <= 100
  say(isWell ? 'all well' : 'NOT well')
  return isWell ? 0 : 1
}

await program.parseAsync()
