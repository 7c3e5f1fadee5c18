// The form of everything that performs effects: one procedure for each kind.

import type { Effect } from '../../session/events.ts'

/** A procedure for each of these kinds of effects, by default for all that there are. */
export type EffectTable<Kind extends Effect['type'] = Effect['type']> = {
  readonly [K in Kind]: (effect: Extract<Effect, { type: K }>) => void
}
