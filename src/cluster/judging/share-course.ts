// What a node of several does next, each of which serves its share of the slots: takes what the plan gives it of slots without an owner,
// and gives to the others what the plan has for them. Pure: time is an argument.

import { planSlots } from '../plan.ts'
import { type Situation, type Step, stepToMembership } from './course.ts'
import { type Gift, type Identity, isSame, type Member, type MemberState, type Orphaned } from './engine.ts'

/** Slots that change hands at a time between nodes that live. */
export const BATCH = 32

/** Milliseconds after which slots without an owner are taken by anybody: whom the plan has for them does not do it. */
const FIRST = 500

/** Milliseconds to the next look of a node that expects a change. */
const SOON = 250

/** What is decided from. */
export interface ShareSituation extends Situation {
  /** what this node says of itself */
  readonly state: MemberState
}

/** What follows. */
export interface ShareDecision {
  readonly step: Step
  /** what this node should give away now */
  readonly gifts: readonly Gift[]
  /** slots that are its own */
  readonly own: readonly number[]
  /** whose membership has not ended, this node among them */
  readonly living: readonly Member[]
  /** somebody else could have its slots */
  readonly hasHeirs: boolean
  /** milliseconds to the next look, at most */
  readonly soon: number
}

/** One object for the life of a node; times are monotonic milliseconds unless they are the engine's. */
export class ShareCourse {
  readonly #settle: number
  /** those who share the slots, and since when they have been the same */
  #crowd = ''
  #settledAt = 0
  #plan: readonly string[] = []
  /** since when there have been slots without an owner that somebody else should have taken */
  #neglectedSince: number | undefined

  /** `settle`: milliseconds for which members must have been the same before slots move between nodes that live */
  constructor(settle: number) {
    this.#settle = settle
  }

  next(situation: ShareSituation): ShareDecision {
    const first = stepToMembership(situation)
    const { self, look, now } = situation
    if (first !== undefined || self === undefined) {
      const nothing = { gifts: [], own: [], living: [], hasHeirs: false, soon: Number.POSITIVE_INFINITY }
      return { step: first ?? { type: 'end' }, ...nothing }
    }
    const isGone = goneOf(situation)
    const living = look.members.filter((one) => isSame(one, self) || !isGone(one))
    const crowd = crowdOf(living, self, situation.state)
    const plan = this.#planFor(crowd, now)
    const orphans: number[] = []
    const own: number[] = []
    let isExpecting = false
    for (const [slot, owner] of look.owners.entries()) {
      if (owner === undefined || isGone(owner)) orphans.push(slot)
      else if (isSame(owner, self)) own.push(slot)
      else isExpecting ||= plan[slot] === self.node
    }
    const mayTake = crowd.some((one) => isSame(one, self))
    const wanted = mayTake ? this.#wanted(orphans, plan, self, now) : []
    const isSettled = now - this.#settledAt >= this.#settle && orphans.length === 0
    const mayGive = situation.state === 'draining' || (situation.state === 'active' && isSettled)
    const soonest = Math.min(
      ...living.filter((one) => !isSame(one, self)).map(({ expires }) => expires - look.now),
    )
    const gifts = mayGive ? giftsOf(own, plan, crowd, situation, self) : []
    const isRestless =
      isExpecting || orphans.length > 0 || gifts.length > 0 || situation.state === 'draining' || soonest < 0
    return {
      step: wanted.length > 0 ? takeOf(wanted, situation) : { type: 'serve' },
      gifts,
      own,
      living,
      hasHeirs: crowd.some((one) => !isSame(one, self)),
      // the lease of another one is over then, if it is not renewed
      soon: isRestless ? SOON : soonest + 20,
    }
  }

  /** The node of each slot, by the plan for these. */
  #planFor(crowd: readonly Member[], now: number): readonly string[] {
    const key = crowd
      .map(({ node, incarnation }) => `${node} ${incarnation}`)
      .sort()
      .join()
    if (key === this.#crowd) return this.#plan
    this.#crowd = key
    this.#settledAt = now
    this.#plan = planSlots(crowd.map(({ node }) => node))
    return this.#plan
  }

  /** Of slots without an owner, those that this node takes. */
  #wanted(
    orphans: readonly number[],
    plan: readonly string[],
    self: Identity,
    now: number,
  ): readonly number[] {
    const own = orphans.filter((slot) => plan[slot] === self.node)
    if (own.length === orphans.length) this.#neglectedSince = undefined
    else this.#neglectedSince ??= now
    const isNeglected = this.#neglectedSince !== undefined && now - this.#neglectedSince >= FIRST
    return isNeglected ? orphans : own
  }
}

/** Whether the slots of an owner may be taken; each is judged once. */
function goneOf({ look, judge, now, isProven }: Situation): (owner: Identity) => boolean {
  const known = new Map<number, boolean>()
  return (owner) => {
    const { incarnation } = owner
    const isGone = known.get(incarnation) ?? judge.verdictOn(owner, look, now, isProven) === 'gone'
    known.set(incarnation, isGone)
    return isGone
  }
}

/** Among whom the slots are divided: who serves already, or all who will where nobody does. */
function crowdOf(living: readonly Member[], self: Identity, state: MemberState): readonly Member[] {
  const stateOf = (one: Member): MemberState => (isSame(one, self) ? state : one.state)
  const partners = living.filter((one) => one.link !== undefined && stateOf(one) !== 'draining')
  const serving = partners.filter((one) => stateOf(one) === 'active')
  return serving.length > 0 ? serving : partners
}

function takeOf(slots: readonly number[], { look, isProven }: Situation): Step {
  const from: Orphaned[] = []
  let free = false
  for (const slot of slots) {
    const owner = look.owners[slot]
    if (owner === undefined) free = true
    else if (!from.some((one) => isSame(one, owner))) {
      const member = look.members.find((one) => isSame(one, owner))
      const { node, incarnation } = owner
      from.push({ node, incarnation, proven: member !== undefined && isProven(member) })
    }
  }
  return { type: 'take', from, free, slots }
}

/** The next of those that others should have. */
function giftsOf(
  own: readonly number[],
  plan: readonly string[],
  crowd: readonly Member[],
  { look }: Situation,
  self: Identity,
): readonly Gift[] {
  const gifts: Gift[] = []
  for (const slot of own) {
    if (gifts.length === BATCH) break
    const to = crowd.find(({ node }) => node === plan[slot])
    const owner = look.owners[slot]
    if (to === undefined || owner === undefined || isSame(to, self) || to.expires < look.now) continue
    gifts.push({ slot, epoch: owner.epoch, to: { node: to.node, incarnation: to.incarnation } })
  }
  return gifts
}
