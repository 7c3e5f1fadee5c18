// What connections to the broker work with and share, and whom a network connection tells.

import type { Presence } from '../presence.ts'
import type { Ending } from '../reason-codes.ts'
import type { UpstreamOptions } from '../upstream.ts'
import type { Endpoints } from './brokers/endpoints.ts'
import type { Endings } from './endings.ts'
import type { Failure } from './failures/failure.ts'
import type { KeepAlive } from './keepalive.ts'
import type { Abilities } from './limits/abilities.ts'
import type { Version } from './negotiation.ts'
import type { Pacing } from './pacing.ts'
import type { Decoder, FromBroker } from './packets/decoder.ts'

/** Packets that only an open connection gets. */
export type Traffic = Exclude<FromBroker, { cmd: 'connack' | 'disconnect' | 'pingresp' }>

/** Hears of everything that happens on a socket, until it is ended. */
export interface SocketOwner {
  accepted(sessionPresent: boolean): void
  failed(failure: Failure): void
  ended(ending: Ending, detail: string): void
  /** Throws an Error for what the broker may not send; the connection ends with it. */
  received(packet: Traffic): void
  congested(on: boolean): void
  /** the broker has answered so many of the pings of this socket */
  ponged(pings: number): void
}

/** What all sockets of a gateway share. */
export interface SocketParts {
  readonly options: UpstreamOptions
  readonly endpoints: Endpoints
  readonly decoders: Readonly<Record<Version, Decoder>>
  readonly abilities: Abilities
  readonly endings: Endings
  readonly keepAlive: KeepAlive
  readonly counts: { readonly connected: number }
  /** each connection carries what many sensors have to say: it may have more under way, and tells how messages came */
  readonly carriesMany?: boolean
}

/** A connection that is open, trying or waiting. */
export interface Movable {
  close(publishWill: boolean, final: boolean): void
  /** Another broker is the current one. */
  move(): void
}

/** One object for the connections of all sensors, others for those of the gateway itself. */
export interface Shared extends SocketParts {
  /** undefined: attempts start at once (the gateway's own connection) */
  readonly pacing: Pacing | undefined
  readonly counts: { connected: number; connecting: number; refused: number; lost: number; faults: number }
  /** those that are open, trying or waiting */
  readonly busy: Set<Movable>
  readonly now: () => number
  readonly presence: Presence
  /** told by the gateway's own connection, for all: whether something listens where the broker should be */
  readonly onReach: ((found: boolean) => void) | undefined
  closing: boolean
}
