// Who takes part in a chaos run: two dozen sensors of mixed kinds, and the topics that they use.

import type { Topic } from '../../src/sensor/sensor.ts'

/** A topic as its sensor calls it, and its name at the broker. */
export interface Named {
  readonly topic: Topic
  readonly name: string
}

/** What one sensor does. */
export interface Role {
  readonly name: string
  readonly cleanSession: boolean
  readonly sleeps: boolean
  /** dies or leaves in every round, and is born again */
  readonly casualty: boolean
  /** its messages are acknowledged when they are in the gateway's store */
  readonly stores: boolean
  readonly publishes: readonly Named[]
  readonly qos: readonly (0 | 1 | 2)[]
  readonly subscribes: readonly (Named & { readonly qos: 0 | 1 | 2 })[]
}

/** A topic that messages are sent to from the broker's side, and who gets them at which QoS at most. */
export interface Target {
  readonly name: string
  readonly receivers: readonly { readonly sensor: string; readonly qos: 0 | 1 | 2 }[]
}

/** Topic names below each wildcard subscription. */
const BELOW = ['a', 'b', 'c']
const SHARED: Named = { topic: { predefined: 200 }, name: 'pre/down/all' }

const sensorName = (index: number) => `c${String(index).padStart(2, '0')}`
const letter = (index: number) => String.fromCharCode(97 + index)

const byName = (index: number): Named[] =>
  ['x', 'y', 'z'].map((part) => `up/${sensorName(index)}/${part}`).map((name) => ({ topic: name, name }))
const byShortName = (index: number): Named => ({
  topic: { short: `U${letter(index)}` },
  name: `U${letter(index)}`,
})
const byId = (index: number): Named => ({
  topic: { predefined: 100 + index },
  name: `pre/up/${sensorName(index)}`,
})
const downName = (index: number): Named => ({
  topic: `down/${sensorName(index)}/it`,
  name: `down/${sensorName(index)}/it`,
})
const downWild = (index: number): Named => ({
  topic: `wild/${sensorName(index)}/+`,
  name: `wild/${sensorName(index)}/+`,
})
const downShort = (index: number): Named => ({
  topic: { short: `D${letter(index)}` },
  name: `D${letter(index)}`,
})
const downId = (index: number): Named => ({
  topic: { predefined: 200 + index },
  name: `pre/down/${sensorName(index)}`,
})

interface Draft {
  clean?: boolean
  sleeps?: boolean
  casualty?: boolean
  stores?: boolean
  up?: (index: number) => Named[]
  qos?: (0 | 1 | 2)[]
  down?: (index: number) => Named[]
  /** QoS of the subscriptions; 2 if not given */
  granted?: 0 | 1 | 2
}

const DRAFTS: Draft[] = [
  { clean: true, up: byName, qos: [0] },
  { up: byName, qos: [0] },
  { clean: true, up: byName, qos: [1] },
  { up: byName, qos: [1] },
  { up: byName, qos: [2] },
  { up: byName, qos: [2] },
  { up: (i) => [byShortName(i)], qos: [1, 2] },
  { up: (i) => [byId(i)], qos: [0, 1, 2] },
  { down: (i) => [downName(i)] },
  { down: (i) => [downWild(i)] },
  { down: (i) => [downShort(i), SHARED] },
  { down: (i) => [downId(i), SHARED] },
  { up: byName, qos: [0, 1, 2], down: (i) => [downName(i), downWild(i)] },
  { up: (i) => [byShortName(i), ...byName(i)], qos: [1, 2], down: (i) => [downName(i)], granted: 0 },
  { sleeps: true, down: (i) => [downName(i)] },
  { sleeps: true, down: (i) => [downWild(i), SHARED] },
  { sleeps: true, down: (i) => [downId(i), downShort(i)], granted: 1 },
  { sleeps: true, up: byName, qos: [1, 2], down: (i) => [downName(i), downWild(i)] },
  { casualty: true, clean: true, up: byName, qos: [0, 1] },
  { casualty: true, clean: true, up: (i) => [byId(i)], qos: [0, 1] },
  { stores: true, up: byName, qos: [1] },
  { stores: true, up: (i) => [byShortName(i), ...byName(i)], qos: [2] },
  { stores: true, sleeps: true, up: byName, qos: [1, 2], down: (i) => [downName(i)] },
]

/** All of them. */
export const roles: readonly Role[] = DRAFTS.map((draft, index) => ({
  name: sensorName(index),
  cleanSession: draft.clean ?? false,
  sleeps: draft.sleeps ?? false,
  casualty: draft.casualty ?? false,
  stores: draft.stores ?? false,
  publishes: draft.up?.(index) ?? [],
  qos: draft.qos ?? [],
  subscribes: (draft.down?.(index) ?? []).map((named) => ({ ...named, qos: draft.granted ?? 2 })),
}))

/** Predefined topics of all, by id, for the gateway's configuration and for the sensors. */
export const predefined: Readonly<Record<string, string>> = Object.fromEntries(
  roles
    .flatMap(({ publishes, subscribes }) => [...publishes, ...subscribes])
    .flatMap(({ topic, name }) =>
      typeof topic === 'object' && 'predefined' in topic ? [[topic.predefined, name]] : [],
    ),
)

/** Where messages for sensors go. */
export const targets: readonly Target[] = (() => {
  const found = new Map<string, { sensor: string; qos: 0 | 1 | 2 }[]>()
  for (const { name: sensor, subscribes } of roles) {
    for (const { name, qos } of subscribes) {
      const names = name.endsWith('+') ? BELOW.map((part) => name.replace('+', part)) : [name]
      for (const each of names) found.set(each, [...(found.get(each) ?? []), { sensor, qos }])
    }
  }
  return [...found].map(([name, receivers]) => ({ name, receivers }))
})()
