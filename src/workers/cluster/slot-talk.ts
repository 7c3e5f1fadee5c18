// What the fronts of a cluster tell each other of addresses: whose they are, who has come to them, and who is not known there.

import { Asks } from '../../cluster/asking/asks.ts'
import type { LinkConnection } from '../../cluster/links/connection.ts'
import type { SlotOwners } from '../../cluster/owners.ts'
import type { PeerKey } from '../../session/peers.ts'
import { hasSlot, type LinkMessage, type Place, readLinkMessage, writeSlots } from './link-messages.ts'
import type { Whereabouts } from './whereabouts.ts'

/** Sensors of which one message tells: with the longest addresses it is short enough to be taken. */
const TOGETHER = 512

/** The links, as far as they are talked over. */
export interface TalkLinks {
  to(node: string): Pick<LinkConnection, 'sendMessage'> | undefined
  /** the nodes to which there are links */
  up(): readonly string[]
}

/** What talking works with. */
export interface SlotTalkParts {
  readonly self: string
  readonly owners: Pick<SlotOwners, 'ownerOf' | 'look'>
  readonly links: TalkLinks
  readonly whereabouts: Whereabouts
  /** Whether this node serves a slot with all its addresses. */
  serves(slot: number): boolean
  /** The sensor of an own worker at this address is not there any more. */
  displace(key: PeerKey): void
  /** Sensors of other nodes use these sessions of DTLS. */
  onUsed(keys: readonly PeerKey[]): void
  /** It is known now whose an address is. */
  onSettled(key: PeerKey): void
}

export class SlotTalk {
  readonly asks: Asks
  readonly #parts: SlotTalkParts
  readonly #bound = new Map<string, Place[]>()
  #isPlanned = false

  constructor(parts: SlotTalkParts) {
    this.#parts = parts
    const { self, owners, links, whereabouts, onSettled } = parts
    this.asks = new Asks({
      self,
      ask(id, keys) {
        const nodes = links.up()
        for (const node of nodes)
          links.to(node)?.sendMessage({ type: 'whose', id, keys } satisfies LinkMessage)
        return nodes
      },
      ownerOf: (slot) => owners.ownerOf(slot)?.node,
      servesItself: parts.serves,
      onFound(key, slot) {
        whereabouts.others.learn(key, slot)
        onSettled(key)
      },
      onNobodys(keys) {
        for (const key of keys) onSettled(key)
      },
      onDisplaced: (node, key) => this.#tellDisplaced(node, key),
    })
  }

  /** Asks for an address with all others of this turn; false: too much is asked for. */
  want(key: PeerKey, source: string, now: number): boolean {
    const isAsked = this.asks.want(key, source, now)
    this.plan()
    return isAsked
  }

  /** What is wanted is asked for at the end of this turn. */
  plan(): void {
    if (this.#isPlanned || !this.asks.isWanted) return
    this.#isPlanned = true
    setImmediate(() => {
      this.#isPlanned = false
      this.asks.flush(performance.now())
      this.plan()
    })
  }

  /** An own sensor has come to an address, through the node `via`; to be followed by `tellBound`. */
  noteBound([key, slot]: Place, via: string, isRestored: boolean): void {
    const { self, owners, whereabouts, onSettled } = this.#parts
    const before = whereabouts.noteOwn(key, isRestored, performance.now())
    if (!isRestored) {
      this.asks.drop(key)
      const owner = before === undefined ? undefined : owners.ownerOf(before)?.node
      if (before !== slot && owner !== undefined && owner !== self) this.#tellDisplaced(owner, key)
      if (via !== '' && via !== self) this.noteKnown([key, slot], via)
    }
    onSettled(key)
  }

  /** That node is to know whose this address is; to be followed by `tellBound`. */
  noteKnown(place: Place, node: string): void {
    const places = this.#bound.get(node) ?? []
    places.push(place)
    this.#bound.set(node, places)
  }

  /** Tells the nodes through which own sensors have come where they are: before any answer to them. */
  tellBound(): void {
    if (this.#bound.size === 0) return
    for (const [node, places] of this.#bound)
      for (let at = 0; at < places.length; at += TOGETHER)
        this.#tell(node, { type: 'bound', places: places.slice(at, at + TOGETHER) })
    this.#bound.clear()
  }

  /** That node is to know that these sessions of DTLS, which it has, are used here. */
  tellUsed(node: string, keys: readonly PeerKey[]): void {
    this.#tell(node, { type: 'used', keys })
  }

  /** That node has sent something of addresses where nobody is known here. */
  tellUnknown(node: string, keys: readonly PeerKey[]): void {
    if (keys.length > 0) this.#tell(node, { type: 'unknown', keys })
  }

  /** Takes what a node says; false if that is nothing that nodes say. */
  take(node: string, value: unknown): boolean {
    const message = readLinkMessage(value)
    if (message === undefined) return false
    switch (message.type) {
      case 'whose':
        this.#answer(node, message.id, message.keys)
        break
      case 'mine': {
        const { id, known, serves } = message
        const places = known.map(
          ([key, slot, age]) => [key, { slot, age: age ?? Number.POSITIVE_INFINITY }] as const,
        )
        const answer = { known: new Map(places), serves: (slot: number) => hasSlot(serves, slot) }
        this.asks.take(node, id, answer, performance.now())
        this.plan()
        break
      }
      case 'bound':
        for (const place of message.places) this.#takeBound(node, place)
        this.#parts.onUsed(message.places.map(([key]) => key))
        break
      case 'unknown':
        for (const key of message.keys) this.#parts.whereabouts.forget(key)
        break
      case 'displaced':
        this.#parts.displace(message.key)
        break
      case 'used':
        this.#parts.onUsed(message.keys)
        break
      case 'look':
        this.#parts.owners.look()
        break
    }
    return true
  }

  #answer(node: string, id: number, keys: readonly PeerKey[]): void {
    const { whereabouts, serves } = this.#parts
    const now = performance.now()
    const known = keys.flatMap((key) => {
      const slot = whereabouts.ownAt(key, now)
      if (slot === undefined || !this.#owns(slot)) return []
      const age = whereabouts.ageOf(key, now)
      return [[key, slot, Number.isFinite(age) ? age : null] as const]
    })
    const own = (slot: number): boolean => this.#owns(slot) && serves(slot)
    this.#tell(node, { type: 'mine', id, known, serves: writeSlots(own) })
  }

  #owns(slot: number): boolean {
    return this.#parts.owners.ownerOf(slot)?.node === this.#parts.self
  }

  #takeBound(node: string, [key, slot]: Place): void {
    const { whereabouts, owners, displace, onSettled } = this.#parts
    const own = whereabouts.boundAt(key)
    const other = whereabouts.others.slotAt(key)
    const owner = other === undefined || other === slot ? undefined : owners.ownerOf(other)?.node
    if (owner !== undefined && owner !== node && owner !== this.#parts.self) this.#tellDisplaced(owner, key)
    if (own !== undefined && own !== slot) displace(key)
    whereabouts.forget(key)
    whereabouts.others.learn(key, slot)
    this.asks.drop(key)
    onSettled(key)
  }

  /** Somebody new is at this address, of whom no other node knows: whoever has known somebody there is to know that. */
  tellNewer(key: PeerKey): void {
    for (const node of this.#parts.links.up()) this.#tellDisplaced(node, key)
  }

  #tellDisplaced(node: string, key: PeerKey): void {
    this.#tell(node, { type: 'displaced', key })
  }

  #tell(node: string, message: LinkMessage): void {
    this.#parts.links.to(node)?.sendMessage(message)
  }
}
