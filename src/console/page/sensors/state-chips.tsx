// The filter of the list of sensors: a button for each state, with the number of sensors in it.

import type { GatewayInfo } from '../../contract/gateway.ts'
import type { SensorState } from '../../states.ts'
import { count } from '../parts/format.ts'
import { STATES } from '../words/states.ts'

/** undefined: all of them */
const CHIPS: readonly (SensorState | undefined)[] = [
  undefined,
  'active',
  'asleep',
  'awake',
  'connecting',
  'willtopic',
  'willmsg',
  'disconnected',
  'lost',
]

interface StateChipsProps {
  readonly sensors: GatewayInfo['sensors'] | undefined
  readonly chosen: SensorState | undefined
  readonly choose: (state: SensorState | undefined) => void
}

const numberOf = (sensors: GatewayInfo['sensors'], state: SensorState | undefined) =>
  state === undefined ? Object.values(sensors).reduce((sum, one) => sum + one, 0) : sensors[state]

export function StateChips({ sensors, chosen, choose }: StateChipsProps) {
  return (
    <div class="chips" role="group" aria-label="Filter by state">
      {CHIPS.map((state) => {
        const value = sensors === undefined ? undefined : numberOf(sensors, state)
        // Steps of a connection setup last for moments only.
        const isRare = state !== undefined && STATES[state].tone === 'busy'
        return (
          <button
            key={state ?? ''}
            type="button"
            class="chip"
            hidden={isRare && (value ?? 0) === 0 && chosen !== state}
            aria-pressed={chosen === state}
            data-tip={state && STATES[state].text}
            onClick={() => choose(state)}
          >
            <span>{state === undefined ? 'All' : STATES[state].label}</span>
            <b>{value === undefined ? '' : count(value)}</b>
          </button>
        )
      })}
    </div>
  )
}
