// What is done here for each slot, and so for whoever a message is for: served, held for a moment, or not served here. Pure.

import { SLOTS } from '../slots.ts'

/** `absent`: somebody else serves it, or nobody; `loading` and `leaving`: its sessions come out of the store, or go there. */
export type SlotState = 'absent' | 'loading' | 'served' | 'leaving'

/** What becomes of a message. */
export type Verdict = 'serve' | 'hold' | 'refuse'

/** The states of all slots, of which none is served at first. */
export class SlotStates {
  readonly #states = new Array<SlotState>(SLOTS).fill('absent')
  readonly #part: ReadonlySet<number>
  /** slots of the part that are not served */
  #missing: number
  /** slots that come or go */
  #moving = 0

  /** `part`: the slots that may be served here; only they are missed */
  constructor(part: Iterable<number>) {
    this.#part = new Set(part)
    this.#missing = this.#part.size
  }

  /** Whether all that may be served here is: who is not known then is a stranger. */
  get isWhole(): boolean {
    return this.#missing === 0
  }

  /** Whether slots come or go: it is not known of all yet who is in them. */
  get isMoving(): boolean {
    return this.#moving > 0
  }

  stateOf(slot: number): SlotState {
    return this.#states[slot] ?? 'absent'
  }

  /** The slots in this state. */
  which(state: SlotState): number[] {
    return this.#states.flatMap((one, slot) => (one === state ? [slot] : []))
  }

  /** Moves slots to a state. */
  enter(state: SlotState, slots: Iterable<number>): void {
    for (const slot of slots) {
      const before = this.stateOf(slot)
      this.#missing += missed(state) - missed(before)
      this.#moving += moving(state) - moving(before)
      this.#states[slot] = state
    }
  }

  /**
   * What becomes of a message for this slot; undefined: it comes from an address where no sensor is known. That may be one of a
   * sensor whose session is not here yet, and nobody may be told that he is a stranger while that is so.
   */
  judge(slot: number | undefined): Verdict {
    if (slot === undefined) return this.isWhole ? 'serve' : this.#moving > 0 ? 'hold' : 'refuse'
    const state = this.stateOf(slot)
    return state === 'served' ? 'serve' : state === 'absent' ? 'refuse' : 'hold'
  }
}

const missed = (state: SlotState): number => (state === 'served' ? 0 : 1)
const moving = (state: SlotState): number => (state === 'loading' || state === 'leaving' ? 1 : 0)
