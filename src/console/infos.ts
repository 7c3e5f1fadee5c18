// What the console shows of the gateway as a whole: itself, its listeners, its broker, its store. Types only.

import type { SensorState } from './states.ts'

export interface GatewayInfo {
  readonly version: string
  readonly gwId: number
  readonly node: string
  readonly startedAt: number
  /** sensors by state */
  readonly sensors: Readonly<Record<SensorState, number>>
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
  }
}

export interface ListenerInfo {
  readonly name: string
  readonly url: string
  readonly receiveBuffer: number
  readonly receiveBufferAsked: number
  readonly kernelDrops: number | undefined
  readonly sendErrors: number
}

export interface BrokerInfo {
  readonly url: string
  /** the gateway's own connection is up */
  readonly healthy: boolean
  /** why the broker does not accept the gateway; undefined if it does, or cannot be reached */
  readonly trouble?: string | undefined
  readonly version: string | undefined
  readonly connected: number
  readonly connecting: number
  readonly waiting: number
  readonly refused: number
  readonly lost: number
}

/** Where sessions live beyond the process. */
export interface StoreInfo {
  readonly type: 'lmdb' | 'memory'
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
}
