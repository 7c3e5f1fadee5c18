// Two nodes of a cluster as processes of their own, at addresses of their own, with one database and one broker; and sensors that know
// both addresses.

import { type ChildProcess, spawn } from 'node:child_process'
import { connectAsync } from 'mqtt'
import { onTestFinished } from 'vitest'
import type { PostgresEngine } from '../../lab/postgres/engine.ts'
import type { Packet, PacketType } from '../../src/codec/v1/messages.ts'
import { directoryWith } from '../config/files.ts'
import { freePort, type RestartableBroker, startMosquitto } from './broker.ts'
import { aWhile, until } from './gateway.ts'
import { startPostgres } from './postgres.ts'
import { command } from './process.ts'
import { compiledProgram } from './program.ts'
import { UdpPeer } from './sensor.ts'

/** Milliseconds: short, so that tests are, and long enough for a machine that is busy. */
export const LEASE = 3000

/** Milliseconds that starting takes on a machine that is busy with other things. */
export const CLUSTER_START = 120_000

interface Line {
  readonly level: string
  readonly msg: string
  readonly console?: string
}

/** What the health check says. */
export interface Ready {
  readonly status: number
  readonly reasons: readonly string[]
}

/** One node. */
export class NodeProcess {
  readonly name: string
  readonly address: string
  readonly console: string
  readonly child: ChildProcess
  readonly exited: Promise<number | null>
  #output = ''
  errors = ''

  constructor(name: string, address: string, consolePort: number, config: object, compiled = false) {
    this.name = name
    this.address = address
    this.console = `http://127.0.0.1:${consolePort}`
    const directory = directoryWith({ 'c.json': config })
    const program = compiled ? [compiledProgram, 'gateway'] : command
    this.child = spawn(process.execPath, [...program, '--config', 'c.json'], {
      cwd: directory,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.exited = new Promise((done) => this.child.once('exit', done))
    this.child.stdout?.on('data', (chunk: Buffer) => {
      this.#output += chunk
    })
    this.child.stderr?.on('data', (chunk: Buffer) => {
      this.errors += chunk
    })
  }

  get lines(): readonly Line[] {
    return this.#output
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line))
  }

  /** Waits until it has said that. */
  async said(text: string, milliseconds = 60_000): Promise<Line> {
    const found = () => this.lines.find(({ msg }) => msg.includes(text))
    await until(() => found() !== undefined || this.child.exitCode !== null, milliseconds).catch(() => {})
    const line = found()
    if (line === undefined)
      throw new Error(`${this.name} has not said: ${text}\n${this.#output}${this.errors}`)
    return line
  }

  async ready(): Promise<Ready> {
    const response = await fetch(`${this.console}/health/ready`)
    const { reasons } = (await response.json()) as Ready
    return { status: response.status, reasons }
  }

  async isReady(milliseconds = 20_000): Promise<void> {
    const deadline = performance.now() + milliseconds
    for (;;) {
      const { status, reasons } = await this.ready().catch(() => ({ status: 0, reasons: ['no answer'] }))
      if (status === 200) return
      if (performance.now() > deadline) throw new Error(`${this.name} is not ready: ${reasons}`)
      await new Promise((done) => setTimeout(done, 50))
    }
  }

  /** Waits until it has said so, and can be asked. */
  async standsBy(): Promise<void> {
    await this.said('standing by')
    await this.isAsked()
  }

  /** Waits until its console answers. */
  async isAsked(): Promise<void> {
    for (let isThere = false; !isThere; ) {
      isThere = await this.ready().then(
        () => true,
        () => aWhile(50).then(() => this.child.exitCode !== null),
      )
    }
  }

  signal(name: NodeJS.Signals): void {
    this.child.kill(name)
  }

  async end(): Promise<void> {
    this.child.kill('SIGKILL')
    await this.exited
  }
}

/** A database, a broker, and nodes on demand. */
export class Pair {
  readonly engine: PostgresEngine
  readonly broker: RestartableBroker
  readonly #port: number
  /** what the broker has published, as `topic text` */
  readonly published: string[]
  readonly publish: (topic: string, text: string, qos: 0 | 1 | 2) => Promise<unknown>

  private constructor(
    engine: PostgresEngine,
    broker: RestartableBroker,
    port: number,
    published: string[],
    publish: Pair['publish'],
  ) {
    this.engine = engine
    this.broker = broker
    this.#port = port
    this.published = published
    this.publish = publish
  }

  static async open({ standby = false } = {}): Promise<Pair> {
    const engine = await startPostgres({ standby })
    const broker = await startMosquitto()
    onTestFinished(() => broker.close())
    const published: string[] = []
    const client = await connectAsync(broker.url, { protocolVersion: 5 })
    onTestFinished(() => client.endAsync(true))
    client.on('message', (topic, payload) => published.push(`${topic} ${payload}`))
    await client.subscribeAsync('up/#', { qos: 2 })
    await client.subscribeAsync('will/#', { qos: 2 })
    return new Pair(engine, broker, await freePort(), published, (topic, text, qos) =>
      client.publishAsync(topic, text, { qos }),
    )
  }

  /** Starts a node: `n` is the last number of its address. */
  async node(n: number, { more = {}, compiled = false }: { more?: object; compiled?: boolean } = {}) {
    const address = `127.0.0.${n}`
    const name = `gw-${n}`
    const consolePort = await freePort()
    const node = new NodeProcess(
      name,
      address,
      consolePort,
      {
        listeners: [{ name: 'field', url: `udp://${address}:${this.#port}` }],
        broker: { url: this.broker.url, version: '5', absence: '30s' },
        store: { type: 'postgres', url: this.engine.url },
        cluster: { node: name, lease: `${LEASE}ms` },
        console: { url: `http://127.0.0.1:${consolePort}` },
        log: { format: 'json', level: 'info' },
        timers: { tRetry: '1s' },
        ...more,
      },
      compiled,
    )
    onTestFinished(() => node.end())
    return node
  }

  /** Both, the first of which serves. */
  async nodes(options: { more?: object; compiled?: boolean } = {}): Promise<[NodeProcess, NodeProcess]> {
    const active = await this.node(11, options)
    await active.isReady(60_000)
    const standby = await this.node(12, options)
    await standby.standsBy()
    return [active, standby]
  }

  async sensor(at: NodeProcess): Promise<ClusterSensor> {
    const peer = await UdpPeer.open()
    onTestFinished(() => peer.close())
    return new ClusterSensor(peer, this.#port, at)
  }
}

/** A sensor that repeats what is not answered, every second, to whichever node it is pointed at. */
export class ClusterSensor {
  readonly peer: UdpPeer
  readonly #port: number
  #msgId = 0

  constructor(peer: UdpPeer, port: number, at: NodeProcess) {
    this.peer = peer
    this.#port = port
    this.turnTo(at)
  }

  turnTo({ address }: NodeProcess): void {
    this.peer.remote = { address, port: this.#port }
  }

  nextId(): number {
    this.#msgId += 1
    return this.#msgId
  }

  /** Sends until it is answered; resolves to the answer. */
  async ask<T extends PacketType>(
    packet: Packet,
    answer: T,
    milliseconds = 30_000,
  ): Promise<Packet & { type: T }> {
    const deadline = performance.now() + milliseconds
    const { remote } = this.peer
    for (let isRepeated = false; ; isRepeated = true) {
      this.peer.remote = remote
      this.peer.send(isRepeated && 'dup' in packet ? { ...packet, dup: true } : packet)
      const answered = await this.peer.next(answer, 1000).catch(() => undefined)
      if (answered !== undefined) return answered
      if (performance.now() > deadline)
        throw new Error(`no ${answer} within ${milliseconds} ms: ${this.peer.types()}`)
    }
  }

  async connect(
    clientId: string,
    { will, duration = 60 }: { will?: string; duration?: number } = {},
  ): Promise<void> {
    const connect: Packet = {
      type: 'connect',
      will: will !== undefined,
      cleanSession: false,
      protocolId: 1,
      duration,
      clientId,
    }
    if (will === undefined) {
      await this.ask(connect, 'connack')
      return
    }
    await this.ask(connect, 'willtopicreq')
    await this.ask({ type: 'willtopic', qos: 1, retain: false, willTopic: will }, 'willmsgreq')
    await this.ask({ type: 'willmsg', willMsg: Buffer.from('gone') }, 'connack')
  }

  /** As often as it is told to try later. */
  async register(topicName: string): Promise<number> {
    for (;;) {
      const register: Packet = { type: 'register', topicId: 0, msgId: this.nextId(), topicName }
      const { topicId, returnCode } = await this.ask(register, 'regack')
      if (returnCode === 0) return topicId
      await aWhile(500)
    }
  }

  async subscribe(topicName: string, qos: 0 | 1 | 2): Promise<void> {
    await this.ask(
      { type: 'subscribe', dup: false, qos, msgId: this.nextId(), topicIdType: 'normal', topicName },
      'suback',
    )
  }

  publication(topicId: number, text: string, qos: 1 | 2): Packet & { type: 'publish' } {
    const flags = { dup: false, qos, retain: false, topicIdType: 'normal' } as const
    return { type: 'publish', ...flags, topicId, msgId: this.nextId(), data: Buffer.from(text) }
  }

  async publish(topicId: number, text: string): Promise<number> {
    const { returnCode } = await this.ask(this.publication(topicId, text, 1), 'puback')
    return returnCode
  }
}
