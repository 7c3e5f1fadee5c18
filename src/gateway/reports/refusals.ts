// Whoever is refused is counted by reason, shown, and logged: one line per reason and address in a minute, with the key of the
// configuration that decides, so that nobody has to guess why a sensor does not get in.

import type { Log } from '../../log.ts'
import type { Effect } from '../../session/events.ts'
import { describePeer } from '../../session/peers.ts'
import type { Refusal, RefusalReason } from '../../session/refusal.ts'
import { type Counters, incrementCounter } from '../counters.ts'

interface Explanation {
  readonly text: string
  /** the key of the configuration to look at */
  readonly key?: string
  /** what needs nobody's attention, or is logged elsewhere, is not at level warn */
  readonly level?: 'info' | 'debug'
}

/** What each reason means, and where it can be changed. */
export const EXPLANATIONS: Readonly<Record<RefusalReason, Explanation>> = {
  'address-not-admitted': {
    text: 'its address may not send here',
    key: 'listeners[].allow, listeners[].deny',
  },
  'forwarder-not-listed': {
    text: 'it speaks for other nodes, and its address is not listed as that of a forwarder',
    key: 'listeners[].forwarders',
  },
  'wrong-protocol': { text: 'its CONNECT has a ProtocolId other than 0x01: it speaks no MQTT-SN 1.2' },
  'client-id-empty': { text: 'its CONNECT has no ClientId' },
  'client-id-too-long': { text: 'its ClientId is longer than allowed', key: 'limits.clientIdLength' },
  'client-id-impossible': { text: 'its ClientId is no text that MQTT can carry' },
  'client-id-reserved': {
    text: 'the gateway or another sensor has its ClientId at the broker',
    key: 'broker.clientId, sensors[].clientId',
  },
  'client-id-contested': { text: 'another device had its ClientId a moment ago', level: 'debug' },
  denied: { text: 'a rule denies its ClientId', key: 'sensors[].deny' },
  'wrong-address': { text: 'its rule does not allow its address', key: 'sensors[].from' },
  'wrong-identity': {
    text: 'its ClientId is not for who it has proved to be',
    key: 'sensors[].identity',
  },
  'not-admitted': { text: 'it is not among the sensors that may be here', key: 'admission' },
  'admission-unavailable': {
    text: 'nobody could tell whether it may be here',
    key: 'admission.http',
    level: 'debug',
  },
  'too-many-sensors': { text: 'there are as many sessions as may be', key: 'limits.sensors' },
  'too-many-of-address': {
    text: 'its address has as many sessions as one may have',
    key: 'limits.sensorsPerAddress',
  },
  'too-many-connects': {
    text: 'its address sends more CONNECTs per second than one may',
    key: 'limits.connectsPerAddress',
  },
  'will-impossible': { text: 'its will has a topic or QoS that no will can have' },
  'broker-unavailable': { text: 'the broker cannot be reached, or does not answer', level: 'debug' },
  'broker-refused': { text: 'the broker refused it', key: 'broker, sensors[].username' },
  'broker-hung-up': { text: 'the broker closes the connection at such a message' },
  stopping: { text: 'the gateway stops', level: 'debug' },
  'unknown-sender': { text: 'it has no connection, and was told to connect', level: 'info' },
  'too-many-answers': {
    text: 'its address asks for more answers per second than one gets without a connection',
    key: 'limits.repliesPerAddress, limits.repliesPerPeer',
    level: 'info',
  },
  'qos-minus-one-off': {
    text: 'messages without a connection are switched off',
    key: 'qosMinusOne.enabled',
  },
  'qos-minus-one-source': {
    text: 'messages without a connection may not come from its address',
    key: 'qosMinusOne.from',
  },
  'qos-minus-one-topic': {
    text: 'this topic is not for messages without a connection',
    key: 'qosMinusOne.topics',
  },
  'qos-minus-one-rate': {
    text: 'its address sends more messages without a connection per second than one may',
    key: 'qosMinusOne.perAddress',
  },
  'topic-impossible': { text: 'it named a topic that MQTT cannot carry' },
  'topic-id-unknown': { text: 'it used a topic id that stands for no topic', key: 'predefined' },
  'topic-not-permitted': {
    text: 'its rule does not let it use this topic',
    key: 'sensors[].publish, sensors[].subscribe',
  },
  'too-many-topics': { text: 'it has as many topics as a sensor may have', key: 'limits.topicsPerSensor' },
  'too-many-subscriptions': {
    text: 'it has as many subscriptions as a sensor may have',
    key: 'limits.subscriptionsPerSensor',
  },
  'too-many-requests': { text: 'as many of its requests as allowed are under way', key: 'limits.inflight' },
  'qos-impossible': { text: 'it asked for a QoS that a subscription cannot have' },
  'broker-cannot': { text: 'the broker has no such QoS, size, wildcard or retained messages' },
  congestion: { text: 'the way to the broker is full', key: 'broker.writeBuffer', level: 'debug' },
  overloaded: { text: 'the gateway has more to do than it can', level: 'debug' },
  'store-failing': { text: 'the store cannot write what it needs', key: 'store.path', level: 'debug' },
}

/** Milliseconds between two lines about the same. */
const INTERVAL = 60_000

/** Lines in such an interval, and what is remembered: a flood from forged addresses must fill neither log nor memory. */
const MOST_LINES = 100
const MOST_KNOWN = 5000

/** A line that was logged: when, and how often the same has happened since. */
interface Line {
  at: number
  since: number
}

/** What refusals are reported with. */
export interface RefusalParts {
  readonly counters: Counters
  readonly log: Log
  /** takes every refusal, for those who look on */
  onRefused(refusal: Refusal): void
  /** monotonic milliseconds */
  now?(): number
}

/** Counts, shows and logs refusals; none of these throws. */
export interface Refusals {
  report(refusal: Refusal): void
  /** two devices with one ClientId: one line a minute, with both addresses */
  reportContested(effect: Pick<Extract<Effect, { type: 'contested' }>, 'session' | 'peer' | 'other'>): void
  /** sessions gave way to newcomers: one line a minute */
  reportGaveWay(): void
}

/** One for the life of a gateway. */
export function createRefusals(parts: RefusalParts): Refusals {
  const { counters, log, onRefused, now = () => performance.now() } = parts
  const lines = new Map<string, Line>()
  let spent = 0
  let spentSince = Number.NEGATIVE_INFINITY

  /** How often it has happened since its last line, this time included; undefined if that line is too young. */
  function timesToTell(key: string): number | undefined {
    const at = now()
    const known = lines.get(key)
    if (known !== undefined && at - known.at < INTERVAL) {
      known.since += 1
      return undefined
    }
    if (at - spentSince >= INTERVAL) {
      spent = 0
      spentSince = at
    }
    if (spent >= MOST_LINES) return undefined
    spent += 1
    if (lines.size >= MOST_KNOWN) lines.clear()
    lines.set(key, { at, since: 0 })
    return 1 + (known?.since ?? 0)
  }

  function logRefusal({ reason, peer, clientId, returnCode, detail }: Refusal): void {
    const { text, key, level = 'warn' } = EXPLANATIONS[reason]
    if (!log.isLevelEnabled(level)) return
    const times = timesToTell(`${reason} ${peer.address}`)
    if (times === undefined) return
    const fields = {
      reason,
      clientId,
      peer: describePeer(peer),
      listener: peer.listener.name,
      returnCode,
      detail,
      key,
    }
    log[level]({ ...fields, times }, `refused: ${text}`)
  }

  return {
    report(refusal) {
      incrementCounter(counters.refusals, refusal.reason)
      onRefused(refusal)
      logRefusal(refusal)
    },
    reportContested({ session: { clientId }, peer, other }) {
      const times = timesToTell(`contested ${clientId}`)
      if (times === undefined) return
      const peers = [describePeer(other), describePeer(peer)]
      log.warn({ clientId, peers, times }, 'two devices have the same ClientId: give each its own')
    },
    reportGaveWay() {
      const times = timesToTell('gave way')
      if (times === undefined) return
      const text =
        'there are as many sessions as may be: those of sensors that are gone give way to newcomers'
      log.warn({ key: 'limits.sensors, limits.sensorsPerAddress', sessions: times }, text)
    },
  }
}
