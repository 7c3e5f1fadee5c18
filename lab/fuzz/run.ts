// A fuzz run: broken datagrams over real UDP against a real gateway on its embedded broker [SN-COD-5, SN-ROB-3].

import { decodeFrame, encodeFrame } from '../../src/codec/v1/frame.ts'
import type { Packet } from '../../src/codec/v1/messages.ts'
import { loadConfig } from '../../src/config/load.ts'
import type { Counters } from '../../src/gateway/counters.ts'
import { Gateway } from '../../src/gateway/gateway.ts'
import type { Log } from '../../src/log.ts'
import { pause } from '../../src/sensor/pause.ts'
import { Sensor } from '../../src/sensor/sensor.ts'
import type { Peer } from '../../src/session/peers.ts'
import { below, mutateDatagram, type Random, readSeeds, seeded } from './mutation.ts'
import { Source } from './source.ts'

/** Fresh sockets per round, and sockets that stay and connect again and again. */
const STRANGERS = 24
const SENSORS = 8
/** Datagrams that each of them sends per round. */
const BURST = 8
/** What may be on its way to the gateway: less than the smallest receive buffer that systems grant. */
const MOST_UNDERWAY = 64
const MOST_OCTETS_UNDERWAY = 100_000
/** How long the gateway may take to receive what was sent, milliseconds. */
const PATIENCE = 10_000

export interface FuzzOptions {
  readonly datagrams: number
  readonly seed: number
  /** of the gateway */
  readonly log?: Log
  readonly onRound?: (report: FuzzReport) => void
}

export interface FuzzReport {
  /** datagrams sent, and those that the gateway could decode */
  sent: number
  decoded: number
  /** addresses that sent something, and those that never had a session */
  sources: number
  strangers: number
  /** octets from and to the latter */
  strangerOctets: { sent: number; received: number }
  /** CONNECTs that came to a session */
  sessions: number
  /** what is wrong; empty = all is well */
  readonly failures: string[]
}

/** Runs until so many datagrams were sent or something is wrong. */
export async function fuzzGateway(options: FuzzOptions): Promise<FuzzReport> {
  const gateway = new Gateway(configuration(), options.log && { log: options.log })
  await gateway.start()
  try {
    return await new FuzzRun(gateway, options).run()
  } finally {
    await gateway.stop()
  }
}

/** Rates for strangers are raised, so that every datagram gets the answer that it can get; times are short. */
function configuration() {
  const many = 1_000_000
  return loadConfig({
    env: {},
    overrides: {
      listeners: [{ url: 'udp://127.0.0.1:0', forwarders: ['127.0.0.1'], roaming: 'any' }],
      broker: { url: 'embedded', connectsPerSecond: 100_000 },
      predefined: { 1: 'fuzz/one', 5: 'fuzz/five', 7: 'fuzz/seven' },
      qosMinusOne: { perAddress: many },
      timers: { tRetry: '100ms', nRetry: 2, tWait: '1s', keepSessions: '1s', answer: '1s', awake: '1s' },
      limits: { sensors: 400, connectsPerAddress: many, repliesPerAddress: many, repliesPerPeer: many },
      store: { type: 'memory' },
      log: { level: 'error' },
    },
  }).config
}

class FuzzRun {
  readonly #gateway: Gateway
  readonly #options: FuzzOptions
  /** counts on; asking for a whole status takes long */
  readonly #counters: Counters
  readonly #random: Random
  readonly #seeds = readSeeds()
  readonly #port: number
  readonly #open = new Map<string, Source>()
  readonly #report: FuzzReport = {
    sent: 0,
    decoded: 0,
    sources: 0,
    strangers: 0,
    strangerOctets: { sent: 0, received: 0 },
    sessions: 0,
    failures: [],
  }
  #octetsUnderway = 0
  #last: Uint8Array[] = []

  constructor(gateway: Gateway, options: FuzzOptions) {
    this.#gateway = gateway
    this.#options = options
    this.#random = seeded(options.seed)
    const { counters, listeners } = gateway.status()
    this.#counters = counters
    this.#port = Number(new URL(listeners[0]?.url ?? '').port)
    gateway.observe({
      received: (_, peer, session) => {
        this.#report.decoded += 1
        if (session !== undefined) this.#markConnected(peer)
      },
      effect: (effect) => {
        if (effect.type === 'connect') this.#report.sessions += 1
        if (effect.type === 'changed' && effect.session.peer) this.#markConnected(effect.session.peer)
        // A session may come here without a change of its state: taken over in the middle of a setup, or moved.
        if (effect.type === 'send' && gateway.sessions.byPeer.has(effect.peer.key)) {
          this.#markConnected(effect.peer)
        }
      },
    })
  }

  async run(): Promise<FuzzReport> {
    const { datagrams, onRound } = this.#options
    const report = this.#report
    const sensors = await this.#openSources(SENSORS)
    let before: Source[] = []
    while (report.sent < datagrams && report.failures.length === 0) {
      const strangers = await this.#openSources(STRANGERS)
      for (const [index, sensor] of sensors.entries()) this.#greet(sensor, index)
      for (let turn = 0; turn < BURST; turn++) {
        for (const source of sensors) await this.#send(source, this.#fromSensor(source))
        for (const source of strangers) await this.#send(source, mutateDatagram(this.#seeds, this.#random))
      }
      await this.#followed()
      // One round later, so that late answers are seen, too.
      await this.#close(before)
      before = strangers
      this.#check()
      onRound?.(report)
    }
    await this.#close([...before, ...sensors])
    await this.#serves()
    return report
  }

  async #openSources(count: number): Promise<Source[]> {
    const sources = await Promise.all(Array.from({ length: count }, () => Source.open(this.#port)))
    for (const source of sources) this.#open.set(source.key, source)
    return sources
  }

  /** What a sensor says that sends broken datagrams later: so they meet sessions in all states. */
  #greet(source: Source, index: number): void {
    const will = this.#random() < 0.3
    const cleanSession = this.#random() < 0.5
    const clientId = `sensor-${index}`
    const words: Packet[] = [{ type: 'connect', will, cleanSession, protocolId: 1, duration: 60, clientId }]
    const subscription = { dup: false, qos: below(this.#random, 3) as 0 | 1 | 2, msgId: 1 }
    words.push({ type: 'subscribe', ...subscription, topicIdType: 'normal', topicName: '#' })
    if (this.#random() < 0.2) words.push({ type: 'disconnect', duration: 60 })
    for (const word of words) this.#put(source, encodeFrame(word))
  }

  /** Half of the time the right answer to the gateway, else something broken. */
  #fromSensor(source: Source): Uint8Array {
    const { answer } = source
    source.answer = undefined
    if (answer !== undefined && this.#random() < 0.7) return answer
    return mutateDatagram(this.#seeds, this.#random)
  }

  async #send(source: Source, bytes: Uint8Array): Promise<void> {
    this.#put(source, bytes)
    const underway = this.#report.sent - this.#counters.receivedDatagrams
    if (underway >= MOST_UNDERWAY || this.#octetsUnderway >= MOST_OCTETS_UNDERWAY) await this.#followed()
  }

  #put(source: Source, bytes: Uint8Array): void {
    source.send(bytes)
    this.#report.sent += 1
    this.#octetsUnderway += bytes.length
    this.#last.push(bytes)
    if (this.#last.length > MOST_UNDERWAY) this.#last = this.#last.slice(-MOST_UNDERWAY / 2)
  }

  /** Waits until the gateway has received everything: nothing may be lost in socket buffers unseen. */
  async #followed(): Promise<void> {
    const counters = this.#counters
    const deadline = performance.now() + PATIENCE
    while (counters.receivedDatagrams < this.#report.sent) {
      if (performance.now() > deadline) {
        this.#report.failures.push(
          `the gateway received ${counters.receivedDatagrams} of ${this.#report.sent} datagrams`,
        )
        break
      }
      await new Promise(setImmediate)
    }
    this.#octetsUnderway = 0
  }

  #markConnected({ address, port }: Peer): void {
    const source = this.#open.get(`${address}:${port}`)
    if (source !== undefined) source.connected = true
  }

  /** Ends what is connected from these sockets, forwarded nodes included, and closes the books on strangers. */
  async #close(sources: readonly Source[]): Promise<void> {
    for (const { peer } of [...this.#gateway.sessions.byPeer.values()]) {
      const source = peer && this.#open.get(`${peer.address}:${peer.port}`)
      if (peer === undefined || source === undefined || !sources.includes(source)) continue
      await this.#send(source, encodeFrame({ type: 'disconnect', duration: null }, peer.nodeId))
    }
    await this.#followed()
    for (const source of sources) {
      this.#account(source)
      source.close()
      this.#open.delete(source.key)
    }
  }

  #account(source: Source): void {
    const report = this.#report
    report.sources += 1
    if (source.connected) return
    report.strangers += 1
    report.strangerOctets.sent += source.sentOctets
    report.strangerOctets.received += source.receivedOctets
    if (source.receivedOctets > source.sentOctets) {
      report.failures.push(
        `a stranger sent ${source.sentOctets} octets and received ${source.receivedOctets} [SN-ROB-3]:\n${source.talk()}`,
      )
    }
    if (source.receivedDatagrams > source.sentDatagrams) {
      report.failures.push(
        `a stranger sent ${source.sentDatagrams} datagrams and received ${source.receivedDatagrams} [SN-COD-5]:\n${source.talk()}`,
      )
    }
  }

  #check(): void {
    const { faults } = this.#counters
    if (faults === 0) return
    const last = this.#last.map((bytes) => {
      const hex = Buffer.from(bytes.subarray(0, 100)).toString('hex')
      return `${hex} ${decodeFrame(bytes).packet.type}`
    })
    this.#report.failures.push(`${faults} internal errors; last datagrams:\n${last.join('\n')}`)
  }

  /** Checks that a sensor that follows the specification is served as usual. */
  async #serves(): Promise<void> {
    const gateway = this.#gateway.status().listeners[0]?.url ?? ''
    const ended = new AbortController()
    const sensor = new Sensor({ gateway, clientId: 'afterwards', tRetry: 1000 })
    try {
      await sensor.connect()
      await sensor.subscribe('afterwards', 1)
      const came = new Promise<string>((resolve) =>
        sensor.once('message', ({ payload }) => resolve(Buffer.from(payload).toString())),
      )
      await sensor.publish('afterwards', 'still here', { qos: 1 })
      const text = await Promise.race([came, pause(5000, ended.signal).then(() => 'nothing')])
      if (text !== 'still here') throw new Error(`it received ${text}`)
      await sensor.disconnect()
    } catch (error) {
      this.#report.failures.push(
        `a real sensor is not served: ${error instanceof Error ? error.message : error}`,
      )
    } finally {
      ended.abort()
      sensor.close()
    }
  }
}
