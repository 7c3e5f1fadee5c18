// All filters of one connection that sensors share: found by their names, by topics that they match, by the identifiers that the
// broker tells with a message, and by sensor. Pure.

import { matches } from '../../../mqtt-topics.ts'
import { createEntry, type Entry, higherOf, type Qos } from './entry.ts'
import { FilterTree } from './filter-tree.ts'

/** `M`: a sensor. */
export class FilterTable<M> {
  readonly #entries = new Map<string, Entry<M>>()
  readonly #tree = new FilterTree<Entry<M>>()
  readonly #byIdentifier = new Map<number, readonly Entry<M>[]>()
  readonly #byMember = new Map<M, Set<Entry<M>>>()

  get size(): number {
    return this.#entries.size
  }

  /** All of them, as they are now. */
  get all(): readonly Entry<M>[] {
    return [...this.#entries.values()]
  }

  get(filter: string): Entry<M> | undefined {
    return this.#entries.get(filter)
  }

  /** What a member has. */
  of(member: M): readonly Entry<M>[] {
    return [...(this.#byMember.get(member) ?? [])]
  }

  /** The entry of a filter; a new one if there is none. */
  open(filter: string): Entry<M> {
    let entry = this.#entries.get(filter)
    if (entry !== undefined) return entry
    entry = createEntry(filter)
    this.#entries.set(filter, entry)
    this.#tree.add(entry.inner, entry)
    this.#byIdentifier.set(entry.identifier, [...(this.#byIdentifier.get(entry.identifier) ?? []), entry])
    return entry
  }

  /** A member wants it, or wants it with another QoS. */
  join(entry: Entry<M>, member: M, qos: Qos): void {
    entry.subscribers.set(member, qos)
    const own = this.#byMember.get(member)
    if (own === undefined) this.#byMember.set(member, new Set([entry]))
    else own.add(entry)
  }

  /** A member does not want it any more. */
  part(entry: Entry<M>, member: M): void {
    entry.subscribers.delete(member)
    entry.audience.delete(member)
    const own = this.#byMember.get(member)
    own?.delete(entry)
    if (own?.size === 0) this.#byMember.delete(member)
  }

  /** Forgets a filter that nobody wants and the broker does not know. */
  prune(entry: Entry<M>): boolean {
    const { filter, inner, subscribers, asked, busy, waiting, identifier, isUnsure } = entry
    if (subscribers.size + waiting.length > 0) return false
    if (asked !== undefined || isUnsure || busy !== undefined || this.#entries.get(filter) !== entry)
      return false
    this.#entries.delete(filter)
    this.#tree.delete(inner, entry)
    const rest = this.#byIdentifier.get(identifier)?.filter((one) => one !== entry) ?? []
    if (rest.length > 0) this.#byIdentifier.set(identifier, rest)
    else this.#byIdentifier.delete(identifier)
    return true
  }

  /**
   * The QoS that the broker is to be asked for: the highest that a subscriber has. `byTopic`: messages do not tell which
   * subscriptions they come for, and one that comes for this filter may be the only copy for others that overlap with it.
   */
  wantedQos(entry: Entry<M>, byTopic: boolean): Qos {
    let qos: Qos = 0
    for (const each of byTopic && !entry.isShared ? this.#tree.overlapping(entry.inner) : [entry]) {
      if (each.isShared && each !== entry) continue
      for (const one of each.subscribers.values()) qos = higherOf(qos, one)
    }
    return qos
  }

  /** Filters whose subscription at the broker must have a higher QoS, since a copy for them may be the only one for this one. */
  toRaise(entry: Entry<M>): readonly Entry<M>[] {
    return this.#tree
      .overlapping(entry.inner)
      .filter(
        (other) => other !== entry && other.asked !== undefined && other.asked < this.wantedQos(other, true),
      )
  }

  /** For which filters a message comes: as the broker tells, or all that match. */
  entriesFor(topic: string, identifiers: readonly number[]): readonly Entry<M>[] {
    if (identifiers.length === 0) return this.#tree.match(topic).filter((entry) => !entry.isShared)
    return identifiers.flatMap((identifier) => {
      const found = this.#byIdentifier.get(identifier) ?? []
      return found.length > 1 ? found.filter(({ inner }) => matches(inner, topic)) : found
    })
  }
}
