// The states of a sensor as values, for whoever lists or counts them; their type is in view.ts.

import type { SensorState } from './view.ts'

/** All of them, in the order of a sensor's life. */
export const STATES: readonly SensorState[] = [
  'willtopic',
  'willmsg',
  'connecting',
  'active',
  'asleep',
  'awake',
  'disconnected',
  'lost',
]

/** No sensor in any state: where counting begins. */
export const noSensors = (): Record<SensorState, number> => ({
  willtopic: 0,
  willmsg: 0,
  connecting: 0,
  active: 0,
  asleep: 0,
  awake: 0,
  disconnected: 0,
  lost: 0,
})
