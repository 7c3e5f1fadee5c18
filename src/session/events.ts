// The contract of the session core: what can happen to it (Event) and what it can ask for (Effect). Pure types.

import type { Packet } from '../codec/v1/messages.ts'
import type { BrokerLimits } from './broker/limits.ts'
import type { DeathCause, Message, Outcome, QueuedMessage, Uplink, Will } from './message.ts'
import type { Peer } from './peers.ts'
import type { Refusal } from './refusal.ts'
import type { Session } from './session.ts'
import type { State } from './states.ts'

/** A request that was alone under way when a connection broke; `token` 0: a publish of QoS 0. */
export interface AloneUnderWay {
  readonly token: number
  readonly topic: string
  readonly retain: boolean
  /** octets of the payload */
  readonly length: number
  /** it was under way at a break before, and has never been answered since */
  readonly again: boolean
}

/** What a connection that many share can do besides. */
export interface ConnectionMeans {
  /** QoS 1 and 2 publishes that are sent at once */
  readonly window: number
  /** whether messages can tell which subscriptions they come for */
  readonly identifiers: boolean
}

/** How a message came, for those who hand it on. */
export interface MessageOrigin {
  /** the broker may have sent it before */
  readonly dup: boolean
  /** of the subscriptions that it came for, where the broker tells */
  readonly identifiers: readonly number[]
}

/** What the upstream connection of one session reports. A `token` names the request it answers. */
export type UpstreamEvent =
  | { type: 'connected'; sessionPresent: boolean; limits: BrokerLimits; means?: ConnectionMeans }
  /** the attempt failed: the broker refused (`answered`), could not be reached, or did not answer in time */
  | {
      type: 'refused'
      outcome: 1 | 3
      detail: string
      unreachable?: boolean
      answered?: boolean | undefined
    }
  /**
   * an established connection ended: `lost` = try again, `taken-over` and `forbidden` = do not; `unexplained`: the broker closed
   * it without a word while it serves others, which `lost` follows if that turns out to have been the beginning of an outage.
   * `moved`: it was ended so that it can be made at another broker of the list, or others have ended it who share it, which says
   * nothing about what was under way; `alone`: this request, and no other, was under way at a connection that many share
   */
  | {
      type: 'closed'
      why: 'lost' | 'unexplained' | 'taken-over' | 'forbidden'
      detail: string
      moved?: true
      alone?: AloneUnderWay
    }
  /** QoS 2: the broker has the message (PUBREC); it is released by the effect `release` */
  | { type: 'received'; token: number }
  /**
   * QoS 1: PUBACK; QoS 2: PUBCOMP, or a PUBREC that refuses. `reason`: the broker's own code where it has refused; absent where
   * the connection did not even send it
   */
  | { type: 'published'; token: number; outcome: Outcome; reason?: number }
  | { type: 'subscribed'; token: number; outcome: Outcome; qos: 0 | 1 | 2 }
  | { type: 'unsubscribed'; token: number }
  /** a connection that many share could not give a subscription back to the broker: it is over */
  | { type: 'subscriptionEnded'; filter: string; why: DeathCause }
  /**
   * `ack` is given back in the effect `acknowledge` for QoS 1 and 2; undefined for QoS 0. `packetId`: at QoS 2 the broker's
   * identifier, by which a repetition is known until the broker releases it; 0 otherwise. `origin`: on a connection that many share
   */
  | {
      type: 'message'
      message: Message
      ack: number | undefined
      packetId: number
      /** what the broker sends to others does not wait for this acknowledgement */
      patient?: boolean
      origin?: MessageOrigin
    }
  /** QoS 2: the broker will not repeat this one (PUBREL); completed by `acknowledge` */
  | { type: 'releasing'; packetId: number; ack: number }
  /** the connection's write buffer passed its limit, or drained again */
  | { type: 'congestion'; on: boolean }

/** What a person may ask of a session: `disconnect` tells the sensor; `forget` also deletes what is stored of it. */
export type Command = 'disconnect' | 'forget' | 'clearQueue' | 'discardDeadLetters' | 'resendDeadLetters'

/** All that can happen to one session. */
export type Event =
  | { type: 'packet'; packet: Packet; peer: Peer }
  | UpstreamEvent
  /** `session.wakeAt` has passed */
  | { type: 'deadline' }
  /** other rules or timers hold from now on: `session.policy`, the settings, or both have been replaced */
  | { type: 'rules' }
  /** another sensor, of this ClientId, is at the address where this one was */
  | { type: 'displaced'; by: string }
  /** dead letters of all sensors together are over a limit, and this one has most: its oldest gives way */
  | { type: 'yieldDeadLetter' }
  /** the gateway stops */
  | { type: 'shutdown' }
  /** the gateway stops, and its store keeps the session for the next start */
  | { type: 'suspend' }
  /** a person asks for something */
  | { type: 'command'; command: Command }

/** Why something was discarded: at once log text, metric label and test expectation. */
export type DropReason =
  | 'wrong-direction' // a message that only a gateway sends
  | 'out-of-state' // not legal in this state
  | 'unasked' // an answer to nothing that was asked
  | 'unknown-sender' // from an address without a connection
  | 'rate-limited' // an answer or connection above the rate for one source
  | 'not-allowed' // refused by configuration: QoS -1 topic, forwarder, address
  | 'name-taken' // CONNECT of a sensor that would be the gateway itself, or another sensor, at the broker
  | 'invalid-topic' // QoS -1 with an impossible topic
  | 'suspended-topic' // QoS -1 to a topic at which the broker closes the connection
  | 'invalid-from-broker' // a message of the broker that MQTT does not allow
  | 'upstream-down' // QoS 0 or -1 while the broker cannot be reached
  | 'overloaded' // the gateway gets more than it can handle
  | 'no-owner' // its sensor is not served here
  | 'held-too-long' // its sensor was to be served here in a moment, which did not come
  | 'store-failing' // what needs the disk, while the store cannot write
  | 'congestion' // QoS 0 while the broker connection is congested
  | 'queue-full' // a message for a sensor, over a limit
  | 'superseded' // a message for a sensor, by a newer one of the same topic
  | 'asleep' // a QoS 0 message for a sleeping sensor, where such are not kept
  | 'spool-full' // a message of a sensor that was to wait for the broker, over a limit
  | 'refused' // a stored message of a sensor that the broker will not take: a dead letter
  | 'dead-letters-full' // a dead letter, over a limit
  | 'hung-up' // a message or subscription of a sensor that the broker hangs up at
  | 'unreadable' // a stored message of a sensor that the store cannot give back
  | 'expired' // a message for a sensor, too old
  | 'too-long' // a message for a sensor that its link cannot carry, or longer than the broker may send
  | 'rejected' // a message that the sensor refused
  | 'topic-forgotten' // the registered name of a topic that the sensor did not use, to make room for another
  | 'unregistered' // a message whose REGISTER the sensor never answered
  | 'undeliverable' // a message that a sensor which is there does not take

/**
 * All that the core can ask for. Performed in order; of one session, what others may rely on waits until everything written
 * to the store before it is durable.
 */
export type Effect =
  /**
   * `session`: whose sensor it is, absent for strangers; `repeated`: it was sent before, and not answered; `backed`: what it
   * promises rests on the broker, not on what is being written
   */
  | { type: 'send'; peer: Peer; packet: Packet; session?: Session; repeated?: boolean; backed?: boolean }
  /** opens the session's upstream connection, after closing an older one cleanly; answers `connected` or `refused` */
  | {
      type: 'connect'
      session: Session
      clean: boolean
      /** a connection that was lost is mended: that may wait until the broker can be reached again */
      mend: boolean
      will: Will | undefined
    }
  /** tells those who share connections of a session from the store: its subscriptions are theirs, before any connection opens */
  | { type: 'attach'; session: Session }
  /**
   * `token` names it in the answer, and determines its packet identifier at the broker, so that a repetition after a crash
   * has the same; `repeated`: the broker's session may know it already (DUP)
   */
  | {
      type: 'publish'
      session: Session
      token: number
      topic: string
      payload: Uint8Array
      qos: 0 | 1 | 2
      retain: boolean
      repeated: boolean
    }
  /** QoS 2: lets the broker complete the publish of this token (PUBREL), also one of an earlier connection */
  | { type: 'release'; session: Session; token: number }
  /** `replay: false`: retained messages that this provokes are not wanted [SN-MAP-3] */
  | { type: 'subscribe'; session: Session; token: number; filter: string; qos: 0 | 1 | 2; replay: boolean }
  | { type: 'unsubscribe'; session: Session; token: number; filter: string }
  /** tells the broker that the gateway has taken over a QoS 1 or 2 message, or knows that it was released */
  | { type: 'acknowledge'; session: Session; ack: number }
  /**
   * ends the upstream connection: with MQTT DISCONNECT, or so that the broker publishes the will. `cleanSession`: the broker
   * needs not keep its session
   */
  | { type: 'close'; session: Session; publishWill: boolean; cleanSession: boolean }
  /** QoS -1: on a connection of the gateway's own [7.1]; `peer`: who sent it */
  | { type: 'publishAnonymous'; topic: string; payload: Uint8Array; retain: boolean; peer?: Peer }
  /** writes to the store what seldom changes of a session: registry, subscriptions, will; and its progress */
  | { type: 'save'; session: Session }
  /** writes what often changes: state, address, QoS 2 identifiers. `lazy`: nothing waits for it to be durable */
  | { type: 'saveProgress'; session: Session; lazy: boolean }
  /** deletes the session there, with its messages and publishes */
  | { type: 'forget'; session: Session }
  /** ends what the broker keeps of a session that is forgotten; `expired`: it was not seen for `timers.keepSessions` */
  | { type: 'endAtBroker'; session: Session; expired: boolean }
  /** writes one queued message to the store, or deletes it there */
  | { type: 'keepMessage'; session: Session; message: QueuedMessage }
  | { type: 'dropMessage'; session: Session; message: QueuedMessage }
  /** the same for a publish of the sensor that is on its way to the broker */
  | { type: 'keepUplink'; session: Session; uplink: Uplink }
  | { type: 'dropUplink'; session: Session; uplink: Pick<Uplink, 'token'> }
  /** a publish or subscription was set aside, since the broker hangs up at it or refuses it; `kept`: as a dead letter */
  | {
      type: 'setAside'
      session: Session
      kind: 'publish' | 'subscribe'
      topic: string
      why: DeathCause
      kept: boolean
    }
  /** counted, never fatal; with a `topic` it is also logged; `refusal`: whose message it was, where its sender was refused by that */
  | {
      type: 'drop'
      reason: DropReason
      session: Session | undefined
      topic?: string | undefined
      /** where it came from, if no session and no refusal tells */
      peer?: Peer
      refusal?: Refusal
    }
  /** someone was refused with a return code: counted, logged now and then, shown */
  | { type: 'refused'; refusal: Refusal }
  /** a session of a sensor that is gone makes room for a newcomer, since the table is full: logged now and then */
  | { type: 'gaveWay'; session: Session }
  /** two devices seem to have one ClientId: the session went from `other` to `peer` and back */
  | { type: 'contested'; session: Session; peer: Peer; other: Peer }
  /** the session went from one state to another: one log line; `peer`: its address then, which an ended one loses */
  | { type: 'changed'; session: Session; peer: Peer | undefined; from: State; to: State; why: string }
  /** asks whether this sensor may be here; the answer comes back with the ticket */
  | { type: 'admit'; clientId: string; peer: Peer; ticket: number }
  /** answers SEARCHGW to the whole network and to the one who asked [6.1] */
  | { type: 'gwinfo'; peer: Peer; radius: number }
