// What the API tells of sensors: rows of a list, and one in depth. Types only.

import type { SensorState } from '../states.ts'
import type { DeadLetterEntry, RefusalEntry, Tone } from './happenings.ts'
import type { SubscriptionEntry, TopicEntry, TopicUse } from './topics.ts'

/** What people call a sensor: from the first rule that says so, or as edited in the console. */
export interface SensorLabel {
  readonly name: string | undefined
  readonly description: string | undefined
  readonly tags: readonly string[]
}

/** A sensor in a list. Times are milliseconds since 1970. */
export interface SensorSummary {
  readonly clientId: string
  /** the node of a cluster that serves it; undefined: there are no others, or it was asked for itself alone */
  readonly node?: string | undefined
  /** friendly name, where it has one */
  readonly name: string | undefined
  readonly tags: readonly string[]
  readonly state: SensorState
  /** it has no session any more: nothing can be done with it but read */
  readonly departed: boolean
  /** when it came into this state, as far as the gateway has seen it; and why, in words */
  readonly since: number | undefined
  readonly why: string | undefined
  /** `127.0.0.1:5000`, with `/node` behind a forwarder; the last known one of a departed sensor */
  readonly address: string | undefined
  readonly listener: string | undefined
  /** when its last message came; undefined if none has since the start */
  readonly heardAt: number | undefined
  /** registered topic names */
  readonly topics: number
  readonly subscriptions: number
  /** messages waiting for it, and their octets */
  readonly queued: number
  readonly queuedOctets: number
  /** its connection to the broker; `retrying` while that is away */
  readonly upstream: 'closed' | 'connecting' | 'up' | 'retrying'
}

/** Who a sensor has proved to be, and its session of DTLS; nothing in it is secret. */
export interface SensorSecurity {
  readonly identity: string
  readonly kind: 'psk' | 'certificate'
  /** number of the session on its listener; behind a forwarder the forwarder's */
  readonly session: number
  /** the session, while it is open; undefined: it is over, and the sensor needs a handshake */
  readonly open: OpenSecurity | undefined
}

export interface OpenSecurity {
  /** name of the cipher suite */
  readonly suite: string
  /** it was opened by a short handshake */
  readonly resumed: boolean
  readonly extendedMasterSecret: boolean
  /** its records have a connection id, so that its address may change */
  readonly connectionId: boolean
  readonly openedAt: number
  /** messages that came in records, and records that were sent, since it was opened or the gateway started */
  readonly received: number
  readonly sent: number
  /** how often its address changed, and when last */
  readonly moves: number
  readonly movedAt?: number | undefined
}

/** One sensor, in depth. */
export interface SensorDetail extends SensorSummary {
  /** undefined: it comes without DTLS, or has no address now */
  readonly secure: SensorSecurity | undefined
  readonly description: string | undefined
  /** where name, description and tags come from */
  readonly labelledBy: 'rule' | 'console' | undefined
  readonly cleanSession: boolean
  /** seconds; 0 = not supervised */
  readonly keepAlive: number
  /** when silence makes it lost; undefined if it is not supervised */
  readonly lostAt: number | undefined
  /** seconds of the present sleep, while it is asleep or awake */
  readonly sleep: number | undefined
  readonly will:
    | {
        readonly topic: string
        readonly qos: 0 | 1 | 2
        readonly retain: boolean
        /** octets of its message */
        readonly octets: number
      }
    | undefined
  readonly registry: readonly TopicEntry[]
  readonly predefined: readonly TopicEntry[]
  readonly subscribed: readonly SubscriptionEntry[]
  /** the messages that wait for it, oldest first; at most 100 */
  readonly queue: readonly QueueEntry[]
  /** what the gateway waits for from it */
  readonly outstanding:
    | {
        readonly kind: string
        readonly msgId: number
        /** repetitions so far */
        readonly tries: number
      }
    | undefined
  /** why nothing is delivered to it right now, in words; undefined if nothing is in the way */
  readonly held: string | undefined
  /** what waits, either way, and why; empty: nothing does */
  readonly waiting: readonly Waiting[]
  /** what it published lately and what was sent to it, latest first, at most 50 topics each */
  readonly published: readonly TopicUse[]
  readonly delivered: readonly TopicUse[]
  /** what is wrong with it, worst first; empty: it is all right */
  readonly findings: readonly Finding[]
  /** its refusals, latest first, at most 20 */
  readonly refusals: readonly RefusalEntry[]
  /** the last messages either way, newest last; at most 200, without their contents and without the PINGs of a sleeper */
  readonly recent: readonly RecentEntry[]
  /** messages to or from it that were discarded since the console started, by reason */
  readonly dropped: Readonly<Record<string, number>>
  /** topic names that it refused to be told about, so that their messages are dropped */
  readonly refusedTopics: readonly string[]
  /** its acknowledged messages that the broker will not have, oldest first; at most 100 */
  readonly deadLetters: readonly DeadLetterEntry[]
  /** why the last broker connection or setup failed, if it did */
  readonly lastError: string | undefined
}

/** What waits, and why. */
export interface Waiting {
  readonly direction: 'toSensor' | 'toBroker'
  readonly why:
    | 'disconnected'
    | 'connecting'
    | 'asleep'
    /** it did not acknowledge: nothing more is sent until it says something */
    | 'paused'
    /** it reported congestion */
    | 'congested'
    | 'link-full'
    /** something is on its way to it and not answered yet */
    | 'unanswered'
    /** the broker has not answered its SUBSCRIBE yet */
    | 'subscribing'
    /** kept back at the broker, since enough waits here */
    | 'withheld'
    | 'broker-away'
    /** under way to the broker, or next */
    | 'broker'
  /** the same in words */
  readonly text: string
  readonly messages: number
  readonly octets: number
}

/** Something that is wrong with a sensor. */
export interface Finding {
  readonly id: string
  readonly tone: Tone
  /** what was found, and what to do next */
  readonly text: string
  readonly next: string
  readonly key: string | undefined
  readonly docs: string | undefined
}

export interface QueueEntry {
  readonly id: number
  readonly topic: string
  readonly qos: 0 | 1 | 2
  readonly retain: boolean
  readonly octets: number
  readonly at: number
}

export interface RecentEntry {
  readonly at: number
  readonly direction: 'received' | 'sent'
  readonly type: string
  /** what matters, in a few words, such as `QoS 1 thermometer/1/celsius, 4 octets` */
  readonly text: string
  /** the return code that refuses, where there is one */
  readonly refused: number | undefined
}

export interface SensorQuery {
  /** part of the ClientId, name, tag or address, without regard to case */
  readonly search?: string | undefined
  /** part of a topic that it has registered or subscribed to, or a topic filter with wildcards */
  readonly topic?: string | undefined
  /** one of its tags, exactly */
  readonly tag?: string | undefined
  readonly state?: SensorState | undefined
  /** names are ordered naturally: meter-9 before meter-10 */
  readonly sort?: 'clientId' | 'name' | 'state' | 'heardAt' | 'queued' | 'topics' | 'since' | undefined
  readonly descending?: boolean | undefined
  readonly offset: number
  /** at most 5000 */
  readonly limit: number
}

/** Sensors that were found: the wanted part of them, and how many there are in all. */
export interface SensorList {
  readonly total: number
  readonly items: readonly SensorSummary[]
}
