// What a node does next, from one look at the engine: wait for its name, become a member, stand by, take slots, serve, or end.
// Pure.

import { SLOTS } from '../../sessions/slots.ts'
import { type Identity, isSame, type Look, type Member, type Orphaned } from './engine.ts'
import type { Judge } from './judge.ts'

/** What keeps a node from serving. */
export type Hindrance =
  /** another process runs under its name, or has until a moment ago */
  | { readonly type: 'name-in-use'; readonly by: Member }
  /** another node owns the slots; `silent`: its lease has run out, and it is given time to renew it */
  | { readonly type: 'standing-by'; readonly owner: Identity; readonly silent: boolean }

/** The next step. */
export type Step =
  | { readonly type: 'join'; readonly before: Orphaned | undefined }
  /** `slots`: these and no others */
  | {
      readonly type: 'take'
      readonly from: readonly Orphaned[]
      readonly free: boolean
      readonly slots?: readonly number[]
    }
  | { readonly type: 'serve' }
  | { readonly type: 'wait'; readonly for: Hindrance }
  /** its membership has ended: others may have its slots */
  | { readonly type: 'end' }

/** What a step is decided from. */
export interface Situation {
  readonly node: string
  /** undefined: it is no member yet */
  readonly self: Identity | undefined
  readonly look: Look
  readonly judge: Judge
  /** monotonic milliseconds */
  readonly now: number
  /** the process of this member is certainly gone */
  isProven(member: Member): boolean
}

/** The steps of whoever is no member yet, or no longer; undefined: it is one. */
export function stepToMembership({ node, self, look, judge, now, isProven }: Situation): Step | undefined {
  if (self === undefined) {
    const before = look.members.find((one) => one.node === node)
    if (before === undefined) return { type: 'join', before: undefined }
    // two processes of one name must not depose each other in turns
    if (judge.verdictOn(before, look, now, isProven) !== 'gone')
      return { type: 'wait', for: { type: 'name-in-use', by: before } }
    const { incarnation } = before
    return { type: 'join', before: { node, incarnation, proven: isProven(before) } }
  }
  return look.renewed ? undefined : { type: 'end' }
}

/** Decides it for a node that serves all slots or none. */
export function nextStep(situation: Situation): Step {
  const first = stepToMembership(situation)
  const { self, look, judge, now, isProven } = situation
  if (first !== undefined || self === undefined) return first ?? { type: 'end' }
  const own = look.holdings.find((owner) => isSame(owner, self))
  if (own?.slots === SLOTS) return { type: 'serve' }
  const from = judge.orphans(self, look, now, isProven)
  const left = look.holdings.filter(
    (owner) => !isSame(owner, self) && !from.some((one) => isSame(one, owner)),
  )
  const free = look.free > 0 && (left.length === 0 || own !== undefined)
  if (from.length > 0 || free) return { type: 'take', from, free }
  const [owner] = left
  if (owner === undefined) return { type: 'end' } // slots are missing in the table
  const silent = judge.verdictOn(owner, look, now, isProven) === 'silent'
  return { type: 'wait', for: { type: 'standing-by', owner, silent } }
}

/**
 * Of whom it matters whether their processes are there: who owns slots, and who has the name of a node that is no member yet. `living`: of
 * several that each serve a share all that live, as slots are planned for them.
 */
export const membersToWatch = (
  node: string,
  self: Identity | undefined,
  { members, holdings }: Look,
  living?: readonly Member[],
): Member[] =>
  members.filter((member) => {
    if (self === undefined && member.node === node) return true
    const isMine = self !== undefined && isSame(member, self)
    const matters = living?.includes(member) || holdings.some((owner) => isSame(owner, member))
    return !isMine && matters
  })
