// The share of a node of several: takes up the sensors of slots that are its own by the table, and gives away those that others should have.

import type { Leaving } from '../../sessions/ownership/let-go.ts'
import type { Step } from '../judging/course.ts'
import type { Engine, Gift, Identity } from '../judging/engine.ts'
import { ShareCourse, type ShareDecision, type ShareSituation } from '../judging/share-course.ts'
import type { NodeLog } from '../node-words.ts'
import type { SlotOwners } from '../owners.ts'
import { OwnersView } from './owners-view.ts'

/** Slots that are loaded at a time: the first ones are served while the others are loaded. */
const PIECE = 128

/** Milliseconds to the next look when it is not known what has become of slots, and to the next try when some could not be given away. */
const DOUBT = 250

/** How sensors of slots are taken up, and let go: `Gateway.adopt` and `release`. */
export interface SlotDoor {
  adopt(slots: readonly number[]): Promise<void>
  release(slots: readonly number[], how: Leaving): Promise<void>
}

/** What a share works with. */
export interface ShareParts {
  readonly engine: Pick<Engine, 'give'>
  /** milliseconds for which members must have been the same before slots move between nodes that live */
  readonly settle: number
  readonly log: NodeLog
  /** monotonic milliseconds; `performance.now` unless told */
  now?(): number
  /** looks at the engine at once */
  look(): void
  /** others have slots that are served here: nothing may be done any more but to end */
  onDeposed(why: string): void
}

/** One object for the life of a node. */
export class Share {
  readonly #parts: ShareParts
  readonly #course: ShareCourse
  readonly #view: OwnersView
  readonly #now: () => number
  #door: SlotDoor | undefined
  #decision: ShareDecision | undefined
  #isDraining = false
  /** slots that are served here, that are on their way here, and on their way to others */
  readonly #here = new Set<number>()
  readonly #coming = new Set<number>()
  readonly #leaving = new Set<number>()
  /** slots that were given away, and nobody knows whether that was done */
  readonly #doubtful = new Set<number>()
  /** looks that were asked for before tell nothing new of slots; monotonic milliseconds */
  #changedAt = Number.NEGATIVE_INFINITY
  /** slots that could not be given away are not given before that; monotonic milliseconds */
  #givesAt = Number.NEGATIVE_INFINITY
  #onEmptied: (() => void)[] = []
  /** told to whom slots were given, so that they can be told to look */
  onGiven: ((receivers: readonly string[]) => void) | undefined

  constructor(parts: ShareParts) {
    this.#parts = parts
    this.#now = parts.now ?? (() => performance.now())
    this.#course = new ShareCourse(parts.settle)
    this.#view = new OwnersView(() => parts.look())
  }

  /** whose each slot is */
  get owners(): SlotOwners {
    return this.#view
  }

  /** slots whose sensors are served here */
  get served(): number {
    return this.#here.size
  }

  serves(slot: number): boolean {
    return this.#here.has(slot)
  }

  /** slots that are taken up now, and that are handed over now */
  get arriving(): number {
    return this.#coming.size
  }

  get leaving(): number {
    return this.#leaving.size
  }

  /** slots that are its own by the last look */
  get own(): readonly number[] {
    return this.#decision?.own ?? []
  }

  /** the members that live, by the last look */
  get living(): ShareDecision['living'] {
    return this.#decision?.living ?? []
  }

  /** milliseconds to the next look, at most */
  get soon(): number {
    const { soon = Number.POSITIVE_INFINITY } = this.#decision ?? {}
    return this.#doubtful.size > 0 ? Math.min(soon, DOUBT) : soon
  }

  /** What follows from a look. */
  decide(situation: ShareSituation): Step {
    const decision = this.#course.next(situation)
    this.#decision = decision
    this.#isDraining = situation.state === 'draining'
    const { self, look, state } = situation
    if (self !== undefined && look.renewed) this.#view.note(look, decision.living, self, state)
    return decision.step
  }

  /** The sensors of these slots are served from now on; the rest follows. */
  begin(slots: readonly number[], door: SlotDoor): void {
    this.#door = door
    for (const slot of slots) this.#here.add(slot)
  }

  /** Does what follows from the last look; `askedAt`: when it was asked for. What takes long goes on after this. */
  follow(self: Identity, askedAt: number): void {
    const [decision, door] = [this.#decision, this.#door]
    if (decision === undefined || door === undefined || askedAt < this.#changedAt) return
    const own = new Set(decision.own)
    for (const slot of this.#doubtful) if (!own.has(slot)) this.#doubtful.delete(slot)
    // nobody but the owner gives slots away: whoever did must be believed, and what is in memory here is worth nothing
    if ([...this.#here].some((slot) => !own.has(slot)))
      return this.#parts.onDeposed('slots of this node belong to another one')
    const isIdle = (slot: number) => !this.#coming.has(slot) && !this.#leaving.has(slot)
    if (!this.#isDraining) {
      const found = decision.own.filter((slot) => !this.#here.has(slot) && isIdle(slot))
      const doubtful = found.filter((slot) => this.#doubtful.has(slot))
      if (doubtful.length > 0) void this.#reclaim(self, doubtful)
      void this.#adopt(
        found.filter((slot) => !this.#doubtful.has(slot)),
        door,
      )
    }
    const gifts = decision.gifts.filter(
      ({ slot }) => isIdle(slot) && (this.#isDraining || this.#here.has(slot)),
    )
    if (gifts.length > 0 && this.#leaving.size === 0 && this.#now() >= this.#givesAt)
      void this.#give(self, gifts, door)
    else if (this.#isDraining && this.#leaving.size === 0 && this.#isEmptied) this.#tellEmptied()
  }

  /** Resolves when all slots were given away, or nobody is there to get them. */
  emptied(): Promise<void> {
    if (this.#door === undefined) return Promise.resolve()
    return new Promise((resolve) => void this.#onEmptied.push(resolve))
  }

  get #isEmptied(): boolean {
    const { own = [], hasHeirs = false } = this.#decision ?? {}
    return own.length === 0 || !hasHeirs
  }

  #tellEmptied(): void {
    for (const told of this.#onEmptied.splice(0)) told()
  }

  async #adopt(slots: readonly number[], door: SlotDoor): Promise<void> {
    if (slots.length === 0) return
    const { log } = this.#parts
    for (const slot of slots) this.#coming.add(slot)
    const begun = this.#now()
    try {
      for (let at = 0; at < slots.length; at += PIECE) {
        const piece = slots.slice(at, at + PIECE)
        await door.adopt(piece)
        for (const slot of piece) this.#here.add(slot)
      }
      log.info({ slots: slots.length, took: Math.round(this.#now() - begun) }, 'serving more sensors')
    } catch (err) {
      log.error({ err }, 'sensors cannot be taken up: this is tried again') // at the next look
    } finally {
      for (const slot of slots) this.#coming.delete(slot)
    }
  }

  async #give(self: Identity, gifts: readonly Gift[], door: SlotDoor): Promise<void> {
    const { engine, log } = this.#parts
    const slots = gifts.map(({ slot }) => slot)
    for (const slot of slots) {
      this.#here.delete(slot)
      this.#leaving.add(slot)
    }
    let isDone = false
    try {
      await door.release(slots, 'closing')
      for (const slot of slots) this.#doubtful.add(slot)
      const given = await engine.give(self, gifts)
      for (const slot of slots) this.#doubtful.delete(slot)
      const receivers = [...new Set(gifts.map(({ to }) => to.node))]
      log.info({ slots: given.length, to: receivers }, 'sensors handed over')
      this.onGiven?.(receivers)
      isDone = given.length === slots.length
    } catch (err) {
      log.warn({ err }, 'sensors cannot be handed over: they are served on') // taken up again at the next look
    } finally {
      for (const slot of slots) this.#leaving.delete(slot)
      this.#changedAt = this.#now()
      // the look that follows at once would find the same to be given
      if (!isDone) this.#givesAt = this.#changedAt + DOUBT
    }
    this.#parts.look() // what comes for them is held here until it is known whose they are
  }

  /** Slots that may still be on their way to others get another epoch, so that a gift which arrives late has no effect. */
  async #reclaim(self: Identity, slots: readonly number[]): Promise<void> {
    const { engine, log } = this.#parts
    for (const slot of slots) this.#coming.add(slot)
    try {
      const to = { node: self.node, incarnation: self.incarnation }
      const gifts = slots.map((slot) => ({ slot, epoch: this.#view.ownerOf(slot)?.epoch ?? 0, to }))
      for (const slot of await engine.give(self, gifts)) this.#doubtful.delete(slot)
    } catch (err) {
      log.debug({ err }, 'slots cannot be taken back')
    } finally {
      for (const slot of slots) this.#coming.delete(slot)
      this.#changedAt = this.#now()
    }
    if (!slots.some((slot) => this.#doubtful.has(slot))) this.#parts.look()
  }
}
