// The sensor's connection to its gateway: socket, state [6.14], what waits for an answer [6.13], what arrives.

import type { EventEmitter } from 'node:events'
import { decodeFrame, encode, encodeFrame } from '../codec/v1/frame.ts'
import type { Packet } from '../codec/v1/messages.ts'
import { rejection, SensorError } from './failure.ts'
import { Inbound } from './inbound.ts'
import { KeepAlive } from './keep-alive.ts'
import { Lane, type Request } from './lane.ts'
import type { ResolvedOptions, SensorEvents, SensorState } from './options.ts'
import { pingRequest } from './requests.ts'
import { isSecure } from './security.ts'
import { Topics } from './topics.ts'
import { openUdp, type SensorTransport } from './udp.ts'

/** Kinds of request: each has one outstanding at a time. */
export type LaneName = 'control' | 'register' | 'publish' | 'subscribe' | 'will' | 'ping'

/** The part of a Sensor that its methods share; not public. */
export class Connection {
  readonly options: ResolvedOptions
  readonly topics: Topics
  readonly #inbound: Inbound
  readonly #keepAlive: KeepAlive
  readonly #events: EventEmitter<SensorEvents>
  readonly #lanes: Record<LaneName, Lane>
  #transport: SensorTransport | undefined
  #opening: Promise<void> | undefined
  #state: SensorState = 'disconnected'
  #lastMsgId = 0
  /** until then a DISCONNECT may be the second answer to a request of ours that was repeated */
  #lateAnswersUntil = 0

  constructor(options: ResolvedOptions, events: EventEmitter<SensorEvents>) {
    this.options = options
    this.#events = events
    this.topics = new Topics(options.predefined)
    const { tRetry, nRetry } = options
    const port = { tRetry, nRetry, send: (packet: Packet) => this.send(packet) }
    this.#inbound = new Inbound({
      topics: this.topics,
      send: port.send,
      deliver: (message) => events.emit('message', message),
    })
    const giveUp = () => this.#drop('timeout')
    this.#lanes = {
      control: new Lane(port, giveUp),
      register: new Lane(port, giveUp),
      publish: new Lane(port, giveUp),
      subscribe: new Lane(port, giveUp),
      will: new Lane(port, giveUp),
      // A sleeper that gets no PINGRESP goes back to sleep [6.14].
      ping: new Lane(port, () => (this.#state === 'awake' ? this.#sleepOn() : giveUp())),
    }
    this.#keepAlive = new KeepAlive(options.autoPing ? options.keepAlive : 0, (patience) => {
      const request = { ...pingRequest(null, () => {}), tRetry: Math.min(patience, tRetry) }
      // Silence is reported by the event `disconnected`.
      this.request('ping', request).catch(() => {})
    })
  }

  get state(): SensorState {
    return this.#state
  }

  /** Opens the socket at the first call; at dtls:// there is a session afterwards. */
  async open(): Promise<void> {
    if (this.#state === 'closed') throw this.wrongState('close() was called')
    this.#opening ??= this.#attach().catch((error: unknown) => {
      this.#opening = undefined
      throw error
    })
    await this.#opening
    await this.ready()
  }

  /** Makes a handshake where there should be a DTLS session and is none. */
  async ready(): Promise<void> {
    await this.#transport?.ready?.()
  }

  /** Closes the socket; all that waits rejects. */
  close(): void {
    if (this.#state === 'closed') return
    this.enter('closed')
    this.failAll(new SensorError('closed', 'close() was called'))
    this.#transport?.close()
  }

  /** Sends one message. Throws SensorError `too-long` or `invalid`. */
  send(packet: Packet): void {
    const bytes = this.#encode(packet)
    this.#events.emit('packet', 'out', packet)
    this.#transport?.send(bytes)
  }

  /** Sends a request when its turn has come, repeats it until it is answered. */
  request<T>(lane: LaneName, request: Request<T>): Promise<T> {
    return this.#lanes[lane].request(request)
  }

  /** Rejects all that waits for an answer. */
  failAll(error: SensorError): void {
    for (const lane of Object.values(this.#lanes)) lane.fail(error)
  }

  /** CONNACK arrived: the sensor is active, with nothing left of earlier sessions if it asked so [6.3]. */
  accepted(cleanSession: boolean): void {
    if (cleanSession) {
      this.topics.reset()
      this.#inbound.reset()
    }
    this.enter('active')
  }

  /** The answer to our DISCONNECT arrived; more may come if we had to repeat it. */
  left(to: 'asleep' | 'disconnected'): void {
    if (this.#lanes.control.sends > 1) this.#lateAnswersUntil = performance.now() + this.options.tRetry
    this.enter(to)
    // Answers that come from now on would find the radio off.
    for (const lane of ['register', 'publish', 'subscribe', 'will', 'ping'] as const) {
      this.#lanes[lane].fail(new SensorError('disconnected', `the sensor is ${to}`))
    }
  }

  /** Changes the state, and with it whether the keep-alive time is watched. */
  enter(state: SensorState): void {
    const from = this.#state
    if (from === state) return
    this.#state = state
    if (state === 'active') this.#keepAlive.start()
    else this.#keepAlive.stop()
    this.#events.emit('state', state, from)
  }

  /** 1 to 65535 in turn; 0 is for messages without acknowledgement [5.3.7]. */
  nextMsgId(): number {
    this.#lastMsgId = (this.#lastMsgId % 0xffff) + 1
    return this.#lastMsgId
  }

  /** Throws SensorError unless there is a connection. */
  needActive(): void {
    if (this.#state !== 'active') throw this.wrongState(`the sensor is ${this.#state}`)
  }

  /** The error for a call that this state does not allow. */
  wrongState(message: string): SensorError {
    return new SensorError(this.#state === 'closed' ? 'closed' : 'not-connected', message)
  }

  async #attach(): Promise<void> {
    const { transport = await this.#openTransport() } = this.options
    if (this.#state === 'closed') {
      transport.close()
      throw this.wrongState('close() was called')
    }
    transport.onReceive = (bytes) => this.#receive(bytes)
    transport.onError = (error) => this.#report(new SensorError('transport', error.message))
    transport.onEnded = () => this.#drop('gateway')
    transport.onSecured = (session) => this.#events.emit('secured', session)
    this.#transport = transport
  }

  async #openTransport(): Promise<SensorTransport> {
    const { gateway, bind } = this.options
    if (!isSecure(gateway)) return openUdp(gateway, bind)
    return (await import('./dtls.ts')).openDtls(gateway, bind, this.options, this.options)
  }

  #encode(packet: Packet): Uint8Array {
    const { nodeId, maxMessage } = this.options
    const what = packet.type.toUpperCase()
    if (packet.type === 'publish' && packet.data.length > maxMessage) {
      throw new SensorError('too-long', `${what} of ${packet.data.length} octets, the limit is ${maxMessage}`)
    }
    let bytes: Uint8Array
    try {
      bytes = nodeId === undefined ? encode(packet) : encodeFrame(packet, nodeId)
    } catch (error) {
      throw new SensorError('invalid', `${what}: ${error instanceof Error ? error.message : error}`)
    }
    if (bytes.length <= maxMessage) return bytes
    throw new SensorError('too-long', `${what} of ${bytes.length} octets, the limit is ${maxMessage}`)
  }

  #receive(bytes: Uint8Array): void {
    if (this.#state === 'closed') return
    const { packet, nodeId } = decodeFrame(bytes)
    if (!sameNode(nodeId, this.options.nodeId)) return
    this.#events.emit('packet', 'in', packet)
    if (packet.type === 'malformed') this.#report(new SensorError('malformed', packet.reason))
    else if (packet.type === 'disconnect') this.#onDisconnect(packet)
    else if (this.#answers(packet)) this.#keepAlive.heard()
    else if (this.#listens()) this.#onUnasked(packet)
  }

  /** True if some request was waiting for this message. */
  #answers(packet: Packet): boolean {
    const lanes = this.#lanes
    return (
      lanes.publish.receive(packet) ||
      lanes.register.receive(packet) ||
      lanes.ping.receive(packet) ||
      lanes.subscribe.receive(packet) ||
      lanes.control.receive(packet) ||
      lanes.will.receive(packet)
    )
  }

  /** While it sleeps or is disconnected a real sensor has its radio off. */
  #listens(): boolean {
    return this.#state === 'active' || this.#state === 'awake' || this.#state === 'connecting'
  }

  #onUnasked(packet: Packet): void {
    // A sleeper's PINGREQ is repeated only after T_retry of silence [6.14].
    if (this.#state === 'awake') this.#lanes.ping.touch()
    if (this.#inbound.receive(packet) || packet.type !== 'puback' || packet.returnCode === 0) return
    // PUBACK to a QoS 0 message, which nobody waits for: it tells of an error [6.6].
    if (packet.returnCode === 2) this.topics.forget(packet.topicId)
    this.#report(rejection(`PUBLISH with topic id ${packet.topicId}`, packet.returnCode))
  }

  #onDisconnect(packet: Packet): void {
    if (this.#lanes.control.receive(packet) || !this.#listens()) return
    if (performance.now() >= this.#lateAnswersUntil) this.#drop('gateway')
  }

  #sleepOn(): void {
    this.#transport?.doubt?.()
    this.enter('asleep')
  }

  /** The connection is gone, unasked. */
  #drop(why: 'gateway' | 'timeout'): void {
    if (this.#state === 'connecting') this.#transport?.doubt?.()
    const established = this.#state === 'active' || this.#state === 'asleep' || this.#state === 'awake'
    this.enter('disconnected')
    this.failAll(new SensorError('disconnected', why === 'gateway' ? 'ended by the gateway' : 'no answer'))
    if (established) this.#events.emit('disconnected', why)
  }

  #report(error: SensorError): void {
    if (this.#events.listenerCount('error') > 0) this.#events.emit('error', error)
  }
}

const sameNode = (a: Uint8Array | undefined, b: Uint8Array | undefined): boolean =>
  a === undefined || b === undefined ? a === b : Buffer.compare(a, b) === 0
