// What people call sensors: as edited in the console, or else as the rule of the sensor says.

import type { SensorLabel } from '../../console/contract/sensors.ts'
import type { Labelled } from './sensor-info.ts'
import { unlabelled } from './sensor-info.ts'

/** ClientIds whose labels by rule are remembered. */
const MOST = 20_000

export interface LabelBook {
  of(clientId: string): Labelled
  /** Edits one, or takes what was edited away. */
  set(clientId: string, label: SensorLabel | undefined): void
}

/** `byRule`: what the rules say; `version`: another object when the rules have changed. */
export function createLabelBook(
  edited: Iterable<readonly [string, SensorLabel]>,
  byRule: (clientId: string) => SensorLabel | undefined,
  version: () => unknown,
): LabelBook {
  const own = new Map<string, Labelled>()
  const known = new Map<string, Labelled>()
  let of: unknown
  const set = (clientId: string, label: SensorLabel | undefined): void => {
    if (label === undefined) own.delete(clientId)
    else own.set(clientId, { ...label, labelledBy: 'console' })
  }
  for (const [clientId, label] of edited) set(clientId, label)
  return {
    of(clientId) {
      const mine = own.get(clientId)
      if (mine !== undefined) return mine
      if (version() !== of || known.size >= MOST) {
        of = version()
        known.clear()
      }
      let label = known.get(clientId)
      if (label === undefined) {
        const ruled = byRule(clientId)
        label = ruled === undefined ? unlabelled : { ...ruled, labelledBy: 'rule' }
        known.set(clientId, label)
      }
      return label
    },
    set,
  }
}
