// Since when members have been in the state that they are in, as far as this node has seen: the engine keeps no times of that.

import type { Engine, Look, Member } from './engine.ts'

/** A member in a state. */
type Seen = Pick<Member, 'node' | 'incarnation' | 'state' | 'expires'>

const nameOf = ({ node, incarnation, state, expires }: Seen): string =>
  JSON.stringify([node, incarnation, state, expires === Number.NEGATIVE_INFINITY])

/** One for the life of a node. */
export class Sightings {
  readonly #now: () => number
  #seen = new Map<string, number>()

  /** `now`: monotonic milliseconds */
  constructor(now: () => number) {
    this.#now = now
  }

  /** The same engine, whose looks are noted. */
  watch(engine: Engine): Engine {
    const noted = async (look: Promise<Look>): Promise<Look> => {
      const { members } = await look
      this.note(members)
      return look
    }
    return {
      ...engine,
      look: () => noted(engine.look()),
      renew: (self, state) => noted(engine.renew(self, state)),
    }
  }

  /** These are the members, and none besides. */
  note(members: readonly Seen[]): void {
    const now = this.#now()
    this.#seen = new Map(
      members.map((member) => {
        const name = nameOf(member)
        return [name, this.#seen.get(name) ?? now]
      }),
    )
  }

  /** How long a member has been in its state, milliseconds. */
  lastingOf(member: Seen): number {
    const now = this.#now()
    return Math.round(now - (this.#seen.get(nameOf(member)) ?? now))
  }
}
