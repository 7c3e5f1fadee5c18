// A program that plays a story in a network of its own (`unshare -n`): nodes at addresses of their own, before them the kernel as
// deploy/nftables has it balance, sensors that know one address, and the node that most of them speak to is killed. What it has seen goes
// out as JSON. `node --import tsx test/support/kernel-balancer.ts 2`

import { execFileSync, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PostgresEngine } from '../../lab/postgres/engine.ts'
import { freePort, GatewayProcess, Mosquitto } from '../../lab/processes.ts'
import { pause } from '../../src/sensor/pause.ts'
import { Sensor } from '../../src/sensor/sensor.ts'
import { openBrokerClient } from '../../src/simulation/swarm/broker-client.ts'

/** What it has seen. */
export interface KernelStory {
  /** nodes that the balancer has sent sensors to before and after one was killed, by their addresses */
  readonly before: Record<string, number>
  readonly after: Record<string, number>
  /** the one that was killed */
  readonly killed: string
  /** sensors whose connection has ended, and what they have registered again */
  readonly lost: number
  readonly registers: number
  readonly acknowledged: number
  /** acknowledged and not arrived at the broker */
  readonly missing: number
  /** milliseconds that a sensor has waited for an answer at most */
  readonly longest: number
}

const [VIRTUAL, PORT, CONSOLE] = ['10.99.0.10', 1884, 8885]
const SENSORS = 30
const LEASE = 2000
const PATIENCE = 60_000
const never = new AbortController().signal

async function until(isSo: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const deadline = performance.now() + PATIENCE
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`not within ${PATIENCE / 1000} s: ${what}`)
    await pause(50, never)
  }
}

const isReady = (address: string): Promise<boolean> =>
  fetch(`http://${address}:${CONSOLE}/health/ready`).then(
    ({ ok }) => ok,
    () => false,
  )

/** How many flows the kernel has to each node, as its table says. */
function flowsByNode(): Record<string, number> {
  const table = execFileSync('conntrack', ['-L', '-p', 'udp', '--orig-dst', VIRTUAL], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const flows: Record<string, number> = {}
  for (const [, node = ''] of table.matchAll(/src=\S+ dst=\S+ .*src=(\S+) dst=/g))
    flows[node] = (flows[node] ?? 0) + 1
  return flows
}

async function play(count: number, folder: string): Promise<KernelStory> {
  execFileSync('ip', ['link', 'set', 'lo', 'up'])
  const addresses = Array.from({ length: count }, (_, index) => `10.99.0.${11 + index}`)
  for (const address of [VIRTUAL, ...addresses])
    execFileSync('ip', ['address', 'add', `${address}/32`, 'dev', 'lo'])
  const engine = await PostgresEngine.open()
  const mosquitto = new Mosquitto(folder, await freePort())
  await mosquitto.start()
  const nodes = new Map<string, GatewayProcess>()
  for (const [index, address] of addresses.entries()) {
    const name = `gw-${index + 1}`
    const own = join(folder, name)
    mkdirSync(own)
    const configuration = {
      listeners: [{ name: 'sensors', url: `udp://${address}:${PORT}` }],
      broker: { url: mosquitto.url, version: '5', absence: '30s' },
      store: { type: 'postgres', url: engine.url },
      cluster: {
        node: name,
        lease: `${LEASE}ms`,
        ...(count > 2 && { listen: `tcp://${address}:1886`, secret: 'the secret of the story' }),
      },
      console: { url: `http://${address}:${CONSOLE}`, token: 'the token of the story' },
      log: { format: 'json' },
    }
    // those that share the sensors have threads, which run compiled code only
    const entry = count > 2 ? ['dist/src/cli.js'] : ['--import', 'tsx', 'src/cli.ts']
    nodes.set(address, new GatewayProcess(own, entry, configuration))
    await nodes.get(address)?.start()
  }
  const serving = count > 2 ? count : 1
  const readyNodes = async () => (await Promise.all(addresses.map(isReady))).filter(Boolean).length
  await until(async () => (await readyNodes()) === serving, `${serving} nodes are ready`)
  const balancer = spawn('sh', ['deploy/nftables/balance.sh'], {
    env: { ...process.env, MQTTSN_ADDRESS: VIRTUAL, MQTTSN_NODES: addresses.join(' '), MQTTSN_INTERVAL: '1' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let said = ''
  balancer.stdout.on('data', (chunk: Buffer) => {
    said += chunk
  })
  try {
    await until(() => said.includes('ready: '), 'the balancer has nodes')
    return await talk(mosquitto.url, nodes, () => said)
  } finally {
    balancer.kill('SIGTERM')
    for (const node of nodes.values()) await node.end('SIGKILL')
    await mosquitto.end('SIGKILL')
    await engine.close()
  }
}

async function talk(
  broker: string,
  nodes: ReadonlyMap<string, GatewayProcess>,
  said: () => string,
): Promise<KernelStory> {
  const arrived = new Set<string>()
  const witness = await openBrokerClient(broker, 'witness', () => {})
  await witness.listen('up/#', (_, text) => arrived.add(text))
  const over = new AbortController()
  const acknowledged: string[] = []
  const registers = new Set<string>() // a repetition has the same number
  let [lost, longest] = [0, 0]
  const sensors = Array.from({ length: SENSORS }, (_, index) => {
    const sensor = new Sensor({
      gateway: `udp://${VIRTUAL}:${PORT}`,
      clientId: `sensor-${index}`,
      keepAlive: 60,
      tRetry: 1000,
      nRetry: 30,
    })
    sensor.on('disconnected', () => {
      if (!over.signal.aborted) lost += 1
    })
    sensor.on('packet', (direction, packet) => {
      if (direction === 'out' && packet.type === 'register')
        registers.add(`${sensor.clientId} ${packet.msgId}`)
    })
    return sensor
  })
  for (const sensor of sensors) await sensor.connect()
  const lives = sensors.map(async (sensor) => {
    for (let number = 1; !over.signal.aborted; number += 1) {
      const text = `${sensor.clientId} ${number}`
      const begun = performance.now()
      await sensor.publish(`up/${sensor.clientId}`, text, { qos: 1 })
      longest = Math.max(longest, performance.now() - begun)
      acknowledged.push(text)
      await pause(100, over.signal)
    }
  })
  const failed = Promise.all(lives).then(() => {})
  failed.catch(() => {})
  const goOn = async (messages: number, what: string) => {
    const enough = acknowledged.length + messages
    await Promise.race([until(() => acknowledged.length >= enough, what), failed])
  }
  await goOn(SENSORS * 3, 'messages are acknowledged')
  const before = flowsByNode()
  const [killed = ''] = [...nodes.keys()].sort((a, b) => (before[b] ?? 0) - (before[a] ?? 0))
  const tables = said().split('ready: ').length
  await nodes.get(killed)?.end('SIGKILL')
  await until(() => said().split('ready: ').length > tables, 'the balancer has other nodes')
  await goOn(SENSORS * 3, 'messages are acknowledged again')
  const after = flowsByNode()
  over.abort()
  await failed
  const missing = () => acknowledged.filter((text) => !arrived.has(text)).length
  await until(() => missing() === 0, 'what was acknowledged has arrived').catch(() => {})
  for (const sensor of sensors) sensor.close()
  await witness.close()
  return {
    ...{ before, after, killed, lost, longest },
    registers: registers.size,
    acknowledged: acknowledged.length,
    missing: missing(),
  }
}

const folder = mkdtempSync(join(tmpdir(), 'mqttsn-kernel-'))
try {
  console.log(JSON.stringify(await play(Number(process.argv[2]), folder)))
} finally {
  rmSync(folder, { recursive: true, force: true })
}
process.exit()
