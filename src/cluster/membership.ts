// Membership in PostgreSQL: what a node asks of the engine, as statements.

import type { Engine, Holding, Identity, Look, Member, MemberState, Orphaned } from './engine.ts'
import { JOIN, LEAVE, LOOK, PRUNE, RENEW, TAKE, TAKE_FREE } from './statements.ts'

/** A connection that carries out one statement after the other; rejects when there is no answer in time. */
export interface Questions {
  ask(statement: string, values: readonly unknown[]): Promise<readonly Record<string, unknown>[]>
}

/** What a member says of itself when it joins. */
export interface Description {
  readonly address: string | undefined
  readonly version: string
  /** what all nodes must agree on */
  readonly config: string
}

interface SeenRow {
  readonly now: number
  readonly renewed: number
  readonly members: readonly (Omit<Member, 'expires'> & { readonly expires: number | null })[]
  readonly holdings: readonly { node: string | null; incarnation: number; slots: number; epoch: number }[]
}

/** `lease`: milliseconds; `describe` is asked whenever the node joins. */
export function createMembership(questions: Questions, lease: number, describe: () => Description): Engine {
  const ask = (statement: string, ...values: unknown[]) => questions.ask(statement, values)

  async function see(statement: string, ...values: unknown[]): Promise<Look> {
    const [row] = (await ask(statement, ...values)) as unknown as SeenRow[]
    if (row === undefined) throw new Error('the engine has given no answer')
    const holdings: Holding[] = []
    let free = 0
    for (const { node, ...rest } of row.holdings) {
      if (node === null) free += rest.slots
      else holdings.push({ node, ...rest })
    }
    const members = row.members.map((one) => ({
      ...one,
      address: one.address ?? undefined,
      version: one.version ?? undefined,
      config: one.config ?? undefined,
      expires: one.expires ?? Number.NEGATIVE_INFINITY,
    }))
    return { now: row.now, renewed: row.renewed > 0, members, holdings, free }
  }

  async function count(statement: string, ...values: unknown[]): Promise<number> {
    const [row] = await ask(statement, ...values)
    return Number(row?.['got'] ?? 0)
  }

  return {
    look: () => see(LOOK),
    async join(node: string, before: Orphaned | undefined): Promise<Identity | undefined> {
      const { address, version, config } = describe()
      const known = [before?.incarnation ?? null, before?.proven ?? false]
      const [row] = await ask(JOIN, node, ...known, lease, address ?? null, version, config)
      if (row === undefined) return undefined
      await ask(PRUNE)
      return { node, incarnation: Number(row['incarnation']) }
    },
    renew: ({ node, incarnation }: Identity, state: MemberState) =>
      see(RENEW, node, incarnation, lease, state),
    take({ node, incarnation }: Identity, from: Orphaned | undefined): Promise<number> {
      if (from === undefined) return count(TAKE_FREE, node, incarnation)
      return count(TAKE, node, incarnation, from.node, from.incarnation, from.proven)
    },
    async leave({ node, incarnation }: Identity): Promise<void> {
      await ask(LEAVE, node, incarnation)
    },
  }
}
