// Membership in PostgreSQL: what a node asks of the engine, as statements.

import { SLOTS } from '../../sessions/slots.ts'
import type {
  Engine,
  Gift,
  Holding,
  Identity,
  Look,
  Member,
  MemberState,
  Orphaned,
  Owner,
} from '../judging/engine.ts'
import { readLink } from './addresses.ts'
import { GIVE, JOIN, LEAVE, LOOK, PRUNE, RENEW, TAKE, TAKE_FREE } from './statements.ts'

/** Asks the engine one thing after the other; values come as text. Rejects when there is no answer in time. */
export type Ask = (
  statement: string,
  values: readonly (string | number)[],
) => Promise<readonly (readonly (string | null)[])[]>

/** What a member says of itself when it joins. */
export interface Description {
  /** '' where it cannot say */
  readonly address: string
  readonly version: string
  /** what all nodes must agree on */
  readonly config: string
  /** threads that write to the store */
  readonly writers: number
}

interface SeenMember extends Identity {
  readonly address: string | null
  readonly version: string | null
  readonly config: string | null
  readonly state: MemberState
  readonly expires: number | null
}

interface SeenHolding {
  readonly node: string | null
  readonly incarnation: number
  readonly slots: readonly number[]
  readonly epochs: readonly number[]
}

/** `lease`: milliseconds; `describe` is asked whenever the node joins. */
export function createMembership(ask: Ask, lease: number, describe: () => Description): Engine {
  async function see(statement: string, ...values: (string | number)[]): Promise<Look> {
    const [row] = await ask(statement, values)
    if (row === undefined) throw new Error('the engine has given no answer')
    const [renewed, now, members, owners] = row
    const holdings: Holding[] = []
    const ownerOf = new Array<Owner | undefined>(SLOTS).fill(undefined)
    let free = 0
    for (const { node, incarnation, slots, epochs } of JSON.parse(owners ?? '[]') as readonly SeenHolding[]) {
      if (node === null) {
        free += slots.length
        continue
      }
      holdings.push({ node, incarnation, slots: slots.length, epoch: Math.max(...epochs) })
      for (const [i, slot] of slots.entries()) ownerOf[slot] = { node, incarnation, epoch: epochs[i] ?? 0 }
    }
    return {
      now: Number(now),
      renewed: Number(renewed) > 0,
      members: (JSON.parse(members ?? '[]') as readonly SeenMember[]).map(memberOf),
      holdings,
      free,
      owners: ownerOf,
    }
  }

  async function count(statement: string, ...values: (string | number)[]): Promise<number> {
    const [row] = await ask(statement, values)
    return Number(row?.[0] ?? 0)
  }

  return {
    look: () => see(LOOK),
    async join(node: string, before: Orphaned | undefined): Promise<Identity | undefined> {
      const { address, version, config, writers } = describe()
      const known = [before?.incarnation ?? 0, String(before?.proven ?? false)]
      const incarnation = await count(JOIN, node, ...known, lease, address, version, config, writers)
      if (incarnation === 0) return undefined
      await ask(PRUNE, [])
      return { node, incarnation }
    },
    renew: ({ node, incarnation }: Identity, state: MemberState) =>
      see(RENEW, node, incarnation, lease, state),
    take(
      { node, incarnation }: Identity,
      from: Orphaned | undefined,
      slots?: readonly number[],
    ): Promise<number> {
      const wanted = slots === undefined ? '' : `{${slots.join()}}`
      if (from === undefined) return count(TAKE_FREE, node, incarnation, wanted)
      return count(TAKE, node, incarnation, from.node, from.incarnation, String(from.proven), wanted)
    },
    async give({ node, incarnation }: Identity, gifts: readonly Gift[]): Promise<readonly number[]> {
      const [row] = await ask(GIVE, [
        node,
        incarnation,
        JSON.stringify(
          gifts.map(({ slot, epoch, to }) => ({ slot, epoch, node: to.node, incarnation: to.incarnation })),
        ),
      ])
      return JSON.parse(row?.[0] ?? '[]') as readonly number[]
    },
    async leave({ node, incarnation }: Identity): Promise<void> {
      await ask(LEAVE, [node, incarnation])
    },
  }
}

const memberOf = ({ node, incarnation, state, expires, ...said }: SeenMember): Member => ({
  node,
  incarnation,
  state,
  address: said.address ?? undefined,
  link: readLink(said.address ?? undefined),
  version: said.version ?? undefined,
  config: said.config ?? undefined,
  expires: expires ?? Number.NEGATIVE_INFINITY,
})
