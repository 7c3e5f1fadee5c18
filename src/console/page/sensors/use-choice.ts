// Which sensors of the list are chosen, so that something is done with all of them at once.

import { useState } from 'preact/hooks'
import { api } from '../data/api.ts'
import type { ListQuery } from './sensor-rows.ts'

/** Sensors that something can be done with at once. */
const MOST = 1000

interface Choice {
  readonly chosen: ReadonlySet<string>
  choose(clientId: string, isChosen: boolean): void
  /** all that are found with the present query, or none */
  chooseAll(areChosen: boolean): Promise<void>
  chooseNone(): void
}

export function useChoice(query: ListQuery): Choice {
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set())
  return {
    chosen,
    choose(clientId, isChosen) {
      const next = new Set(chosen)
      if (isChosen) next.add(clientId)
      else next.delete(clientId)
      setChosen(next)
    },
    async chooseAll(areChosen) {
      if (!areChosen) return setChosen(new Set())
      const { items } = await api.sensors({ ...query, offset: 0, limit: MOST })
      setChosen(new Set(items.map(({ clientId }) => clientId)))
    },
    chooseNone: () => setChosen(new Set()),
  }
}
