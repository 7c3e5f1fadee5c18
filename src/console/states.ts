// The states of a sensor, for whoever lists or counts them.

import { STATES, type State } from '../session/states.ts'

export { STATES }
export type SensorState = State

/** No sensor in any state: where counting begins. */
export const noSensors = (): Record<SensorState, number> =>
  Object.fromEntries(STATES.map((state) => [state, 0])) as Record<SensorState, number>
