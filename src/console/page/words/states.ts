// What the states of a sensor and of its connection to the broker mean. Pure.

import type { SensorSummary } from '../../contract/sensors.ts'
import type { SensorState } from '../../states.ts'
import { type ToneWords, unknownWords } from './explained.ts'

/** What a state means. `tone` chooses the colour, `label` is shown, `text` explains. */
export const STATES: Readonly<Record<SensorState, ToneWords>> = {
  active: {
    label: 'Active',
    tone: 'good',
    text: 'Connected and listening: messages for it are delivered at once.',
  },
  asleep: {
    label: 'Asleep',
    tone: 'sleep',
    text: 'It saves energy with its radio off. The gateway keeps its messages until it wakes up and asks for them.',
  },
  awake: {
    label: 'Awake',
    tone: 'sleep',
    text: 'It woke up for a moment to collect the messages that waited for it, and goes back to sleep after them.',
  },
  connecting: {
    label: 'Connecting',
    tone: 'busy',
    text: 'It asked to connect. The gateway waits for the broker to accept it.',
  },
  willtopic: {
    label: 'Will topic',
    tone: 'busy',
    text: 'It is connecting and has announced a will. The gateway has asked for the topic of the will.',
  },
  willmsg: {
    label: 'Will message',
    tone: 'busy',
    text: 'It is connecting and has named the topic of its will. The gateway has asked for the message of the will.',
  },
  disconnected: {
    label: 'Disconnected',
    tone: 'off',
    text: 'It said goodbye, was refused, or the gateway ended its connection. It must connect again by itself.',
  },
  lost: {
    label: 'Lost',
    tone: 'bad',
    text: 'It was silent for longer than it promised. The broker published its will, if it had one.',
  },
}

/** A sensor's own connection to the broker. */
export const UPSTREAM: Readonly<Record<SensorSummary['upstream'], ToneWords>> = {
  up: { label: 'Up', tone: 'good', text: 'The connection to the broker that belongs to this sensor stands.' },
  connecting: { label: 'Connecting', tone: 'busy', text: 'The connection to the broker is being opened.' },
  retrying: {
    label: 'Retrying',
    tone: 'warn',
    text: 'The connection to the broker was lost. The gateway tries again, with growing pauses.',
  },
  closed: { label: 'Closed', tone: 'off', text: 'There is no connection to the broker for this sensor.' },
}

/** Never undefined, so that a newer gateway does not break an older page. */
export const stateWords = (state: string): ToneWords =>
  Object.hasOwn(STATES, state) ? STATES[state as SensorState] : unknownWords(state)
export const upstreamWords = (upstream: string): ToneWords =>
  Object.hasOwn(UPSTREAM, upstream) ? UPSTREAM[upstream as SensorSummary['upstream']] : unknownWords(upstream)
