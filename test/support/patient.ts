// A well-behaved sensor in virtual time: it answers what the gateway asks and repeats what is not answered [6.13], over air
// that may lose, repeat and delay datagrams.

import type { Packet, PacketType, Publish } from '../../src/codec/v1/messages.ts'
import { bytes, text, type VirtualSensor, type World } from './world.ts'

/** What becomes of a datagram: after how many milliseconds its copies arrive; none: it is lost. `index` counts from 0. */
export type Air = (index: number) => readonly number[]

/** Nothing is lost. */
export const clearAir: Air = () => [2]

/** A message that the application of the sensor got. */
export interface Received {
  readonly topic: string
  readonly text: string
  readonly qos: number
}

/** What a gateway sends of its own accord. */
export const unasked: ReadonlySet<PacketType> = new Set([
  'publish', 'register', 'pubrel', 'pingreq', 'willtopicreq', 'willmsgreq',
]) // biome-ignore format: one line reads better

/** The will that the sensor gives when it is asked for one. */
const WILL = { topic: 'gone', message: 'dev1' }
const T_RETRY = 10_000
const N_RETRY = 8
/** how closely it looks at the clock, in milliseconds */
const STEP = 100

/** What a sensor without any trouble answers to a message of the gateway; undefined where no answer belongs. */
export function answerTo(packet: Packet, returnCode = 0): Packet | undefined {
  switch (packet.type) {
    case 'register': {
      const { topicId, msgId } = packet
      return { type: 'regack', topicId, msgId, returnCode }
    }
    case 'publish': {
      const { topicId, msgId, qos } = packet
      if (qos === 1 || returnCode !== 0) return { type: 'puback', topicId, msgId, returnCode }
      return qos === 2 ? { type: 'pubrec', msgId } : undefined
    }
    case 'pubrel':
      return { type: 'pubcomp', msgId: packet.msgId }
    case 'willtopicreq':
      return { type: 'willtopic', qos: 1, retain: false, willTopic: WILL.topic }
    case 'willmsgreq':
      return { type: 'willmsg', willMsg: bytes(WILL.message) }
    case 'pingreq':
      return { type: 'pingresp' }
    default:
      return undefined
  }
}

/** The sensor. Its methods return when the exchange is complete, and throw when it could not be completed. */
export class PatientSensor {
  readonly received: Received[] = []
  /** topic names by normal id, as far as it was told */
  readonly names = new Map<number, string>()
  /** what came unasked while it slept */
  readonly disturbances: PacketType[] = []
  /** datagrams so far, in both directions */
  datagrams = 0
  readonly #world: World
  readonly #air: Air
  readonly #peer: VirtualSensor['peer']
  readonly #clientId: string
  /** repeats the last message of a connection setup, as some clients do, instead of CONNECT */
  readonly #repeatsLast: boolean
  #state: 'off' | 'setup' | 'on' | 'asleep' = 'off'
  #msgId = 0
  /** MsgIds of QoS 2 messages that are not released yet */
  readonly #unreleased = new Set<number>()
  #last: Packet | undefined
  #expects: ((packet: Packet) => boolean) | undefined
  #answer: Packet | undefined
  #heardAt = 0

  constructor({ world, peer }: VirtualSensor, clientId: string, air: Air, repeatsLast = false) {
    this.#world = world
    this.#air = air
    this.#peer = peer
    this.#clientId = clientId
    this.#repeatsLast = repeatsLast
    world.ears.set(peer.key, (packet) => this.#fly(() => this.#hear(packet)))
  }

  connect(cleanSession: boolean, will: boolean): void {
    const { clientId, duration } = { clientId: this.#clientId, duration: 3600 }
    this.#state = 'setup'
    this.#ask({ type: 'connect', will, cleanSession, protocolId: 1, duration, clientId }, isA('connack'))
    this.#state = 'on'
  }

  register(topicName: string): number {
    const msgId = this.#nextMsgId()
    const answer = this.#ask({ type: 'register', topicId: 0, msgId, topicName }, isA('regack', msgId))
    if (answer.type !== 'regack' || answer.returnCode !== 0) throw new Error('not registered')
    this.names.set(answer.topicId, topicName)
    return answer.topicId
  }

  publish(topicId: number, data: string, qos: 1 | 2): void {
    const msgId = this.#nextMsgId()
    const packet: Publish = {
      type: 'publish', dup: false, qos, retain: false, topicIdType: 'normal', topicId, msgId, data: bytes(data),
    } // biome-ignore format: one line reads better
    this.#ask(packet, isA(qos === 1 ? 'puback' : 'pubrec', msgId))
    if (qos === 2) this.#ask({ type: 'pubrel', msgId }, isA('pubcomp', msgId))
  }

  subscribe(topicName: string, qos: 0 | 1 | 2): void {
    const msgId = this.#nextMsgId()
    const packet = { type: 'subscribe', dup: false, qos, msgId, topicIdType: 'normal', topicName } as const
    const answer = this.#ask(packet, isA('suback', msgId))
    if (answer.type !== 'suback' || answer.returnCode !== 0) throw new Error('not subscribed')
    if (answer.topicId !== 0) this.names.set(answer.topicId, topicName)
  }

  sleep(duration: number): void {
    this.#ask({ type: 'disconnect', duration }, isA('disconnect'))
    this.#state = 'asleep'
  }

  /** PINGREQ until PINGRESP; every message that comes in between gives the gateway more time [SN-RTX-4]. */
  wake(): void {
    this.#state = 'on'
    this.#ask({ type: 'pingreq', clientId: this.#clientId }, isA('pingresp'))
    this.#state = 'asleep'
  }

  disconnect(): void {
    this.#ask({ type: 'disconnect', duration: null }, isA('disconnect'))
    this.#state = 'off'
  }

  /** Waits until so many different messages have come. */
  receive(count: number): void {
    const enough = () => new Set(this.received.map((message) => message.text)).size >= count
    for (let waited = 0; !enough(); waited += STEP) {
      if (waited > 10 * T_RETRY) throw new Error(`${this.received.length} of ${count} messages came`)
      this.#world.advance(STEP)
    }
  }

  #nextMsgId(): number {
    this.#msgId += 1
    return this.#msgId
  }

  #fly(arrive: () => void): void {
    for (const delay of this.#air(this.datagrams++)) this.#world.after(delay, arrive)
  }

  #send(packet: Packet): void {
    this.#fly(() => this.#world.receive(packet, this.#peer))
  }

  #ask(packet: Packet, expects: (packet: Packet) => boolean): Packet {
    this.#expects = expects
    this.#answer = undefined
    this.#last = packet
    for (let tries = 0; tries <= N_RETRY; tries++) {
      const again = this.#repeatsLast ? this.#last : packet
      this.#send(tries > 0 && again.type === 'publish' ? { ...again, dup: true } : again)
      this.#heardAt = this.#world.now
      while (this.#world.now < this.#heardAt + T_RETRY) {
        this.#world.advance(STEP)
        if (this.#answer !== undefined) return this.#answer
      }
    }
    throw new Error(`no answer to ${packet.type}`)
  }

  #hear(packet: Packet): void {
    if (this.#state === 'asleep' && !this.#isExpected(packet)) {
      if (unasked.has(packet.type)) this.disturbances.push(packet.type)
      return // the radio is off
    }
    if (this.#last?.type === 'pingreq') this.#heardAt = this.#world.now
    if (this.#isExpected(packet)) {
      this.#answer = packet
      this.#expects = undefined
      return
    }
    const isPrompt = packet.type === 'willtopicreq' || packet.type === 'willmsgreq'
    if (this.#state !== 'on' && !isPrompt) return
    const isKnown = packet.type !== 'publish' || this.#take(packet)
    const answer = answerTo(packet, isKnown ? 0 : 2)
    if (packet.type === 'register') this.names.set(packet.topicId, packet.topicName)
    if (packet.type === 'pubrel') this.#unreleased.delete(packet.msgId)
    if (answer === undefined) return
    if (isPrompt) this.#last = answer
    this.#send(answer)
  }

  #isExpected(packet: Packet): boolean {
    return this.#expects?.(packet) === true
  }

  /** False if it does not know the topic id. */
  #take({ topicId, qos, msgId, data }: Publish): boolean {
    const topic = this.names.get(topicId)
    if (topic === undefined) return false
    if (qos === 2 && this.#unreleased.has(msgId)) return true
    if (qos === 2) this.#unreleased.add(msgId)
    this.received.push({ topic, text: text(data), qos })
    return true
  }
}

const isA =
  (type: PacketType, msgId?: number) =>
  (packet: Packet): boolean =>
    packet.type === type && (msgId === undefined || ('msgId' in packet && packet.msgId === msgId))
