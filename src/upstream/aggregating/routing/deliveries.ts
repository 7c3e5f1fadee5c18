// Messages of the broker of QoS 1 and 2 that sensors of a connection have not all taken: the broker is told when the last one has. Those
// of QoS 2 have a number that is never given twice, by which sessions know a repetition, until the broker releases them. Pure.

/** One message; `M`: a sensor. */
interface Delivery<M> {
  /** what the broker's connection is to be told */
  readonly ack: number
  readonly waiting: Set<M>
}

/** A message of QoS 2 that the broker has not released. */
export interface Held<M> {
  readonly number: number
  /** those of this process that may know the number */
  readonly holders: Set<M>
  /** for whom it is, where that was chosen */
  readonly clientIds: readonly string[] | undefined
}

export class Deliveries<M> {
  readonly #open = new Map<number, Delivery<M>>()
  readonly #held = new Map<number, Held<M>>()
  readonly #active = new Set<number>()

  /** messages that have not been taken by all */
  get size(): number {
    return this.#open.size
  }

  /** A message of QoS 2 that an earlier process has taken. */
  restore(packetId: number, number: number, clientIds: readonly string[] | undefined): void {
    this.hold(packetId, number, clientIds)
  }

  /** What is known of the broker's message of this identifier; undefined: it is new. */
  heldOf(packetId: number): Held<M> | undefined {
    return this.#held.get(packetId)
  }

  /** A new message of QoS 2. */
  hold(packetId: number, number: number, clientIds: readonly string[] | undefined): Held<M> {
    const held = { number, holders: new Set<M>(), clientIds }
    this.#held.set(packetId, held)
    this.#active.add(number)
    return held
  }

  /** This member may know the number of a message of QoS 2. */
  noteHolder(packetId: number, member: M): void {
    this.#held.get(packetId)?.holders.add(member)
  }

  /** The broker has released it; undefined: nothing is known of it. */
  release(packetId: number): Held<M> | undefined {
    const held = this.#held.get(packetId)
    this.#held.delete(packetId)
    if (held !== undefined) this.#active.delete(held.number)
    return held
  }

  /** Whether sessions are to go on knowing this number. */
  isActive(number: number): boolean {
    return this.#active.has(number)
  }

  /** Waits for these; there is at least one. */
  begin(number: number, ack: number, members: Iterable<M>): void {
    this.#open.set(number, { ack, waiting: new Set(members) })
  }

  /** A member has it. Returns what the broker is to be told, if it was the last one. */
  complete(number: number, member: M): number | undefined {
    const delivery = this.#open.get(number)
    if (delivery === undefined || !delivery.waiting.delete(member) || delivery.waiting.size > 0)
      return undefined
    this.#open.delete(number)
    return delivery.ack
  }

  /** A member will not answer any more. Returns what the broker is to be told. */
  leave(member: M): number[] {
    return [...this.#open.keys()].flatMap((number) => this.complete(number, member) ?? [])
  }

  /** The connection broke: the broker sends again what it was not told. */
  disconnected(): void {
    this.#open.clear()
  }

  /** The broker has forgotten all: identifiers mean other messages from now on. Returns what was held, by identifier. */
  clear(): [number, Held<M>][] {
    const all = [...this.#held]
    this.#held.clear()
    this.#active.clear()
    return all
  }
}
