// What a sensor knows of topic ids: normal ids of this connection and predefined ids [6.5, 6.7].

import type { TopicIdType } from '../codec/v1/messages.ts'
import { SensorError } from './failure.ts'
import type { Topic } from './options.ts'

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** Two octets that name a topic, in the form of a PUBLISH. */
export interface TopicAddress {
  topicIdType: 'predefined' | 'short'
  topicId: number
}

/** A predefined id or a short name as the two octets. Throws SensorError `invalid` when it does not fit. */
export function addressOf(topic: Exclude<Topic, string>): TopicAddress {
  if ('predefined' in topic) {
    const id = topic.predefined
    if (Number.isInteger(id) && id > 0 && id < 0xffff) return { topicIdType: 'predefined', topicId: id }
    throw new SensorError('invalid', `predefined topic id: 1 to 65534, got ${id} [5.3.11]`)
  }
  const [first, second, ...more] = encoder.encode(topic.short)
  if (first !== undefined && second !== undefined && more.length === 0) {
    return { topicIdType: 'short', topicId: first * 256 + second }
  }
  throw new SensorError('invalid', `short topic name: exactly 2 octets, got ${JSON.stringify(topic.short)}`)
}

/** The topic ids that a sensor can resolve. */
export class Topics {
  readonly #predefined: Map<number, string>
  readonly #configured: Readonly<Record<number, string>>
  readonly #names = new Map<number, string>()
  readonly #ids = new Map<string, number>()

  constructor(predefined: Readonly<Record<number, string>>) {
    this.#configured = predefined
    this.#predefined = new Map()
    this.reset()
  }

  /** Forgets what belongs to a connection: all normal ids, and predefined ids known by subscription only. */
  reset(): void {
    this.#names.clear()
    this.#ids.clear()
    this.#predefined.clear()
    for (const [id, name] of Object.entries(this.#configured)) this.#predefined.set(Number(id), name)
  }

  /** Remembers a normal id from REGACK, SUBACK or the gateway's REGISTER. */
  learn(topicId: number, name: string): void {
    this.forget(topicId)
    this.#names.set(topicId, name)
    this.#ids.set(name, topicId)
  }

  /** Makes a predefined id resolvable although its name is unknown, since the sensor subscribed to it. */
  learnPredefined(topicId: number): void {
    if (!this.#predefined.has(topicId)) this.#predefined.set(topicId, `predefined:${topicId}`)
  }

  /** Forgets a normal id that the gateway called invalid. */
  forget(topicId: number): void {
    const name = this.#names.get(topicId)
    if (name !== undefined && this.#ids.get(name) === topicId) this.#ids.delete(name)
    this.#names.delete(topicId)
  }

  /** The normal id of a name, if it is registered. */
  idOf(name: string): number | undefined {
    return this.#ids.get(name)
  }

  /** The name behind a received PUBLISH, or undefined when the id is unknown. */
  nameOf(topicIdType: TopicIdType, topicId: number): string | undefined {
    if (topicIdType === 'short') return decoder.decode(Uint8Array.of(topicId >> 8, topicId & 255))
    if (topicIdType === 'predefined') return this.#predefined.get(topicId)
    return topicIdType === 'normal' ? this.#names.get(topicId) : undefined
  }
}
