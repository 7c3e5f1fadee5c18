// What the gateway has promised to sensors and to the broker, and whether it still knows after a crash: acknowledged
// messages, topic ids, and which publish a token means.

import type { Effect } from '../../src/session/events.ts'
import type { QueuedMessage } from '../../src/session/message.ts'
import type { Session } from '../../src/session/session.ts'
import { type Cause, text, type World } from './world.ts'

/** By ClientId, then by number. */
class Book<T> {
  readonly #pages = new Map<string, Map<number, T>>()

  page(clientId: string): Map<number, T> {
    let page = this.#pages.get(clientId)
    if (page === undefined) {
      page = new Map()
      this.#pages.set(clientId, page)
    }
    return page
  }

  forget(clientId: string): void {
    this.#pages.delete(clientId)
  }

  *entries(): Iterable<[string, number, T]> {
    for (const [clientId, page] of this.#pages)
      for (const [number, value] of page) yield [clientId, number, value]
  }
}

function must(holds: boolean, what: () => string): void {
  if (!holds) throw new Error(`broken: ${what()}`)
}

export class Promises {
  /** messages for sensors that were acknowledged to the broker, by id */
  readonly #messages = new Book<true>()
  /** publishes that were acknowledged to sensors and wait for the broker, by token */
  readonly #uplinks = new Book<true>()
  /** names of the topic ids that sensors were told */
  readonly #topics = new Book<string>()
  /** what was published at QoS 2, by token */
  readonly #published = new Book<string>()
  /** what is promised as soon as this effect is performed */
  readonly #becauseOf = new Map<Effect, () => void>()
  /** messages and publishes that have come to their end */
  readonly #kept = new WeakSet<QueuedMessage>()
  readonly #dropped = new WeakMap<Session, Set<number>>()
  /** effects of the world that were looked at */
  #seen = 0
  readonly #world: World

  constructor(world: World) {
    this.#world = world
  }

  /** Looks at what was performed since the last time, and at what is asked for now. Throws if a promise is broken. */
  check(cause: Cause, effects: readonly Effect[]): void {
    const { effects: all } = this.#world
    for (; this.#seen < all.length; this.#seen++) this.#performed(all[this.#seen] as Effect)
    if ('start' in cause) this.#afterCrash(effects)
    this.#forgetTopics()
    this.#foresee(effects)
  }

  #performed(effect: Effect): void {
    this.#becauseOf.get(effect)?.()
    this.#becauseOf.delete(effect)
    if (effect.type === 'publish' && effect.qos === 2) {
      const page = this.#published.page(effect.session.clientId)
      const what = `${effect.topic} ${text(effect.payload)}`
      const before = page.get(effect.token)
      must(before === undefined || before === what, () => `token ${effect.token} means ${before} and ${what}`)
      page.set(effect.token, what)
    } else if (effect.type === 'send') this.#learn(effect)
  }

  #learn({ packet, session }: Effect & { type: 'send' }): void {
    const isRegister = packet.type === 'register'
    const isAnswer = (packet.type === 'regack' || packet.type === 'suback') && packet.returnCode === 0
    if (session === undefined || !(isRegister || isAnswer)) return
    const name = session.topics.byId.get(packet.topicId)
    const isOver = this.#world.sessions.byClientId.get(session.clientId) !== session
    if (name === undefined || isOver) return // predefined or short
    const page = this.#topics.page(session.clientId)
    const before = page.get(packet.topicId)
    must(
      before === undefined || before === name,
      () => `topic id ${packet.topicId} means ${before} and ${name}`,
    )
    page.set(packet.topicId, name)
  }

  /** Ids of a session that began anew mean nothing any more. */
  #forgetTopics(): void {
    for (const [clientId, id] of this.#topics.entries()) {
      const session = this.#world.sessions.byClientId.get(clientId)
      if (session === undefined || !session.topics.byId.has(id)) this.#topics.page(clientId).delete(id)
    }
  }

  #foresee(effects: readonly Effect[]): void {
    let message: (() => void) | undefined
    let uplink: (() => void) | undefined
    for (const effect of effects) {
      if (!('session' in effect) || effect.session === undefined) continue
      const { clientId } = effect.session
      switch (effect.type) {
        case 'keepMessage':
          message = () => this.#promise(this.#messages, clientId, effect.message)
          break
        case 'acknowledge':
          if (message !== undefined) this.#becauseOf.set(effect, message)
          message = undefined
          break
        case 'keepUplink':
          if (effect.uplink.stored) uplink = () => this.#promiseUplink(effect.session, effect.uplink.token)
          break
        case 'send': {
          const { packet } = effect
          const isPromise = packet.type === 'pubrec' || (packet.type === 'puback' && packet.returnCode === 0)
          if (uplink !== undefined && isPromise) this.#becauseOf.set(effect, uplink)
          break
        }
        case 'dropMessage':
          this.#kept.add(effect.message)
          this.#messages.page(clientId).delete(effect.message.id)
          break
        case 'dropUplink':
          this.#droppedOf(effect.session).add(effect.uplink.token)
          this.#uplinks.page(clientId).delete(effect.uplink.token)
          break
        case 'forget':
          for (const book of [this.#messages, this.#uplinks, this.#published, this.#topics])
            book.forget(clientId)
      }
    }
  }

  #promise(book: Book<true>, clientId: string, one: QueuedMessage): void {
    if (!this.#kept.has(one)) book.page(clientId).set(one.id, true)
  }

  #promiseUplink(session: Session, token: number): void {
    if (!this.#droppedOf(session).has(token)) this.#uplinks.page(session.clientId).set(token, true)
  }

  /** Tokens of publishes that a session has dropped from the store. */
  #droppedOf(session: Session): Set<number> {
    const dropped = this.#dropped.get(session) ?? new Set()
    this.#dropped.set(session, dropped)
    return dropped
  }

  #afterCrash(effects: readonly Effect[]): void {
    const forgotten = new Set(
      effects.flatMap((effect) => (effect.type === 'forget' ? [effect.session.clientId] : [])),
    )
    const sessionOf = (clientId: string): Session | undefined => this.#world.sessions.byClientId.get(clientId)
    for (const [clientId, id] of this.#messages.entries()) {
      const isThere = sessionOf(clientId)?.downlink.queue.some((message) => message.id === id) === true
      must(isThere || forgotten.has(clientId), () => `message ${id} for ${clientId} is lost`)
    }
    for (const [clientId, token] of this.#uplinks.entries()) {
      const session = sessionOf(clientId)
      const isThere =
        session?.uplink.outgoing.has(token) ||
        session?.uplink.dead.has(token) ||
        session?.uplink.backlog?.tokens.includes(token) ||
        [...(session?.uplink.open.values() ?? [])].some((one) => one.token === token)
      must(isThere === true || forgotten.has(clientId), () => `publish ${token} of ${clientId} is lost`)
    }
    for (const [clientId, id, name] of this.#topics.entries()) {
      const found = sessionOf(clientId)?.topics.byId.get(id)
      must(
        found === name || forgotten.has(clientId),
        () => `topic id ${id} of ${clientId} is ${found}, not ${name}`,
      )
    }
  }
}
