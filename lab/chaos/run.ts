// One chaos run: rounds of traffic through a lossy path, in which the gateway is killed and the broker restarted; after each
// everything under way is finished, and the books are checked.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PostgresEngine } from '../postgres/engine.ts'
import { freePort, Mosquitto } from '../processes.ts'
import type { EngineTally } from './engine-trouble.ts'
import { ChaosLines, namesOnLines } from './lines.ts'
import type { LinkWay } from './nodes/link-way.ts'
import { LEASE, type NodeTally } from './nodes/node-trouble.ts'
import { Nodes, type Place } from './nodes/nodes.ts'
import { WriterWatch } from './nodes/writers.ts'
import { brokerAcl, brokerRules } from './poison.ts'
import { predefined, roles } from './roles.ts'
import { Chaos } from './rounds.ts'
import { pskText } from './security.ts'
import { OWN } from './strangers.ts'
import type { Cast } from './trouble.ts'

/** What a run is told. */
export interface ChaosOptions {
  readonly rounds: number
  readonly seed: number
  readonly protocol: '5' | '3.1.1'
  readonly store: 'lmdb' | 'memory' | 'postgres'
  /** share of sensors that speak DTLS, 0 to 1 */
  readonly dtls: number
  /** share of the other sensors that are on serial lines, each on its own, 0 to 1 */
  readonly lines: number
  /** share of rounds with poison, 0 to 1 */
  readonly poison: number
  /** connections to the broker that sensors share; 0: each has its own */
  readonly shared: number
  /** processes that are one gateway behind a balancer; above 1 with PostgreSQL only */
  readonly nodes: number
  /** keeps the logs and conversations if something is wrong, and ends with that round */
  readonly keep: boolean
  /** what Node runs as the gateway */
  readonly entry: readonly string[]
  readonly say: (line: string) => void
  /** ends the run after the present step */
  readonly signal: AbortSignal
}

/** What a run found out. */
export interface ChaosOutcome {
  rounds: number
  kills: number
  /** of DTLS */
  handshakes: number
  /** serial lines that were unplugged, and plugged in again */
  unplugged: number
  stops: number
  brokerRestarts: number
  /** what happened to the database, where that is the store */
  engine: EngineTally
  /** what happened to nodes, where there are several */
  nodes: NodeTally
  /** nodes that ended by themselves, and were started again */
  endings: number
  /** processes that have written to the database, where that is the store */
  writers: number
  poisonedRounds: number
  /** QoS 1 and 2 messages acknowledged to their senders, both directions */
  acknowledged: number
  lost: number
  duplicated: number
  excused: number
  /** everything wrong, as told */
  faults: string[]
}

/** Runs it; rejects if it cannot even start. Leaves no process and, unless `keep` and faults, no file behind. */
export async function runChaos(options: ChaosOptions): Promise<ChaosOutcome> {
  const folder = mkdtempSync(join(tmpdir(), 'mqttsn-chaos-'))
  const lines = await ChaosLines.open(
    namesOnLines(options.lines, options.dtls),
    options.seed,
    options.poison === 0,
  )
  const acl = join(folder, 'broker.acl')
  writeFileSync(acl, brokerAcl)
  const engine = options.store === 'postgres' ? await PostgresEngine.open({ standby: true }) : undefined
  const mosquitto = new Mosquitto(folder, await freePort(), options.keep, brokerRules(acl))
  const over = new AbortController()
  const nodes = await Nodes.create({
    count: options.nodes,
    folder,
    entry: options.entry,
    engine,
    configuration: (place) => configuration(options, folder, lines, place, mosquitto, engine),
    signal: AbortSignal.any([options.signal, over.signal]),
  })
  const cast: Cast = { mosquitto, nodes, engine }
  const chaos = new Chaos(options, lines, cast)
  try {
    await mosquitto.start()
    await nodes.start()
    if (engine !== undefined) cast.writers = await WriterWatch.install(engine)
    await chaos.run()
  } finally {
    await chaos.close()
    over.abort()
    await nodes.end()
    await mosquitto.end('SIGKILL')
    await engine?.close()
    await lines.close()
    if (options.keep && chaos.outcome.faults.length > 0) {
      for (const { role, air } of chaos.members)
        writeFileSync(join(folder, `${role.name}.log`), air.conversation())
      options.say(`logs and conversations: ${folder}`)
    } else rmSync(folder, { recursive: true, force: true })
  }
  return chaos.outcome
}

/** Names of their own at the broker keep sensors apart from its other clients; strangers may try the gateway's own name. */
const NAME = '$' + '{clientId}'
const named = { clientId: `sn-${NAME}` }
const sensorRules = [
  { match: `${OWN}*`, clientId: NAME },
  ...roles
    .filter(({ stores }) => stores)
    .map(({ name }) => ({
      ...named,
      match: name,
      ack: 'store',
      spool: { messages: 10_000, octets: '4MiB' },
    })),
  named,
]

function configuration(
  { protocol, store, keep, dtls, shared, nodes }: ChaosOptions,
  folder: string,
  lines: ChaosLines,
  { name, port, secure, console, ...ways }: Place,
  broker: Mosquitto,
  engine: PostgresEngine | undefined,
): object {
  const file = join(folder, 'psk.txt')
  if (dtls > 0) writeFileSync(file, pskText(), { mode: 0o600 })
  return {
    listeners: [
      { name: 'air', url: `udp://127.0.0.1:${port}` },
      ...(dtls > 0 ? [{ name: 'secure', url: `dtls://127.0.0.1:${secure}`, dtls: { psk: { file } } }] : []),
      ...lines.listeners,
    ],
    broker: {
      url: broker.url,
      version: protocol,
      clientId: OWN,
      ...(shared > 0 && { connections: { shared } }),
      absence: '20s', // longer than a gateway needs to start on a machine that is busy with other things
      connectTimeout: '2s',
      reconnect: { min: '50ms', max: '500ms' },
    },
    sensors: sensorRules,
    predefined,
    // with this pause between attempts, what the broker refuses again and again is soon a dead letter
    timers: { tWait: '300ms', tRetry: '200ms', nRetry: 100, answer: '4s', awake: '3s' },
    limits: { queuedMessages: 10_000, queuedOctets: '16MiB' },
    store: {
      type: store,
      ...(store === 'lmdb' && { path: join(folder, 'state') }),
      ...(engine !== undefined && { url: ways.engine?.url ?? engine.url }),
    },
    ...(nodes > 1 && {
      cluster: {
        node: name,
        lease: `${LEASE}ms`,
        ...(ways.links !== undefined && sharing(ways.links)),
      },
    }),
    console: { url: console },
    log: { level: keep ? 'debug' : 'info', format: 'json' },
  }
}

/** As everything here, quicker than elsewhere: sensors repeat themselves after 200 ms, and what is held must be gone by then. */
const sharing = ({ listen, advertise }: LinkWay): object => {
  return { listen, advertise, hold: '150ms', settle: '500ms', drain: '3s' }
}
