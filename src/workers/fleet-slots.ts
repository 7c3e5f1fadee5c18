// The slots of a fleet, as they come and go: each worker has its part of those that are served in this process.

import type { Leaving } from '../sessions/ownership/let-go.ts'
import { SlotStates } from '../sessions/ownership/slot-states.ts'
import { allSlots, workerOfSlot } from '../sessions/slots.ts'
import type { FrontSecurity } from './front-security.ts'
import type { Thread } from './thread.ts'

/** What the slots of a fleet work with. */
export interface FleetSlotsParts {
  /** workers */
  readonly count: number
  thread(index: number): Thread | undefined
  /** sessions that end in the first thread go and come with the slots, too */
  security(): Pick<FrontSecurity, 'takeUp' | 'letGo'>
  /** what is held goes where it can now */
  settle(): void
}

export class FleetSlots {
  readonly states = new SlotStates(allSlots)
  readonly #parts: FleetSlotsParts
  /** slots that are to be loaded again as soon as they have left */
  readonly #next = new Set<number>()
  /** resolves when what leaves has left */
  #left: Promise<unknown> = Promise.resolve()

  constructor(parts: FleetSlotsParts) {
    this.#parts = parts
  }

  /** Of these slots, those of a worker. */
  partOf(index: number, slots: readonly number[]): number[] {
    return slots.filter((slot) => workerOfSlot(slot, this.#parts.count) === index)
  }

  /** What a worker serves, or is to serve when it is there again. */
  servedBy(index: number): number[] {
    return this.partOf(index, this.states.which('served'))
  }

  /** As `Gateway.adopt`. What a worker could not load is not served; the others serve theirs. */
  async adopt(slots: readonly number[]): Promise<void> {
    const wanted = slots.filter((slot) => this.states.stateOf(slot) === 'absent')
    const leaving = slots.filter((slot) => this.states.stateOf(slot) === 'leaving')
    this.states.enter('loading', wanted)
    if (leaving.length > 0) {
      for (const slot of leaving) this.#next.add(slot)
      await this.#left
      wanted.push(...leaving.filter((slot) => this.states.stateOf(slot) === 'loading'))
    }
    await this.#all(wanted, async (thread, part) => {
      try {
        await this.#takeUp(thread, part)
        this.#enter('served', 'loading', part)
      } catch (error) {
        this.#enter('absent', 'loading', part)
        throw error
      }
    })
  }

  /** Their sensors, and the sessions that end in the first thread: both, or none. */
  async #takeUp(thread: Thread, part: readonly number[]): Promise<void> {
    const adopted = thread.call('adopt', part) // at once: they may be released before it is done
    adopted.catch(() => {}) // looked at below
    try {
      await this.#parts.security().takeUp(part)
    } catch (error) {
      await adopted.then(() => thread.call('release', part, 'closing')).catch(() => {})
      throw error
    }
    try {
      await adopted
    } catch (error) {
      // what cannot be written now is written before it is read again
      await this.#parts
        .security()
        .letGo(part, 'closing')
        .catch(() => {})
      throw error
    }
  }

  /** As `Gateway.release`. What a worker cannot give away, since its store cannot write, is served on. */
  release(slots: readonly number[], how: Leaving): Promise<void> {
    const isDeposed = how === 'deposed'
    const leaving = slots.filter((slot) => {
      const state = this.states.stateOf(slot)
      return isDeposed ? state !== 'absent' : state === 'served' || state === 'loading'
    })
    const served = new Set(leaving.filter((slot) => this.states.stateOf(slot) === 'served'))
    this.states.enter(isDeposed ? 'absent' : 'leaving', leaving)
    const left = this.#all(leaving, async (thread, part) => {
      thread.outbox.flush() // what is on its way there comes before
      try {
        await thread.call('release', part, how)
      } catch (error) {
        this.#enter(
          'served',
          'leaving',
          part.filter((slot) => served.has(slot)),
        )
        this.#enter('absent', 'leaving', part)
        throw error
      }
      try {
        await this.#parts.security().letGo(part, how)
      } finally {
        this.#enter('absent', 'leaving', part)
      }
    })
    this.#left = Promise.allSettled([this.#left, left])
    if (isDeposed) this.#parts.settle()
    return left
  }

  #enter(state: 'served' | 'absent', from: 'loading' | 'leaving', slots: readonly number[]): void {
    for (const slot of slots) {
      if (this.states.stateOf(slot) !== from) continue
      const isNext = from === 'leaving' && this.#next.delete(slot) && state === 'absent'
      this.states.enter(isNext ? 'loading' : state, [slot])
    }
    this.#parts.settle()
  }

  /** Has every worker do its part, to the end; rejects if one of them could not. */
  async #all(
    slots: readonly number[],
    step: (thread: Thread, part: readonly number[]) => Promise<void>,
  ): Promise<void> {
    const { count, thread } = this.#parts
    const steps = Array.from({ length: count }, async (_, index) => {
      const [one, part] = [thread(index), this.partOf(index, slots)]
      if (part.length === 0) return
      if (one === undefined) throw new Error('there is no worker')
      await step(one, part)
    })
    const failed = (await Promise.allSettled(steps)).find((one) => one.status === 'rejected')
    if (failed !== undefined) throw failed.reason
  }
}
