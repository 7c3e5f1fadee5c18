// Whose sensors this gateway serves: it takes up the sessions of slots from the store, and lets go of them. What comes for a slot
// on its way is held for a moment; what comes for one that is not here is counted and dropped, since a living sensor
// must not be told that it is a stranger.

import { Hold } from '../cluster/hold.ts'
import { peekMsgType, unwrapMessage } from '../codec/envelope.ts'
import type { Log } from '../log.ts'
import { type PeerKey, peerKey } from '../session/peers.ts'
import type { Session } from '../session/session.ts'
import { clientIdIn, needsNoOwner } from '../sessions/ownership/addressee.ts'
import { dropAdmitting, type Leaving } from '../sessions/ownership/let-go.ts'
import { SlotStates, type Verdict } from '../sessions/ownership/slot-states.ts'
import { type Bearings, restore } from '../sessions/restore.ts'
import type { Sessions } from '../sessions/table.ts'
import { Pace } from '../store/pace.ts'
import type { Store } from '../store/store.ts'
import { countDiscard, type DiscardBooks, type DiscardReason } from './counters.ts'
import type { Datagram } from './datagrams/intake.ts'
import { settleStore } from './open-store.ts'
import type { Turns } from './turns.ts'

/** What an ownership works with. */
export interface OwnershipParts {
  readonly sessions: Sessions
  readonly store: Store
  readonly turns: Turns
  readonly bearings: Bearings
  /** the slots that this gateway may serve */
  readonly slots: readonly number[]
  slotOf(clientId: string): number
  readonly books: DiscardBooks
  readonly log: Log
  /** takes what was held, once its sensor is served */
  handle(...datagram: Datagram): void
}

/** One object from the moment when the store is open. */
export class Ownership {
  readonly #parts: OwnershipParts
  readonly #states: SlotStates
  readonly #held = new Hold<Datagram>()
  /** slots that are to be loaded again as soon as they have left */
  readonly #next = new Set<number>()
  /** resolves when what leaves has left */
  #left: Promise<unknown> = Promise.resolve()

  constructor(parts: OwnershipParts) {
    this.#parts = parts
    this.#states = new SlotStates(parts.slots)
  }

  /** The slots whose sensors are served. */
  get served(): readonly number[] {
    return this.#states.which('served')
  }

  /** Whether deadlines of this session are to be looked at. */
  serves({ clientId }: Session): boolean {
    return this.#states.isWhole || this.#states.judge(this.#parts.slotOf(clientId)) === 'serve'
  }

  /** Whether a datagram is to be handled now; if not, it is held or counted. */
  admits(...datagram: Datagram): boolean {
    if (this.#states.isWhole) return true
    const [{ index }, bytes, { address, port, association }] = datagram
    if (needsNoOwner(bytes)) return true
    const key = peerKey(index, address, port, unwrapMessage(bytes)?.nodeId, association)
    const verdict = this.#held.has(key) ? 'hold' : this.#judge(datagram, key)
    if (verdict === 'serve') return true
    if (verdict === 'refuse') this.#drop('no-owner', datagram)
    else if (this.#held.keep(key, bytes, datagram, performance.now()) === 'full')
      this.#drop('overloaded', datagram)
    return false
  }

  /** Looks after what is held. */
  tick(now: number): void {
    if (this.#held.size === 0) return
    for (const datagram of this.#held.expire(now)) this.#drop('held-too-long', datagram)
  }

  /**
   * Takes up the sessions of these slots where they were left, and serves their sensors; those that are served already are left alone.
   * Rejects with StoreError, with none of them served, if they cannot be loaded.
   */
  async adopt(slots: readonly number[]): Promise<void> {
    const states = this.#states
    const wanted = slots.filter((slot) => states.stateOf(slot) === 'absent')
    const leaving = slots.filter((slot) => states.stateOf(slot) === 'leaving')
    states.enter('loading', wanted)
    if (leaving.length > 0) {
      for (const slot of leaving) this.#next.add(slot)
      await this.#left
      wanted.push(...leaving)
    }
    const stillWanted = () => wanted.filter((slot) => states.stateOf(slot) === 'loading')
    try {
      await this.#load(new Set(stillWanted()))
    } catch (error) {
      this.#cut(new Set(stillWanted()))
      throw error
    }
    states.enter('served', stillWanted())
    this.#settle()
  }

  async #load(slots: ReadonlySet<number>): Promise<void> {
    const { store, turns, sessions, bearings, slotOf } = this.#parts
    const pace = new Pace()
    for await (const piece of store.load(slots)) {
      for (const stored of piece) {
        if (pace.isOver()) await pace.next()
        const slot = slotOf(stored.record.lasting.clientId)
        // it may have been let go meanwhile
        if (!slots.has(slot) || this.#states.stateOf(slot) !== 'loading') continue
        turns.attempt(undefined, (turn) => restore(sessions, stored, bearings, turn))
      }
    }
  }

  /**
   * Lets go of these slots. `closing` resolves when everything of them is in the store, and rejects if that cannot be written;
   * `deposed` has its effect within this call, and the store is of no use after it.
   */
  release(slots: readonly number[], how: Leaving): Promise<void> {
    const those = (state: 'loading' | 'served') =>
      new Set(slots.filter((slot) => this.#states.stateOf(slot) === state))
    this.#cut(those('loading'))
    const served = those('served')
    if (how === 'deposed') {
      this.#cut(served)
      return Promise.resolve()
    }
    const closed = this.#close(served)
    this.#left = Promise.allSettled([this.#left, closed])
    return closed
  }

  /** Without a word. */
  #cut(slots: ReadonlySet<number>): void {
    if (slots.size === 0) return
    const { sessions, turns } = this.#parts
    const isConcerned = this.#concerns(slots)
    dropAdmitting(sessions, isConcerned)
    for (const session of sessions.byClientId.values())
      if (isConcerned(session.clientId)) turns.letGo(session, 'deposed')
    this.#states.enter('absent', slots)
    this.#settle()
  }

  async #close(slots: ReadonlySet<number>): Promise<void> {
    const { sessions, turns, store, log } = this.#parts
    const isConcerned = this.#concerns(slots)
    this.#states.enter('leaving', slots)
    dropAdmitting(sessions, isConcerned)
    try {
      await this.#each(isConcerned, (session) => turns.dispatch(session, { type: 'suspend' }))
      await settleStore(store, log) // effects that wait for it are performed first
      await this.#each(isConcerned, (session) => turns.letGo(session, 'closing'))
      await store.release(slots)
    } finally {
      for (const slot of slots) this.#states.enter(this.#next.delete(slot) ? 'loading' : 'absent', [slot])
      this.#settle()
    }
  }

  #concerns(slots: ReadonlySet<number>): (clientId: string) => boolean {
    const { slotOf } = this.#parts
    return (clientId) => slots.has(slotOf(clientId))
  }

  async #each(isConcerned: (clientId: string) => boolean, step: (session: Session) => void): Promise<void> {
    const pace = new Pace()
    for (const session of this.#parts.sessions.byClientId.values()) {
      if (pace.isOver()) await pace.next()
      if (isConcerned(session.clientId)) step(session)
    }
  }

  /** Nothing is served any more, nor loaded. */
  close(): void {
    this.#states.enter('absent', this.#parts.slots)
    for (const datagram of this.#held.clear()) this.#drop('not-serving', datagram)
  }

  #judge([, bytes]: Datagram, key: PeerKey): Verdict {
    const { slotOf, sessions } = this.#parts
    const clientId = clientIdIn(bytes, peekMsgType(bytes)) ?? sessions.byPeer.get(key)?.clientId
    return this.#states.judge(clientId === undefined ? undefined : slotOf(clientId))
  }

  #settle(): void {
    this.#held.settle(
      (datagram, key) => this.#judge(datagram, key),
      (datagram, verdict) => {
        if (verdict === 'serve') this.#parts.handle(...datagram)
        else this.#drop('no-owner', datagram)
      },
    )
  }

  #drop(reason: DiscardReason, [{ listener }, , { address, port }]: Datagram): void {
    countDiscard(this.#parts.books, reason, { address, port, listener })
  }
}
