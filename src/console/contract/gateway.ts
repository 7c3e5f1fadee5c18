// What the API tells of the gateway as a whole: itself, its listeners, its broker, its store, its last minutes. Types only.

import type { SensorState } from '../states.ts'

export interface GatewayInfo {
  readonly version: string
  readonly gwId: number
  readonly node: string
  /** what it is called among the nodes that share a database; undefined: there are no others */
  readonly clusterNode?: string | undefined
  readonly startedAt: number
  /**
   * Sensors by state: all that `/api/sensors` lists, those included that have departed and are still remembered. Overview, chips
   * and rows all come from this one count.
   */
  readonly sensors: Readonly<Record<SensorState, number>>
  /** of these, the ones that have departed: they have no session any more */
  readonly departed: number
  /** departed sensors that are not remembered any more, since the gateway started */
  readonly forgotten: number
  readonly queuedMessages: number
  readonly queuedOctets: number
  /** a limit on what waits for all sensors together was reached within the last minute */
  readonly queuesFull: boolean
  /** messages of sensors that the gateway has acknowledged and the broker has not */
  readonly spooledMessages: number
  readonly spooledOctets: number
  /** acknowledged messages of sensors that the broker will not have, until a person decides about them */
  readonly deadLetters: number
  readonly deadLetterOctets: number
  /** counters since the start: datagrams, application messages, drops */
  readonly counters: {
    readonly receivedDatagrams: number
    readonly receivedOctets: number
    readonly sentDatagrams: number
    readonly sentOctets: number
    readonly published: number
    readonly delivered: number
    readonly retransmissions: number
    readonly faults: number
    /** by message type, such as PUBLISH */
    readonly received: Readonly<Record<string, number>>
    readonly sent: Readonly<Record<string, number>>
    /** by reason */
    readonly dropped: Readonly<Record<string, number>>
    /** refusals by reason */
    readonly refusals: Readonly<Record<string, number>>
    /** sensors that fell silent, by what became of their session: `clean` is forgotten, `kept` is not */
    readonly losses: Readonly<Record<string, number>>
  }
}

export interface ListenerInfo {
  readonly name: string
  readonly url: string
  readonly receiveBuffer: number
  readonly receiveBufferAsked: number
  readonly kernelDrops: number | undefined
  readonly sendErrors: number
  /** of a line: a stream of octets, which may go and come back, perhaps with a radio module and many peers behind it */
  readonly link?: LinkInfo | undefined
  /** of a listener with DTLS */
  readonly secure?: SecureInfo | undefined
}

/** A serial line, or a connection to a device server. */
export interface LinkInfo {
  readonly up: boolean
  readonly octets: { readonly received: number; readonly sent: number }
  readonly frames: { readonly received: number; readonly sent: number }
  /** octets that were no message, and messages that could not go out, by reason */
  readonly errors: Readonly<Record<string, number>>
  /** messages that wait for the line */
  readonly queue: number
  /** the last octets that were no message, as text */
  readonly noise: string
  /** frames that wait for the confirmation of a radio module */
  readonly unconfirmed: number
  /** of the last message, where the module tells it: dBm, and 0 to 255 */
  readonly signal?: { readonly rssi?: number | undefined; readonly lqi?: number | undefined } | undefined
  /** addresses that could not be reached several times in a row: how many, and some of them */
  readonly unreachable: { readonly count: number; readonly some: readonly string[] }
  /** where modems call: how many are connected, and how many were turned away since the start */
  readonly connections?: { readonly open: number; readonly refused: number } | undefined
}

/** Upper bounds in seconds, counts at or below each, sum, count. */
export interface HistogramInfo {
  readonly bounds: readonly number[]
  readonly counts: readonly number[]
  readonly sum: number
  readonly count: number
}

/** Keys and certificates of a listener; nothing secret. */
export interface CredentialInfo {
  /** pre-shared keys that are in use; undefined where there are none */
  readonly identities?: number | undefined
  /** whether the file of keys is still the one that was read */
  readonly pskFile?: 'current' | 'changed' | 'unreadable' | undefined
  /** why the last reload kept keys and certificates as they were */
  readonly trouble?: string | undefined
  /** when the first certificate ends, by key of the section: `cert`, `clientCa`; milliseconds since 1970 */
  readonly certificates: Readonly<Record<string, number>>
}

/** A handshake of DTLS that came to nothing. */
export interface FailedHandshake {
  /** milliseconds since 1970 */
  readonly at: number
  readonly address: string
  /** as the sensor has said; nothing of it is proved */
  readonly identity?: string | undefined
  /** such as `wrong-key` */
  readonly cause: string
}

export interface SecureInfo {
  /** sessions that are open, and handshakes under way */
  readonly sessions: number
  readonly halfOpen: number
  /** how many of these there may be at once */
  readonly limits: { readonly sessions: number; readonly halfOpen: number }
  /** how handshakes ended since the start: `full`, `resumed`, or why they failed */
  readonly handshakes: Readonly<Record<string, number>>
  /** those that failed lately, latest first, at most 20 */
  readonly failures: readonly FailedHandshake[]
  /** how long those took that opened a session, by kind: `psk`, `certificate`, `resumed` */
  readonly handshakeTimes: Readonly<Record<string, HistogramInfo>>
  /** sessions that went to another address since the start */
  readonly moves: number
  /** hellos that were asked to show that their address is theirs */
  readonly helloVerifies: number
  /** the secrets of all sessions are written to a file */
  readonly keyLog: boolean
  readonly credentials: CredentialInfo
}

export interface BrokerInfo {
  readonly url: string
  /** the gateway's own connection is up */
  readonly healthy: boolean
  /** why the broker does not accept the gateway, with the key to look at; undefined if it does, or cannot be reached */
  readonly trouble?: string | undefined
  readonly version: string | undefined
  /** how often the gateway's own connection was opened */
  readonly openings: number
  readonly connected: number
  readonly connecting: number
  readonly waiting: number
  readonly refused: number
  readonly lost: number
  /** attempts that found no local port: `broker.localAddresses` */
  readonly portless: number
  /** connections that sensors share, where `connections` says so */
  readonly shared: readonly SharedConnectionInfo[]
}

/** One connection to the broker that many sensors share. */
export interface SharedConnectionInfo {
  /** its ClientId at the broker */
  readonly clientId: string
  readonly connected: boolean
  /** sensors that use it, and filters that they have subscribed */
  readonly sensors: number
  readonly filters: number
  /** requests that wait for their turn, of how many sensors, and those that the broker has not answered */
  readonly waiting: number
  readonly waitingSensors: number
  readonly underWay: number
  /** messages of the broker that not all their sensors have taken */
  readonly handingOut: number
  /** how often it broke, and requests for which there was no room in line, since the start */
  readonly breaks: number
  readonly refused: number
}

/** Where sessions live beyond the process. */
export interface StoreInfo {
  readonly type: 'lmdb' | 'memory' | 'postgres'
  /** why the last write failed; undefined: all is well */
  readonly error: string | undefined
  /** groups written since the start, and the seconds they took */
  readonly groups: number
  readonly seconds: number
  /** writes that failed while something waited for them */
  readonly failures: number
  /** on disk */
  readonly octets: number
  /** answers to sensors and to the broker that wait for a write */
  readonly held: number
  /** the database server, where there is one */
  readonly engine?: EngineInfo | undefined
}

/** The database server that the store is in. */
export interface EngineInfo {
  /** `host:port` */
  readonly host: string
  /** there is a connection, on which it answers */
  readonly up: boolean
  /** what it acknowledges outlives the loss of its machine; undefined as long as that is not known */
  readonly replicated?: boolean | undefined
  /** what is wrong with its settings */
  readonly warnings: readonly string[]
}

/** Totals at one moment; rates are their differences. */
export interface HistorySample {
  /** milliseconds since 1970 */
  readonly at: number
  /** datagrams from and to sensors since the start */
  readonly received: number
  readonly sent: number
  /** application messages to and from the broker since the start */
  readonly published: number
  readonly delivered: number
  /** what was discarded since the start, for whatever reason, and by reason */
  readonly dropped: number
  readonly droppedBy: Readonly<Record<string, number>>
  /** changes of state of sensors since the console started */
  readonly changes: number
  /** messages that wait for sensors now */
  readonly queued: number
  /** attempts to connect a sensor to the broker that failed since the start */
  readonly refused: number
  /** sensors that fell silent since the start */
  readonly losses: number
  /** refusals of whatever kind since the start */
  readonly refusals: number
  /** datagrams that the system dropped since the start, where it tells */
  readonly kernelDrops: number
}

/** What a page asks for once. */
export interface HistoryReport {
  /** the gateway's clock now, milliseconds since 1970: a browser's may differ */
  readonly at: number
  /** milliseconds between two samples: a second, or a minute with `?step=minute` */
  readonly interval: number
  /** oldest first; at most 300 of a second each, or 1,440 of a minute each */
  readonly samples: readonly HistorySample[]
}
