// Which message is legal in which state: figure 4 of the specification and table B14 of its reading, as data.

import type { PacketType } from '../codec/v1/messages.ts'

/** States of one sensor as the gateway sees it [6.14, figure 4]; the first three are the steps of a connection setup. */
export const STATES = [
  'willtopic', // waits for WILLTOPIC
  'willmsg', // waits for WILLMSG
  'connecting', // waits for the broker
  'active',
  'asleep',
  'awake',
  'disconnected',
  'lost',
] as const
export type State = (typeof STATES)[number]

interface Stateful {
  readonly state: State
}

/** Answers to a will update that are still to be given [5.4.27, 5.4.28]. */
export type WillAnswers = Set<'willtopicresp' | 'willmsgresp'>

/** Whether its sensor is not there, so that it is kept for the next time or forgotten. */
export const isEnded = ({ state }: Stateful): boolean => state === 'disconnected' || state === 'lost'

/** Whether there is a finished setup and no end: its sensor may be reached, now or when it wakes. */
export const isLive = ({ state }: Stateful): boolean =>
  state === 'active' || state === 'asleep' || state === 'awake'

/** Whether its sensor listens, so that it can be sent messages. */
export const isListening = ({ state }: Stateful): boolean => state === 'active' || state === 'awake'

/** Its will is asked for again since its CONNECT came again: the answer to the first may be under way still, however often it comes. */
export const isAskedAgain = ({
  state,
  setup,
}: Stateful & { readonly setup: { readonly repeated: boolean } }): boolean =>
  setup.repeated && (state === 'willtopic' || state === 'willmsg')

/** Whether it was accepted, and that holds: its connection to the broker is needed, and its will is due should it fall silent. */
export const isAccepted = (session: Parameters<typeof isAskedAgain>[0]): boolean =>
  isLive(session) || isAskedAgain(session)

/**
 * What becomes of a message: `handle` it; `refuse` it with DISCONNECT, so that the sensor connects again [5.4.21];
 * or discard it silently and count it as `ignore` (not legal here) or `unasked` (an answer to nothing).
 */
export type Verdict = 'handle' | 'refuse' | 'ignore' | 'unasked'

/** The kinds of message a sensor may send, by the role they play. */
const requests = [
  'register', 'publish', 'pubrel', 'subscribe', 'unsubscribe', 'pingreq', 'willtopicupd', 'willmsgupd',
] as const // biome-ignore format: one line reads better
const answers = ['regack', 'puback', 'pubrec', 'pubcomp', 'pingresp'] as const
const prompted = ['willtopic', 'willmsg'] as const

/** Messages that only gateways send: discarded in every state [SN-TYP-3]. */
export const fromGateways: ReadonlySet<PacketType> = new Set<PacketType>([
  'connack', 'willtopicreq', 'willmsgreq', 'suback', 'unsuback', 'willtopicresp', 'willmsgresp', 'advertise', 'gwinfo',
]) // biome-ignore format: one line reads better

type Row = Partial<Record<PacketType, Verdict>>

const row = (types: readonly PacketType[], verdict: Verdict): Row =>
  Object.fromEntries(types.map((type) => [type, verdict]))

/** CONNECT and DISCONNECT are legal everywhere: a sensor must always be able to start or end [SN-CONN-10, SN-DISC-4]. */
const always: Row = { connect: 'handle', disconnect: 'handle' }

const setup: Row = {
  ...always,
  ...row(requests, 'ignore'),
  ...row(answers, 'ignore'),
  ...row(prompted, 'unasked'),
}
const connected: Row = {
  ...always,
  ...row(requests, 'handle'),
  ...row(answers, 'handle'),
  ...row(prompted, 'unasked'),
}
const stranger: Row = {
  ...always,
  ...row(requests, 'refuse'),
  ...row(answers, 'unasked'),
  ...row(prompted, 'unasked'),
}

/** One row per state; what a row does not name is `ignore`d. */
export const table: Record<State, Row> = {
  willtopic: { ...setup, willtopic: 'handle' },
  willmsg: { ...setup, willtopic: 'handle', willmsg: 'handle' },
  connecting: setup,
  active: { ...connected, willmsg: 'handle' }, // a repeated WILLMSG right after CONNACK [SN-CONN-16]
  asleep: connected,
  awake: connected,
  disconnected: stranger,
  lost: stranger,
}

const setups: ReadonlySet<State> = new Set<State>(['willtopic', 'willmsg', 'connecting'])
const toSetup: ReadonlySet<PacketType> = new Set<PacketType>([
  'willtopicreq', 'willmsgreq', 'connack', 'disconnect',
]) // biome-ignore format: one line reads better

/** Whether a sensor may be sent this: before CONNACK only what leads there, since some clients give up at the rest [SN-CONN-14]. */
export const maySend = (state: State, type: PacketType): boolean => !setups.has(state) || toSetup.has(type)

/** The verdict on a message of this type in this state; an unknown sender counts as `disconnected` [SN-UNK-1, -2]. */
export const verdict = (state: State, type: PacketType): Verdict => table[state][type] ?? 'ignore'
