// The contract between the gateway and its connections to the broker, one for each sensor.

import type { DropReason, UpstreamEvent } from '../session/events.ts'
import type { Outcome, Will } from '../session/message.ts'
import type { PoolOptions, SharedRecords, Sharing, SharingSensor } from './aggregating/contract.ts'
import type { UpstreamStats } from './stats.ts'

/** Who a sensor is at the broker. */
export interface Identity {
  readonly clientId: string
  readonly username?: string | undefined
  readonly password?: string | undefined
  /** PEM, for brokers that identify by certificate */
  readonly cert?: string | undefined
  readonly key?: string | undefined
}

/** How one connection is to be made. */
export interface ConnectOptions {
  readonly identity: Identity
  /** the sensor's session is a clean one: the broker forgets what it kept for this client id, unless `mend` is set */
  readonly clean: boolean
  /**
   * true: a connection that was lost is mended, within one session of the sensor. It waits while the gateway's own
   * connection finds no broker, and goes on with what an MQTT 5 broker has kept, also of a clean session [SN-MAP-4]
   */
  readonly mend: boolean
  readonly will: Will | undefined
  /** how many sensors there are: after a restart of the gateway their connections are made one after the other */
  readonly sensors?: number
}

/** Receives what the connection reports; never called from within a call to the connection. */
export type OnUpstreamEvent = (event: UpstreamEvent) => void

/**
 * The upstream connection of one sensor; lives as long as its session and may be opened many times. No method throws
 * or waits; results come as events. Publishes and subscribes that cannot be made (not connected, congested, too many
 * publishes at once) are answered with outcome 1, those that MQTT or this broker cannot carry with outcome 3, or sent with
 * less (`UpstreamOptions.unsupported`); QoS 0 publishes have no other event than these. An unsubscribe that cannot be made is not answered.
 *
 * It keeps nothing beyond a network connection: what is unfinished when that ends gets no answer (subscriptions get
 * outcome 1), and the session asks for it again after the next `connected`.
 */
export interface UpstreamConnection {
  /**
   * Opens, or re-opens with other options: an open connection is first ended with MQTT DISCONNECT, and its events stop at
   * once. Attempts wait for their turn (rate and number of attempts at once are limited for the whole gateway). Always
   * answered with `connected` or `refused`, unless another `connect` or `close` comes first.
   */
  connect(options: ConnectOptions): void
  /**
   * The packet identifier is `1 + (token - 1) % 65535` if that is free, so that a repetition after a crash has the same.
   * `repeated`: sent with DUP if the broker's session went on.
   */
  publish(
    token: number,
    topic: string,
    payload: Uint8Array,
    qos: 0 | 1 | 2,
    retain: boolean,
    repeated: boolean,
  ): void
  /** QoS 2: sends PUBREL for the publish of this token, of this connection or of an earlier one; answered by `published`. */
  release(token: number): void
  /** `replay: false`: retained messages that match are not wanted [SN-MAP-3] */
  subscribe(token: number, filter: string, qos: 0 | 1 | 2, replay: boolean): void
  unsubscribe(token: number, filter: string): void
  /**
   * Answers the broker's message or PUBREL named by `ack`: PUBACK, PUBREC or PUBCOMP. Does nothing if the connection that
   * it came on is gone: the broker will send it again.
   */
  acknowledge(ack: number): void
  /**
   * Ends it, also a running attempt; no event follows. `publishWill`: so that the broker publishes the will; `final`: the
   * broker needs not keep the session.
   */
  close(publishWill: boolean, final: boolean): void
  /**
   * Whether all that it was to say has left this process, CONNECT first: what is said now does not wait behind anything, and is on its
   * way even if the process ends.
   */
  isFlushed(): boolean
  /** Ends it without a word to the broker, as if this process had ended; no event follows. */
  cut(): void
}

/** The upstream connection of a sensor that shares one with others. */
export type SharedMember = UpstreamConnection & Sharing

/** All upstream connections of a gateway. */
export interface Upstream {
  /** Makes a connection object; opens nothing yet. */
  connection(onEvent: OnUpstreamEvent): UpstreamConnection
  /** The same for a sensor that shares one of the connections of a pool, which `UpstreamOptions.pools` has. */
  member(sensor: SharingSensor, onEvent: OnUpstreamEvent): SharedMember
  /**
   * Publishes at QoS 0 for a sender without a connection, on a connection that nothing else depends on [7.1]. It may wait
   * there for a moment. `source`: the address it came from, for the log. Returns false if it is given up, which `onDropped`
   * has been told.
   */
  publishAnonymous(topic: string, payload: Uint8Array, retain: boolean, source?: string): boolean
  /** Publishes at QoS 0 what the gateway has to say itself, on its own connection; false if that is down or congested. */
  publishOwn(topic: string, payload: Uint8Array, retain: boolean): boolean
  /**
   * Tells of every message that is published to this topic while the gateway's own connection is up; not of what was retained
   * there before. Once per topic.
   */
  hearOwn(topic: string, onMessage: (payload: Uint8Array) => void): void
  /** how often the gateway's own connection has been opened: what was retained before that may be elsewhere, or replaced */
  readonly ownOpenings: number
  /** the URL of the broker that is used now */
  readonly url: string
  /** whether the gateway's own connection is up, which stands for the broker's health [AMB-27] */
  readonly healthy: boolean
  /** what is known for logs and metrics */
  stats(): UpstreamStats
  /**
   * Other options for the attempts that start from now on; URLs and version stay. Throws an Error, with nothing changed, if
   * the shared certificates cannot be used.
   */
  renew(options: UpstreamOptions): void
  /** Ends everything, with DISCONNECT, within `deadline` milliseconds. */
  close(deadline: number): Promise<void>
}

/** How TLS is done; also for `wss`. */
export interface TlsOptions {
  /** PEM; the system's own authorities if absent */
  readonly ca?: string | undefined
  /** PEM, for all connections whose identity has none */
  readonly cert?: string | undefined
  readonly key?: string | undefined
  /** the name that the broker's certificate must hold; the URL's host if absent */
  readonly serverName?: string | undefined
  /** false accepts any certificate */
  readonly verify: boolean
}

/** The part of a pino logger that is used here. */
export interface UpstreamLog {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

/** Why the upstream gives a message up. */
export type UpstreamDrop = Extract<
  DropReason,
  'upstream-down' | 'congestion' | 'suspended-topic' | 'invalid-from-broker' | 'too-long'
>

/** What is absent is as the broker says in MQTT 5, or as its answers show. More than it says is never sent [SN-MAP-9]. */
export interface KnownAbilities {
  readonly maximumQos?: 0 | 1 | 2 | undefined
  readonly retain?: boolean | undefined
  readonly wildcards?: boolean | undefined
  /** octets of one packet to the broker */
  readonly maximumPacketSize?: number | undefined
}

/** Everything about the broker. Times are milliseconds. */
export interface UpstreamOptions {
  /**
   * `mqtt`, `mqtts`, `ws` or `wss`, without user and password. Of several, one is used at a time: the first, and the next
   * one where that cannot be reached.
   */
  readonly url: string | readonly string[]
  /**
   * how long a broker that stands earlier in the list must answer before all connections return to it; 0, or absent: they
   * stay where they are
   */
  readonly returnAfter?: number | undefined
  /** `auto`: MQTT 5, and 3.1.1 with a broker that refuses it */
  readonly version: 'auto' | '5' | '3.1.1'
  readonly tls: TlsOptions
  /** addresses of this machine that connections go out from, in turn; as the system chooses, if there are none */
  readonly localAddresses?: readonly string[] | undefined
  /** 0 = none; a broker's own value goes before it [SN-MAP-5] */
  readonly keepAlive: number
  /** from the start of an attempt to CONNACK [SN-MAP-6] */
  readonly connectTimeout: number
  /** seconds that an MQTT 5 broker keeps a session that is not clean [SN-MAP-2] */
  readonly sessionExpirySeconds: number
  /** seconds that an MQTT 5 broker waits for a gateway that is lost before it publishes wills and ends clean sessions; 0 = at once */
  readonly absenceSeconds: number
  /** QoS 1 and 2 messages that an MQTT 5 broker may send at once to one sensor [SN-MAP-7] */
  readonly receiveMaximum: number
  /**
   * octets of one packet that the broker may send: said in MQTT 5; longer messages come without their payload, as unusable. If
   * absent, nothing is said and a packet of more than 16 MiB ends the connection
   */
  readonly maximumIncomingPacket?: number | undefined
  /** what the broker can do, where that is known beforehand */
  readonly abilities?: KnownAbilities | undefined
  /** messages that ask for QoS or retain beyond the broker's: `refuse`d with outcome 3, or sent with what it has */
  readonly unsupported?: 'downgrade' | 'refuse' | undefined
  /** octets of one connection's write buffer above which it is congested [SN-MAP-29] */
  readonly writeBuffer: number
  /** the same for all connections together, of which each has an equal share; no bound if absent */
  readonly totalWriteBuffer?: number | undefined
  /** attempts that may start per second, and that may run at once [SN-MAP-31] */
  readonly connectsPerSecond: number
  readonly connecting: number
  /** who the gateway itself is, for QoS -1 [SN-QM1-4] */
  readonly own: Identity
  /** what the broker publishes when the gateway is gone without a word */
  readonly ownWill?: Will | undefined
  /** connections that sensors share, by the name of the pool */
  readonly pools?: ReadonlyMap<string, PoolOptions> | undefined
  /** what outlives the process of these; nothing does if absent */
  readonly records?: SharedRecords | undefined
  /** ClientIds of all such connections of the gateway: what records tell of others is ended at the broker, unless this is absent */
  readonly sharedNames?: readonly string[] | undefined
  /** pauses before the gateway's own connection is tried again: the first, and the longest */
  readonly reconnect: { readonly min: number; readonly max: number }
  /** asked before every attempt, and again when its way is open; one that may not be made fails as if the broker could not be reached */
  readonly mayConnect?: (() => boolean) | undefined
  /** told whenever the gateway's own connection has ended */
  readonly onOwnEnded?: (() => void) | undefined
  readonly log: UpstreamLog
  /** told of every message that is given up without another event; `source`: the address of its sender, where that is known */
  readonly onDropped?: ((reason: UpstreamDrop, source?: string) => void) | undefined
  /** 0 <= random() < 1; `Math.random` if absent */
  readonly random?: (() => number) | undefined
  /** the monotonic clock of `Message.expiresAt`; `performance.now` if absent */
  readonly now?: (() => number) | undefined
}

/** Maps a broker's answer to MQTT-SN: see `codes.ts`. */
export type MapCode = (code: number) => Outcome
