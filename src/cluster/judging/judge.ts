// Who is alive, and whose slots may be taken: judged from what the engine says, and from how long it has been asked. Pure: time
// is an argument.

import { type Holding, type Identity, isSame, type Look, type Member, type Orphaned } from './engine.ts'

/**
 * `lives`: its lease holds. `silent`: it has run out, but for less time than the engine has been watched. `gone`: others may have
 * its slots.
 */
export type Verdict = 'lives' | 'silent' | 'gone'

/** Parts of a lease: after which, without an answer or by the engine's clock, a look counts as the first one again, and after which a node that is asked says that it has no engine. */
const GAP = 0.5
const SILENCE = 0.4

/** Judges others. One object for the life of a node; times are monotonic milliseconds unless they are the engine's. */
export class Judge {
  readonly #lease: number
  /** since when the engine has answered without a break, and its last answer */
  #since: number | undefined
  #last = Number.NEGATIVE_INFINITY
  /** how far the engine's clock was ahead then, and what it was asked was under way */
  #offset = 0
  /** until then it had no engine, as others were told */
  #toldAt = Number.NEGATIVE_INFINITY

  /** `lease`: milliseconds */
  constructor(lease: number) {
    this.#lease = lease
  }

  /** The engine has answered what it was asked then; `time`: its own, when it did so. */
  noteAnswer(askedAt: number, time: number): void {
    // who has slept knows nothing of what happened meanwhile
    const hasSlept = askedAt - this.#last > this.#lease * GAP
    // its clock was set, or it is another server: leases that others hold may look as if they were over, until they are renewed
    const isSet = Math.abs(time - askedAt - this.#offset) > this.#lease * GAP
    if (this.#since === undefined || hasSlept || isSet) {
      // the question may have been under way when others were told that nothing is answered
      this.#since = Math.max(askedAt, this.#toldAt)
    }
    this.#last = askedAt
    this.#offset = time - askedAt
  }

  /** The engine has not answered. */
  noteSilence(): void {
    this.#since = undefined
  }

  /**
   * Since when the engine has answered without a break, for another node that has to know; undefined: it does not answer. That is a
   * promise: nobody is judged by what the engine has said before this call, nor within a lease after it.
   */
  tellSince(now: number): number | undefined {
    if (this.#since !== undefined && now - this.#last <= this.#lease * SILENCE) return this.#since
    this.#since = undefined
    this.#toldAt = now
    return undefined
  }

  /**
   * Whether the engine has been there for a whole lease: when it was away, every lease has run out, also that of nodes that are
   * well, and the first one that finds it again must not take what belongs to those.
   */
  isInformed(now: number): boolean {
    return this.#since !== undefined && now - this.#since >= this.#lease
  }

  /** `isProven`: its process is certainly gone. */
  verdictOn(
    owner: Identity,
    look: Look,
    now: number,
    isProven: (member: Member) => boolean = () => false,
  ): Verdict {
    const member = look.members.find((one) => isSame(one, owner))
    if (member === undefined || member.expires === Number.NEGATIVE_INFINITY) return 'gone'
    if (isProven(member)) return 'gone'
    if (member.expires >= look.now) return 'lives'
    return this.isInformed(now) ? 'gone' : 'silent'
  }

  /**
   * Whose slots `self` should take now; they are taken by those who own slots already, and by others only when no owner lives: so
   * one node of a pair has all of them.
   */
  orphans(
    self: Identity,
    look: Look,
    now: number,
    isProven: (member: Member) => boolean,
  ): readonly Orphaned[] {
    const others = look.holdings.filter((owner) => !isSame(owner, self))
    const verdicts = new Map<Holding, Verdict>()
    for (const owner of others) verdicts.set(owner, this.verdictOn(owner, look, now, isProven))
    const isOwner = look.holdings.some((owner) => isSame(owner, self))
    if (!isOwner && others.some((owner) => verdicts.get(owner) !== 'gone')) return []
    return others
      .filter((owner) => verdicts.get(owner) === 'gone')
      .map(({ node, incarnation }) => {
        const member = look.members.find((one) => isSame(one, { node, incarnation }))
        return { node, incarnation, proven: member !== undefined && isProven(member) }
      })
  }
}
