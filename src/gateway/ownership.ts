// Whose sensors this gateway serves: it takes up the sessions of slots from the store, and lets go of them.

import { HOLD_LIMITS } from '../cluster/hold.ts'
import type { Log } from '../log.ts'
import type { Session } from '../session/session.ts'
import { hasExchange } from '../sessions/ownership/exchanges.ts'
import { dropAdmitting, type Leaving } from '../sessions/ownership/let-go.ts'
import { SlotStates } from '../sessions/ownership/slot-states.ts'
import type { Bearings } from '../sessions/restore.ts'
import type { Sessions } from '../sessions/table.ts'
import { Pace } from '../store/pace.ts'
import { Deposed, type Store, StoreError } from '../store/store.ts'
import { OwnerCheck, type OwnerCheckParts } from './datagrams/owner-check.ts'
import { settleStore } from './open-store.ts'
import type { Turns } from './turns.ts'

/** For which part of the time that something may be held exchanges go on in a slot that leaves: what comes for other sensors is held. */
const PATIENCE = 1 / 4
/** How often that is looked at, milliseconds. */
const MOMENT = 5

/** Until a store that could not write is asked again, milliseconds. */
const RETRY = 1000

const sleep = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds))

/** What an ownership works with. */
export interface OwnershipParts
  extends Pick<OwnerCheckParts, 'slotOf' | 'books' | 'handle' | 'giveBack' | 'hold'> {
  readonly sessions: Sessions
  readonly store: Store
  readonly turns: Turns
  readonly bearings: Bearings
  /** the slots that this gateway may serve */
  readonly slots: readonly number[]
  readonly log: Log
}

/** One object from the moment when the store is open. */
export class Ownership {
  /** what is asked before a datagram is handled */
  readonly check: OwnerCheck
  readonly #parts: OwnershipParts
  readonly #states: SlotStates
  readonly #finishing = new Set<number>()
  /** slots that are to be loaded again as soon as they have left */
  readonly #next = new Set<number>()
  /** resolve when what leaves has left, and when nothing is loaded any more */
  #left: Promise<unknown> = Promise.resolve()
  #loaded: Promise<unknown> = Promise.resolve()
  #isClosed = false

  constructor(parts: OwnershipParts) {
    this.#parts = parts
    this.#states = new SlotStates(parts.slots)
    const { slotOf, sessions } = parts
    this.check = new OwnerCheck({
      ...parts,
      states: this.#states,
      isFinishing: (slot) => this.#finishing.has(slot),
      slotAt(key) {
        const session = sessions.byPeer.get(key)
        return session && slotOf(session.clientId)
      },
    })
  }

  /** The slots whose sensors are served. */
  get served(): readonly number[] {
    return this.#states.which('served')
  }

  /** Whether the sensors of this slot are served. */
  servesSlot(slot: number): boolean {
    return this.#states.stateOf(slot) === 'served'
  }

  /** Whether deadlines of this session are to be looked at. */
  serves({ clientId }: Session): boolean {
    return this.#states.isWhole || this.#states.judge(this.#parts.slotOf(clientId)) === 'serve'
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
    // some may have been let go meanwhile
    const stillWanted = () => wanted.filter((slot) => states.stateOf(slot) === 'loading')
    if (stillWanted().length === 0) return
    const loaded = this.#load(new Set(stillWanted()))
    this.#loaded = Promise.allSettled([this.#loaded, loaded])
    try {
      await loaded
    } catch (error) {
      await this.release(stillWanted(), 'closing')
      throw error
    }
    states.enter('served', stillWanted())
    this.#parts.turns.begin()
    this.check.settle()
  }

  async #load(slots: ReadonlySet<number>): Promise<void> {
    const { store, turns, bearings, slotOf } = this.#parts
    const pace = new Pace()
    for await (const piece of store.load(slots)) {
      for (const stored of piece) {
        if (pace.isOver()) await pace.next()
        const slot = slotOf(stored.record.lasting.clientId)
        if (!slots.has(slot) || this.#states.stateOf(slot) !== 'loading') continue
        turns.takeUp(stored, bearings)
      }
    }
  }

  /**
   * Lets go of these slots. `closing` resolves when everything of them is in the store; it rejects, with all of them served as before,
   * if the store cannot write. `deposed` has its effect within this call, and the store is of no use after it.
   */
  release(slots: readonly number[], how: Leaving): Promise<void> {
    const those = (...states: string[]) =>
      new Set(slots.filter((slot) => states.includes(this.#states.stateOf(slot))))
    if (how === 'deposed') {
      this.#cut(those('served', 'loading', 'leaving'), 'absent')
      return Promise.resolve()
    }
    const closed = this.#close(those('served'), those('loading'))
    this.#left = Promise.allSettled([this.#left, closed])
    return closed
  }

  /** Without a word. */
  #cut(slots: ReadonlySet<number>, state: 'absent' | 'leaving'): void {
    if (slots.size === 0) return
    const { sessions, turns } = this.#parts
    const isConcerned = this.#concerns(slots)
    dropAdmitting(sessions, isConcerned)
    for (const session of sessions.byClientId.values())
      if (isConcerned(session.clientId)) turns.letGo(session, 'deposed')
    this.#states.enter(state, slots)
    this.check.settle()
  }

  /** `loading`: nothing has happened to these since they were written. */
  async #close(served: ReadonlySet<number>, loading: ReadonlySet<number>): Promise<void> {
    const { turns } = this.#parts
    const slots = new Set([...served, ...loading])
    this.#states.enter('leaving', slots)
    this.#cut(loading, 'leaving')
    let stays: ReadonlySet<number> = new Set()
    try {
      const isConcerned = this.#concerns(served)
      if (served.size > 0 && !(await this.#writeAll(served, isConcerned))) stays = served
      else await this.#each(isConcerned, (session) => turns.letGo(session, 'closing'))
      if (loading.size > 0) await this.#loaded // what is given later is not given again
      await this.#forget(stays === served ? loading : slots)
    } finally {
      for (const slot of slots) {
        const isNext = this.#next.delete(slot)
        const state = stays.has(slot) ? 'served' : isNext ? 'loading' : 'absent'
        if (this.#states.stateOf(slot) === 'leaving') this.#states.enter(state, [slot])
      }
      this.check.settle()
    }
    if (stays.size > 0) throw new StoreError('the store cannot write: these sensors are served on')
  }

  /** Brings everything of these slots into the store, and to those who wait for that; false if the store cannot write. */
  async #writeAll(slots: ReadonlySet<number>, isConcerned: (clientId: string) => boolean): Promise<boolean> {
    const { sessions, turns, store, log } = this.#parts
    dropAdmitting(sessions, isConcerned)
    await this.#finish(slots, isConcerned)
    await this.#each(isConcerned, (session) => turns.dispatch(session, { type: 'suspend' }))
    return settleStore(store, log) // effects that wait for it are performed first
  }

  /** The sessions are gone from here, so that there is no way back. */
  async #forget(slots: ReadonlySet<number>): Promise<void> {
    const { store, log } = this.#parts
    while (slots.size > 0) {
      try {
        return await store.release(slots)
      } catch (err) {
        if (err instanceof Deposed || this.#isClosed) throw err
        log.error({ err }, 'slots cannot be given away before the store has written')
        await sleep(RETRY)
      }
    }
  }

  /** Waits for the end of exchanges, so that nobody has to repeat himself; but not for long. */
  async #finish(slots: ReadonlySet<number>, isConcerned: (clientId: string) => boolean): Promise<void> {
    const { hold = HOLD_LIMITS.longest } = this.#parts
    const deadline = performance.now() + PATIENCE * hold
    for (const slot of slots) this.#finishing.add(slot)
    let busy: Session[] = []
    await this.#each(isConcerned, (session) => void busy.push(session))
    while (performance.now() < deadline) {
      busy = busy.filter(hasExchange)
      if (busy.length === 0) break
      await sleep(MOMENT)
    }
    for (const slot of slots) this.#finishing.delete(slot)
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
    this.#isClosed = true
    this.#states.enter('absent', this.#parts.slots)
    this.check.close()
  }
}
