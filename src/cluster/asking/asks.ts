// Whose an address is: asked of all nodes that live, since the owner's table of addresses is the truth. Nobody is called a stranger before
// the owner of every slot has said that it serves it and does not know him. Pure: time is an argument.

import type { PeerKey } from '../../session/peers.ts'
import { allSlots } from '../../sessions/slots.ts'
import { allow, createThrottle } from '../../sessions/throttle.ts'

/**
 * Milliseconds: until who has not answered counts as not asked, and where somebody else knows the address; until an open question is asked
 * again; how long "nobody's" holds.
 */
const PATIENCE = 500
const LITTLE_PATIENCE = 100
const AGAIN = 250
const NOBODYS = 1000
/** Addresses of which is known that they are nobody's. */
const MOST_NOBODYS = 16_384

/** Stands for all sources. */
const ALL = 'all'

/** How much may be asked. */
export interface AskLimits {
  /** addresses in one question */
  readonly together: number
  /** addresses a second, of one source and of all */
  readonly perSource: number
  readonly inAll: number
}

export const ASK_LIMITS: AskLimits = { together: 512, perSource: 1000, inAll: 20_000 }

/** What one node says of the addresses it was asked for. */
export interface Answer {
  /** those that it knows: the slot, and for how many milliseconds its sensor has been there, Infinity: longer than can be told */
  readonly known: ReadonlyMap<PeerKey, { readonly slot: number; readonly age: number }>
  /** Whether it served this slot when it answered, with all its addresses. */
  serves(slot: number): boolean
}

/** What asking works with. */
export interface AskParts {
  /** Asks all other nodes that can be reached; returns who they are. */
  ask(id: number, keys: readonly PeerKey[]): readonly string[]
  /** the node that owns a slot, as this one has seen it last */
  ownerOf(slot: number): string | undefined
  /** whether this node serves a slot that it owns */
  servesItself(slot: number): boolean
  readonly self: string
  /** An address is of this slot. */
  onFound(key: PeerKey, slot: number): void
  /** These are nobody's. */
  onNobodys(keys: readonly PeerKey[]): void
  /** A sensor of that node was at this address before another one, and is not there any more. */
  onDisplaced(node: string, key: PeerKey): void
}

/** One question, to all nodes. */
interface Round {
  readonly keys: readonly PeerKey[]
  readonly askedAt: number
  /** who has not answered yet */
  readonly waiting: Set<string>
  readonly answers: Map<string, Answer>
  readonly found: Map<PeerKey, { readonly node: string; readonly slot: number; readonly age: number }>
}

/** One object for the life of a front. */
export class Asks {
  readonly #parts: AskParts
  readonly #limits: AskLimits
  readonly #wanted = new Set<PeerKey>()
  /** being asked, or to be asked again */
  readonly #open = new Set<PeerKey>()
  readonly #again = new Map<PeerKey, number>()
  readonly #rounds = new Map<number, Round>()
  readonly #nobodys = new Map<PeerKey, number>()
  readonly #rates = createThrottle()
  #lastId = 0
  /** addresses that were asked for */
  asked = 0

  constructor(parts: AskParts, limits: AskLimits = ASK_LIMITS) {
    this.#parts = parts
    this.#limits = limits
  }

  /** whether `flush` has something to do */
  get isWanted(): boolean {
    return this.#wanted.size > 0
  }

  /** Whether an address is known to be nobody's. */
  isNobodys(key: PeerKey, now: number): boolean {
    return (this.#nobodys.get(key) ?? Number.NEGATIVE_INFINITY) > now
  }

  /** Asks for an address at the end of this turn, if that is not done already; false: too much is asked for. */
  want(key: PeerKey, source: string, now: number): boolean {
    if (this.#open.has(key)) return true
    const { perSource, inAll } = this.#limits
    const mayAsk =
      allow(this.#rates, source, perSource, perSource, now) && allow(this.#rates, ALL, inAll, inAll, now)
    if (!mayAsk) return false
    this.#open.add(key)
    this.#wanted.add(key)
    return true
  }

  /** Nothing of this address is to be found out any more: its sensor has named itself. */
  drop(key: PeerKey): void {
    this.#nobodys.delete(key)
  }

  /** The end of a turn: asks for what is wanted, as much as goes into one question. */
  flush(now: number): void {
    const keys: PeerKey[] = []
    for (const key of this.#wanted) {
      if (keys.length >= this.#limits.together) break
      keys.push(key)
      this.#wanted.delete(key)
    }
    if (keys.length === 0) return
    this.asked += keys.length
    const id = ++this.#lastId
    const waiting = new Set(this.#parts.ask(id, keys))
    const round: Round = { keys, askedAt: now, waiting, answers: new Map(), found: new Map() }
    this.#rounds.set(id, round)
    this.#finish(id, round, now)
  }

  /** What a node has answered. */
  take(node: string, id: number, answer: Answer, now: number): void {
    const round = this.#rounds.get(id)
    if (round === undefined || !round.waiting.delete(node)) return
    round.answers.set(node, answer)
    for (const key of round.keys) {
      const known = answer.known.get(key)
      if (known !== undefined) this.#note(round, node, key, known)
    }
    this.#finish(id, round, now)
  }

  /** A node cannot be reached any more. */
  lose(node: string, now: number): void {
    for (const [id, round] of this.#rounds) if (round.waiting.delete(node)) this.#finish(id, round, now)
  }

  /**
   * Gives up waiting for answers that are late, and asks again for what is open, if `isHeld` says that somebody waits for it. `hasChanged`:
   * who owns what, so that there is no need to wait.
   */
  tick(now: number, isHeld: (key: PeerKey) => boolean, hasChanged = false): void {
    for (const [id, round] of this.#rounds) {
      if (now - round.askedAt < LITTLE_PATIENCE) break
      if (now - round.askedAt < PATIENCE && round.found.size < round.keys.length) continue
      round.waiting.clear()
      this.#finish(id, round, now)
    }
    for (const [key, at] of this.#again) {
      if (at > now && !hasChanged) continue
      this.#again.delete(key)
      if (isHeld(key)) this.#wanted.add(key)
      else this.#open.delete(key)
    }
  }

  /** Of two who know an address, the one that has known it for the shortest time is right: another sensor has it now. */
  #note({ found }: Round, node: string, key: PeerKey, known: { slot: number; age: number }): void {
    const before = found.get(key)
    const isNewer = before === undefined || known.age < before.age
    if (isNewer) found.set(key, { node, ...known })
    if (before !== undefined) this.#parts.onDisplaced(isNewer ? before.node : node, key)
  }

  /** All have answered: what is not known to any of them is nobody's, if there is nobody else who could know it. */
  #finish(id: number, round: Round, now: number): void {
    if (round.waiting.size > 0) return
    this.#rounds.delete(id)
    for (const [key, { slot }] of round.found) {
      this.#open.delete(key)
      this.#parts.onFound(key, slot)
    }
    const left = round.keys.filter((key) => !round.found.has(key))
    if (left.length === 0) return
    const isSure = allSlots.every((slot) => this.#isServed(slot, round))
    for (const key of left) {
      if (!isSure) this.#again.set(key, now + AGAIN)
      else {
        this.#open.delete(key)
        this.#nobodys.delete(key)
        this.#nobodys.set(key, now + NOBODYS)
      }
    }
    if (!isSure) return
    for (const [oldest, until] of this.#nobodys) {
      if (until > now && this.#nobodys.size <= MOST_NOBODYS) break
      this.#nobodys.delete(oldest)
    }
    this.#parts.onNobodys(left)
  }

  #isServed(slot: number, { answers }: Round): boolean {
    const { ownerOf, servesItself, self } = this.#parts
    const owner = ownerOf(slot)
    if (owner === undefined) return false
    return owner === self ? servesItself(slot) : answers.get(owner)?.serves(slot) === true
  }
}
