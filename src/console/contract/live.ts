// What comes over `/api/events`, by the name of the server-sent event. Types only.

import type { SensorState } from '../states.ts'
import type { GatewayInfo } from './gateway.ts'
import type { HappeningBatch } from './happenings.ts'

/** A sensor went from one state to another. */
export interface StateChange {
  readonly at: number
  readonly clientId: string
  readonly from: SensorState
  readonly to: SensorState
  readonly why: string
  readonly address: string | undefined
}

/** One datagram of a watched sensor. */
export interface WatchedPacket {
  /** milliseconds since 1970, with fractions */
  readonly at: number
  readonly direction: 'received' | 'sent'
  readonly clientId: string | undefined
  /** the sensor's side */
  readonly address: string
  readonly port: number
  readonly listener: string
  /** the whole datagram, encapsulation included */
  readonly bytes: Uint8Array
  /** MQTT-SN message type, such as PUBLISH */
  readonly type: string
  /** the topic name that the topic id stands for, where the message has one */
  readonly topic: string | undefined
  /** what matters, in the words of `RecentEntry` */
  readonly text: string
  /** the return code that refuses, where there is one */
  readonly refused: number | undefined
  /** the datagram as a readable tree, one line per field */
  readonly lines: readonly string[]
  /** it was sent before: DUP, or a repetition after T_RETRY */
  readonly repeated: boolean
}

/** One datagram of a listener with DTLS, as it is on the wire. */
export interface WireDatagram {
  /** milliseconds since 1970 */
  readonly at: number
  readonly direction: 'received' | 'sent'
  /** the sensor's side */
  readonly address: string
  readonly port: number
  readonly listener: string
  readonly bytes: Uint8Array
  /** of the session that is open at this address; undefined during handshakes, and of strangers */
  readonly identity: string | undefined
}

/** What passes between the gateway and the broker for a watched sensor: the broker's lane of its conversation. */
export interface BrokerStep {
  readonly at: number
  readonly clientId: string
  readonly direction: 'toBroker' | 'fromBroker'
  /** such as `connect`, `publish`, `published`, `message`, `closed` */
  readonly type: string
  readonly text: string
  /** it says no */
  readonly refused: boolean
}

/** Names and data of the events. `packet` and `broker` come with `?sensor=`; octets are hexadecimal there. */
export interface LiveEvents {
  /** at once, and every second */
  readonly gateway: GatewayInfo
  /** at most 500 in half a second */
  readonly state: StateChange
  /** twice a second at most, where something happened */
  readonly happenings: HappeningBatch
  /** so many changes of state were not told singly: ask for the list again */
  readonly more: { readonly states: number }
  readonly packet: Omit<WatchedPacket, 'bytes'> & { readonly bytes: string }
  readonly broker: BrokerStep
}
