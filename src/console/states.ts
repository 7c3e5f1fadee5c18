// The states of a sensor: their type, and their values for whoever lists or counts them.

/** States of a sensor, as in figure 4 of the specification, and the steps of a connection setup. */
export type SensorState =
  | 'willtopic'
  | 'willmsg'
  | 'connecting'
  | 'active'
  | 'asleep'
  | 'awake'
  | 'disconnected'
  | 'lost'

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
