// What is accepted: three nodes at addresses of their own, a database with a synchronous standby, a broker, and a balancer in front.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pause } from '../../src/sensor/pause.ts'
import type { Balancer } from '../chaos/nodes/balancer.ts'
import { startAgain } from '../chaos/nodes/node-trouble.ts'
import { type GatewayNode, Nodes, type Place } from '../chaos/nodes/nodes.ts'
import { PostgresEngine } from '../postgres/engine.ts'
import { freePort, Mosquitto } from '../processes.ts'

/** Nodes have the same ports there. */
const ADDRESSES = ['127.0.0.11', '127.0.0.12', '127.0.0.13'] as const
export const LEASE = 5000
/** Milliseconds after which slots move to a node that was started; the default is 10 s, and nothing here depends on it. */
const SETTLE = 2000
/** below the time after which sensors repeat themselves */
export const HOLD = 750
export const LISTENER = 'sensors'
const SLOTS = 1024
/** Milliseconds: between two questions, for an answer, and until nodes that are well share the slots evenly. */
const [LOOK, PATIENCE, EVEN] = [100, 500, 60_000]
/** All sensors have the same address here, which no limit foresees. */
const MANY = 1_000_000

/** What a node says of the cluster, as far as it matters here. */
interface Told {
  readonly slots: number
  readonly takeovers: number
  readonly owners: readonly number[]
  readonly members: readonly { readonly node: string }[]
}

export interface SiteOptions {
  /** what Node runs as the gateway */
  readonly entry: readonly string[]
  readonly nodes?: number
  /** of the nodes: as that of the sensors, milliseconds */
  readonly tRetry: number
  /** its files are kept */
  readonly keep: boolean
  /** what is done before nodes are started */
  readonly prepare?: (engine: PostgresEngine) => Promise<void>
  /** told of every line of the nodes' logs */
  readonly onLine?: (line: string) => void
  /** goes over the configuration of each node */
  readonly changes?: object
  readonly signal: AbortSignal
}

/** All processes; they end with `close`. */
export class AcceptanceSite {
  readonly nodes: Nodes
  readonly engine: PostgresEngine
  readonly mosquitto: Mosquitto
  /** with the logs of nodes and broker */
  readonly folder: string
  readonly #signal: AbortSignal
  readonly #close: () => Promise<void>

  private constructor(
    parts: Pick<AcceptanceSite, 'nodes' | 'engine' | 'mosquitto' | 'folder'>,
    signal: AbortSignal,
    close: () => Promise<void>,
  ) {
    this.nodes = parts.nodes
    this.engine = parts.engine
    this.mosquitto = parts.mosquitto
    this.folder = parts.folder
    this.#signal = signal
    this.#close = close
  }

  static async open(options: SiteOptions): Promise<AcceptanceSite> {
    const folder = mkdtempSync(join(tmpdir(), 'mqttsn-acceptance-'))
    const over = new AbortController()
    const closing: (() => Promise<unknown>)[] = []
    const close = async () => {
      over.abort()
      for (const step of closing.reverse()) await step()
      if (!options.keep) rmSync(folder, { recursive: true, force: true })
    }
    try {
      const engine = await PostgresEngine.open({ standby: true })
      closing.push(() => engine.close())
      const mosquitto = new Mosquitto(folder, await freePort())
      closing.push(() => mosquitto.end('SIGKILL'))
      const linkPort = await freePort()
      const signal = AbortSignal.any([options.signal, over.signal])
      const nodes = await Nodes.create({
        ...{ count: options.nodes ?? ADDRESSES.length, folder, entry: options.entry, engine, signal },
        addresses: ADDRESSES,
        configuration: (place) => ({
          ...configurationOf(place, linkPort, mosquitto.url, engine.url),
          timers: { tRetry: `${options.tRetry}ms`, nRetry: 100 },
          ...options.changes,
        }),
      })
      closing.push(() => nodes.end())
      await mosquitto.start()
      await options.prepare?.(engine)
      for (const { process } of nodes.all) process.onLine = options.onLine ?? process.onLine
      await nodes.start()
      return new AcceptanceSite({ nodes, engine, mosquitto, folder }, signal, close)
    } catch (error) {
      await close()
      throw error
    }
  }

  get balancer(): Balancer {
    if (this.nodes.balancer === undefined) throw new Error('one node has no balancer')
    return this.nodes.balancer
  }

  /** What these say of themselves; who does not answer says nothing. */
  async told(nodes: readonly GatewayNode[] = this.nodes.all): Promise<readonly (Told | undefined)[]> {
    return Promise.all(
      nodes.map(async ({ console }) => {
        try {
          const response = await fetch(`${console}/api/cluster`, { signal: AbortSignal.timeout(PATIENCE) })
          return response.ok ? ((await response.json()) as Told) : undefined
        } catch {
          return undefined
        }
      }),
    )
  }

  /** slots that were taken from nodes that were gone, each time counted */
  async takeovers(): Promise<number> {
    return (await this.told()).reduce((sum, told) => sum + (told?.takeovers ?? 0), 0)
  }

  /**
   * Watches the logs of these nodes, which costs them nothing, until they have taken so many slots up. Resolves to the moment when the
   * last of them was served; rejects if that takes too long.
   */
  async taken(nodes: readonly GatewayNode[], slots: number): Promise<number> {
    let [left, at] = [slots, 0]
    for (const { process } of nodes)
      process.onLine = (line) => {
        if (!line.includes('"serving more sensors"')) return
        left -= Number(/"slots":(\d+)/.exec(line)?.[1] ?? 0)
        at = performance.now()
      }
    try {
      await this.#until(async () => left <= 0, `${left} slots are not served`)
      return at
    } finally {
      for (const { process } of nodes) process.onLine = () => {}
    }
  }

  /** Resolves when every node has its share, and the balancer knows that all are ready. */
  async isEven(): Promise<void> {
    const { all } = this.nodes
    const least = Math.floor(SLOTS / all.length) - 8
    await this.#until(async () => {
      const slots = (await this.told()).map((one) => one?.slots ?? 0)
      const sum = slots.reduce((a, b) => a + b, 0)
      const isReady = this.balancer.ready.length === all.length
      return isReady && sum === SLOTS && slots.every((count) => count >= least)
    }, 'the slots are not shared evenly')
  }

  /** A node that was ended, or stands still, is started anew, gets its share, and sensors speak to it. */
  async restore(node: GatewayNode): Promise<void> {
    if (node.process.running) await node.end('SIGKILL')
    await startAgain(node, this.#signal)
    await this.isEven()
    this.balancer.rehash(Math.random())
  }

  async close(): Promise<void> {
    await this.#close()
  }

  async #until(isSo: () => Promise<boolean>, problem: string): Promise<void> {
    const deadline = performance.now() + EVEN
    while (!this.#signal.aborted && !(await isSo())) {
      if (performance.now() > deadline) throw new Error(`${problem} within ${EVEN / 1000} s`)
      await pause(LOOK, this.#signal)
    }
  }
}

function configurationOf(place: Place, linkPort: number, broker: string, store: string): object {
  const { name, address, port, console } = place
  return {
    listeners: [{ name: LISTENER, url: `udp://${address}:${port}` }],
    broker: { url: broker, version: '5', absence: '60s' },
    limits: { sensors: MANY, sensorsPerAddress: MANY, connectsPerAddress: MANY, repliesPerAddress: MANY },
    store: { type: 'postgres', url: store },
    cluster: {
      node: name,
      lease: `${LEASE}ms`,
      listen: `tcp://${address}:${linkPort}`,
      hold: `${HOLD}ms`,
      settle: `${SETTLE}ms`,
    },
    console: { url: console },
    log: { level: 'info', format: 'json' },
  }
}
