// An MQTT-SN 1.2 client: the sensor's side of chapter 6 over one UDP socket, plain or with DTLS. Public as `mqtt-sn-gateway/sensor`.

import { EventEmitter } from 'node:events'
import type { Connect, Filter, Publish, Qos, Subscribe } from '../codec/v1/messages.ts'
import { Connection } from './connection.ts'
import { SensorError } from './failure.ts'
import {
  checkSeconds,
  resolveOptions,
  type SensorEvents,
  type SensorOptions,
  type SensorState,
  type SensorWill,
  type Topic,
} from './options.ts'
import { pause } from './pause.ts'
import * as requests from './requests.ts'
import { withIdentityHint } from './security.ts'
import { addressOf } from './topics.ts'

export { type DiscoverOptions, discover, type FoundGateway } from './discover.ts'
export { SensorError, type SensorFailure } from './failure.ts'
export type * from './options.ts'
export type { Granted } from './requests.ts'
export type { SecuredSession, SecurityOptions, SensorResumption } from './security.ts'
export type { SensorTransport } from './udp.ts'

/**
 * One MQTT-SN client. Promises reject with `SensorError`; a call whose kind of request is already outstanding waits
 * for its turn. The specification's T_WAIT after `rejected` with ReturnCode 1 is left to the caller.
 */
export class Sensor extends EventEmitter<SensorEvents> {
  readonly #connection: Connection
  readonly #registering = new Map<string, Promise<number>>()
  #leaving: Promise<void> | undefined

  /** Nothing is sent or opened yet. Throws SensorError `invalid`. */
  constructor(options: SensorOptions = {}) {
    super()
    this.#connection = new Connection(resolveOptions(options), this)
  }

  get clientId(): string {
    return this.#connection.options.clientId
  }

  get state(): SensorState {
    return this.#connection.state
  }

  /**
   * Connects, with the will if there is one; resolves at CONNACK [6.2]. From sleep it resumes the session: it sends
   * neither clean session nor will unless `flags` say so [6.14].
   */
  async connect(flags: { cleanSession?: boolean; will?: boolean } = {}): Promise<void> {
    const connection = this.#connection
    const { clientId, keepAlive: duration, ...options } = connection.options
    await connection.open()
    const resume = this.state === 'asleep' || this.state === 'awake'
    const will = (flags.will ?? !resume) ? options.will : undefined
    const cleanSession = flags.cleanSession ?? (options.cleanSession && !resume)
    const about = { will: will !== undefined, cleanSession, protocolId: 1, duration, clientId }
    const packet: Connect = { type: 'connect', ...about }
    connection.failAll(new SensorError('disconnected', 'a new connection is being set up'))
    connection.enter('connecting')
    const onAccepted = () => connection.accepted(cleanSession)
    try {
      await connection.request('control', requests.connectRequest(packet, will, onAccepted))
    } catch (error) {
      if (this.state === 'connecting') connection.enter('disconnected')
      throw withIdentityHint(error, connection.options)
    }
  }

  /** Registers a topic name and resolves with its topic id; a known name is not registered again [6.5]. */
  async register(topicName: string): Promise<number> {
    const connection = this.#connection
    connection.needActive()
    const known = connection.topics.idOf(topicName) ?? this.#registering.get(topicName)
    if (known !== undefined) return known
    const request = requests.registerRequest(topicName, connection.nextMsgId(), (topicId) =>
      connection.topics.learn(topicId, topicName),
    )
    const registering = connection.request('register', request)
    this.#registering.set(topicName, registering)
    try {
      return await registering
    } finally {
      this.#registering.delete(topicName)
    }
  }

  /**
   * Publishes. QoS 1 and 2 resolve when acknowledged to the end, QoS 0 and -1 when sent. A name is registered at its
   * first use, and once more if the gateway has forgotten its id. QoS -1 takes no name and needs no connection [6.8].
   */
  async publish(
    topic: Topic,
    payload: string | Uint8Array,
    { qos = 0, retain = false }: { qos?: Qos; retain?: boolean } = {},
  ): Promise<void> {
    const message = { dup: false, qos, retain, data: requests.octets(payload) }
    if (qos !== -1) this.#connection.needActive()
    else if (typeof topic !== 'string') await this.#connection.open()
    else throw new SensorError('invalid', 'QoS -1 takes a predefined id or a short topic name only [6.8]')
    try {
      await this.#publishOnce(topic, message)
    } catch (error) {
      const forgotten = error instanceof SensorError && error.returnCode === 2 && typeof topic === 'string'
      if (!forgotten) throw error
      await this.#publishOnce(topic, message)
    }
    this.emit('published', { topic, payload: message.data, qos, retain })
  }

  /** Subscribes; resolves with the granted QoS and, without wildcard, the topic id [6.9]. */
  async subscribe(filter: Topic, qos: 0 | 1 | 2 = 0): Promise<requests.Granted> {
    const connection = this.#connection
    connection.needActive()
    const msgId = connection.nextMsgId()
    const packet: Subscribe = { type: 'subscribe', dup: false, qos, msgId, ...filterOf(filter) }
    const request = requests.subscribeRequest(packet, ({ topicId }) => {
      if (packet.topicIdType === 'predefined') connection.topics.learnPredefined(packet.topicId)
      if (packet.topicIdType === 'normal' && topicId !== 0) connection.topics.learn(topicId, packet.topicName)
    })
    return connection.request('subscribe', request)
  }

  /** Ends a subscription [6.9]. */
  async unsubscribe(filter: Topic): Promise<void> {
    this.#connection.needActive()
    const request = requests.unsubscribeRequest(filterOf(filter), this.#connection.nextMsgId())
    await this.#connection.request('subscribe', request)
  }

  /** Asks the gateway whether it is there [6.11]. */
  async ping(): Promise<void> {
    this.#connection.needActive()
    await this.#connection.request(
      'ping',
      requests.pingRequest(null, () => {}),
    )
  }

  /** Announces sleep of at most `seconds` until the next wake(); also changes the time of a sleeper [6.14]. */
  async sleep(seconds: number): Promise<void> {
    const connection = this.#connection
    checkSeconds('sleep', seconds, 1)
    if (this.state !== 'asleep') connection.needActive()
    const request = requests.disconnectRequest(seconds, () => connection.left('asleep'))
    await connection.request('control', request)
  }

  /**
   * Fetches what the gateway holds for this sleeper: PINGREQ with ClientId; resolves at PINGRESP, asleep again. The
   * messages come as events meanwhile. After a timeout the sensor is asleep again and may try later [6.14].
   */
  async wake(): Promise<void> {
    const connection = this.#connection
    if (this.state !== 'asleep') throw connection.wrongState('wake() needs a sleeping sensor')
    connection.enter('awake')
    try {
      await connection.ready()
    } catch (error) {
      if (connection.state === 'awake') connection.enter('asleep')
      throw error
    }
    const request = requests.pingRequest(this.clientId, () => connection.enter('asleep'))
    await connection.request('ping', request)
  }

  /** Replaces topic, QoS and retain flag of the will [6.4]. */
  async updateWillTopic(topic: string, flags: Pick<SensorWill, 'qos' | 'retain'> = {}): Promise<void> {
    this.#connection.needActive()
    await this.#connection.request('will', requests.willTopicRequest({ ...flags, topic }))
  }

  /** Replaces the message of the will [6.4]. */
  async updateWillMessage(message: string | Uint8Array): Promise<void> {
    this.#connection.needActive()
    await this.#connection.request('will', requests.willMessageRequest(message))
  }

  /** Deletes the will: topic and message [6.4]. */
  async deleteWill(): Promise<void> {
    this.#connection.needActive()
    await this.#connection.request('will', requests.willTopicRequest(undefined))
  }

  /** Ends the connection properly, so that the will is not published [6.12]. Calls still open reject. */
  async disconnect(): Promise<void> {
    const connection = this.#connection
    if (this.state === 'closed' || this.state === 'disconnected') return
    if (this.#leaving === undefined) {
      connection.failAll(new SensorError('disconnected', 'disconnect() was called'))
      const request = requests.disconnectRequest(null, () => connection.left('disconnected'))
      this.#leaving = connection.request('control', request).finally(() => {
        this.#leaving = undefined
      })
    }
    await this.#leaving
  }

  /** Disconnects as far as that succeeds within `patience` milliseconds, then closes; never rejects. */
  async end(patience = 1000): Promise<void> {
    const enough = new AbortController()
    const gone = this.disconnect().catch(() => {})
    await Promise.race([gone, pause(patience, enough.signal)])
    enough.abort()
    this.close()
  }

  /** Closes the socket without a word to the gateway, which will take a connected sensor for lost. */
  close(): void {
    this.#connection.close()
  }

  async #publishOnce(topic: Topic, message: Pick<Publish, 'dup' | 'qos' | 'retain' | 'data'>): Promise<void> {
    const connection = this.#connection
    const address =
      typeof topic === 'string'
        ? { topicIdType: 'normal' as const, topicId: await this.register(topic) }
        : addressOf(topic)
    if (message.qos < 1) {
      connection.send({ type: 'publish', msgId: 0, ...address, ...message })
      return
    }
    const packet: Publish = { type: 'publish', msgId: connection.nextMsgId(), ...address, ...message }
    try {
      await connection.request('publish', requests.publishRequest(packet))
    } catch (error) {
      const unknown = error instanceof SensorError && error.returnCode === 2
      if (unknown && address.topicIdType === 'normal') connection.topics.forget(address.topicId)
      throw error
    }
  }
}

function filterOf(topic: Topic): Filter {
  return typeof topic === 'string' ? { topicIdType: 'normal', topicName: topic } : addressOf(topic)
}
