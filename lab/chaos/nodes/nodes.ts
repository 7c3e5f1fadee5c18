// The gateway of a chaos run: one process, or several nodes behind a balancer, which are started again when they end.

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { pause } from '../../../src/sensor/pause.ts'
import type { PostgresEngine } from '../../postgres/engine.ts'
import { freePort, GatewayProcess } from '../../processes.ts'
import { type Link, PlainLink } from '../link.ts'
import { BalancedLink, Balancer, isReady, type Target } from './balancer.ts'
import { EngineWay } from './engine-way.ts'
import { LinkWay } from './link-way.ts'
import { SecureWay } from './secure-way.ts'
import { unsettledOf } from './unsettled.ts'

/** Milliseconds after which a supervisor starts what has ended. */
const RESTART = 200

/** Who share the work have links with each other; of two one serves. */
export const PAIR = 2

/** Where a node listens, where its console is, and the ways to it and from it. */
export interface Place extends Target {
  readonly name: string
  readonly address: string
  /** to the database, where nodes share one */
  readonly engine: EngineWay | undefined
  /** from other nodes, where several serve */
  readonly links: LinkWay | undefined
}

/** One process of it. */
export class GatewayNode implements Target {
  readonly name: string
  readonly port: number
  readonly address: string
  readonly secure: number
  readonly console: string
  readonly process: GatewayProcess
  readonly ways: Pick<Place, 'engine' | 'links'>
  /** it was ended on purpose, or is being started: nobody else is to start it */
  isAway = true
  /** how often it ended by itself */
  endings = 0

  constructor({ name, port, address, secure, console, ...ways }: Place, process: GatewayProcess) {
    this.name = name
    this.port = port
    this.address = address
    this.secure = secure
    this.console = console
    this.ways = ways
    this.process = process
  }

  /** Resolves when it is there, whether it serves or stands by. */
  async start(): Promise<void> {
    this.isAway = true
    await this.ways.links?.nodeStarts()
    await this.process.start()
    this.isAway = false
  }

  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    this.isAway = true
    await this.process.end(signal)
    await this.ways.links?.nodeIsGone()
  }

  /** Ends it for good. */
  async close(): Promise<void> {
    await this.end('SIGKILL')
    await Promise.all([this.ways.engine?.close(), this.ways.links?.close()])
  }
}

/** What nodes are made of. */
export interface NodesPlan {
  readonly count: number
  /** each has one of its own below it, where there are several */
  readonly folder: string
  /** what Node runs */
  readonly entry: readonly string[]
  /** what they share, where that is a database */
  readonly engine: PostgresEngine | undefined
  readonly configuration: (place: Place) => object
  /** addresses of their own on loopback, with the same ports, and nothing between them that could be cut */
  readonly addresses?: readonly string[]
  /** ends the watch over them */
  readonly signal: AbortSignal
}

/** All processes. */
export class Nodes {
  readonly all: readonly GatewayNode[]
  /** undefined: there is one process, which sensors speak to */
  readonly balancer: Balancer | undefined
  readonly #signal: AbortSignal

  private constructor(all: readonly GatewayNode[], balancer: Balancer | undefined, signal: AbortSignal) {
    this.all = all
    this.balancer = balancer
    this.#signal = signal
  }

  /** Makes them, and starts none. */
  static async create(plan: NodesPlan): Promise<Nodes> {
    const { count, folder, entry, engine, configuration, addresses, signal } = plan
    const all: GatewayNode[] = []
    const hasWays = addresses === undefined
    const ports = hasWays ? undefined : [await freePort(), await freePort()]
    for (let index = 1; index <= count; index += 1) {
      const name = `gw-${index}`
      const own = count === 1 ? folder : join(folder, name)
      mkdirSync(own, { recursive: true })
      const address = addresses?.[index - 1] ?? '127.0.0.1'
      const [port = await freePort(), consolePort = await freePort()] = ports ?? []
      const place = {
        ...{ name, address, port },
        secure: await freePort(),
        console: `http://${address}:${consolePort}`,
        engine: engine && hasWays && count > 1 ? await EngineWay.open(engine) : undefined,
        links: hasWays && count > PAIR ? await LinkWay.open() : undefined,
      }
      all.push(new GatewayNode(place, new GatewayProcess(own, entry, configuration(place))))
    }
    return new Nodes(all, count > 1 ? new Balancer(all, signal) : undefined, signal)
  }

  /** Resolves when all are there, and one of several serves. From then on those of several are started again when they end. */
  async start(): Promise<void> {
    for (const node of this.all) await node.start()
    if (this.balancer === undefined) return
    while (this.serving === undefined && !this.#signal.aborted) await pause(50, this.#signal)
    for (const node of this.all) void this.#supervise(node)
  }

  async end(): Promise<void> {
    await Promise.all(this.all.map((node) => node.close()))
  }

  /** of two, one serves; more share the work */
  get isPair(): boolean {
    return this.all.length === PAIR
  }

  /** The way of a sensor to it. */
  linkOf(sensor: string): Link {
    const { balancer } = this
    return balancer === undefined ? new PlainLink(() => this) : new BalancedLink(balancer, sensor)
  }

  /** The same of one with DTLS. */
  async secureWayOf(sensor: string): Promise<{ readonly port: number; close(): void }> {
    const { balancer } = this
    if (balancer !== undefined) return SecureWay.open(balancer, sensor)
    return { port: this.all[0]?.secure ?? 0, close() {} }
  }

  /** who serves, as far as the balancer knows: of a single one that is taken for granted */
  get serving(): GatewayNode | undefined {
    const ready = this.balancer?.ready
    return ready === undefined ? this.all[0] : this.all.find((node) => ready.includes(node))
  }

  /** where datagrams of others than its sensors go */
  get port(): number {
    return (this.serving ?? this.all[0])?.port ?? 0
  }

  /** of those that serve */
  get consoles(): readonly string[] {
    if (this.all.length > PAIR) return this.all.map(({ console }) => console)
    return this.serving === undefined ? [] : [this.serving.console]
  }

  get pids(): readonly number[] {
    return this.all.map(({ process }) => process.pid)
  }

  /** Lines of all logs that processes in good health do not write, since the last call. */
  takeFaults(): string[] {
    return this.all.flatMap(({ process }) => process.faults.splice(0))
  }

  /** how often nodes ended by themselves */
  get endings(): number {
    return this.all.reduce((sum, { endings }) => sum + endings, 0)
  }

  /** What is still missing after so many milliseconds: a node that stood still until now may find only now that it has to end. */
  async lastingProblem(patience: number): Promise<string | undefined> {
    const deadline = performance.now() + patience
    for (;;) {
      const problem = await this.problem()
      if (problem === undefined || performance.now() > deadline || this.#signal.aborted) return problem
      await pause(50, this.#signal)
    }
  }

  /** What is missing when all troubles are over; undefined: nothing. */
  async problem(): Promise<string | undefined> {
    const down = this.all.find(({ process }) => !process.running)
    if (down !== undefined && this.balancer === undefined) return 'the gateway ended by itself'
    if (down !== undefined) return `the node ${down.name} does not run`
    if (this.balancer === undefined) return undefined
    const ready = await Promise.all(this.all.map(isReady))
    const count = ready.filter(Boolean).length
    // Of a pair one has everything, and the other waits.
    const expected = this.isPair ? 1 : this.all.length
    if (count !== expected) return `${count} of ${this.all.length} nodes are ready`
    return this.isPair ? undefined : unsettledOf(this.all)
  }

  async #supervise(node: GatewayNode): Promise<void> {
    while (!this.#signal.aborted) {
      if (!node.isAway && !node.process.running) {
        node.endings += 1
        await node.ways.links?.nodeIsGone()
        await pause(RESTART, this.#signal)
        if (this.#signal.aborted || node.isAway) continue
        // who cannot start now, since the engine is away for instance, is started again
        await node.start().catch(() => {})
        node.isAway = false
      }
      await pause(20, this.#signal)
    }
  }
}
