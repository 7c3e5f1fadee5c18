// What the server keeps of one peer: little while the session is open, more while it is made.

import type { Randoms } from '../crypto/keys.ts'
import type { Ephemeral } from '../crypto/primitives.ts'
import type { Trusted } from '../crypto/x509.ts'
import type { IdentityKind, Remote, SessionInfo } from '../effects.ts'
import type { FlightLimits, FlightPart, Repetition } from '../handshake/flight.ts'
import type { Reassembly } from '../handshake/reassembly.ts'
import type { Transcript } from '../handshake/transcript.ts'
import type { Channel } from '../record/channel.ts'
import type { DtlsRecord } from '../record/record.ts'
import type { Suite } from '../suites.ts'

/**
 * What the server waits for. `looking-up`: for a key from outside. `resumed`: its own flight of a short handshake is sent,
 * and Finished is due.
 */
export type AssociationState =
  | 'certificate'
  | 'key-exchange'
  | 'looking-up'
  | 'cert-verify'
  | 'finished'
  | 'resumed'
  | 'open'
  | 'gone'

/** Until the session is open. */
export interface Handshake {
  readonly suite: Suite
  readonly randoms: Randoms
  readonly helloSeq: number
  readonly extendedMasterSecret: boolean
  readonly sessionId: Uint8Array
  /** the client takes a ticket */
  readonly wantsTicket: boolean
  readonly transcript: Transcript
  readonly reassembly: Reassembly
  readonly limits: FlightLimits
  /** message_seq of our next message */
  sendSeq: number
  flight: FlightPart[]
  readonly repetition: Repetition
  /** when it is given up */
  readonly deadline: number
  readonly startedAt: number
  ephemeral: Ephemeral | undefined
  master: Uint8Array | undefined
  /** a ChangeCipherSpec has come */
  changed: boolean
  /** protected records that came too early */
  early: DtlsRecord[]
  /** messages of the application that came before Finished */
  earlyData: Uint8Array[]
  who: Who
  /** nobody has this identity: the handshake goes on with a random key */
  isUnknown: boolean
  client: Trusted | undefined
  /** point of the client, kept while its key is looked up */
  point: Uint8Array | undefined
  /** protected records that did not open */
  undecrypted: number
}

export interface Who {
  readonly kind: IdentityKind
  readonly identity: string | undefined
  /** see ResumableState */
  readonly credential: string
  readonly notAfter: number
}

/** Octets that may go to a new address before it has sent a second record. */
export interface Unproven {
  octets: number
}

export interface Association {
  readonly id: number
  remote: Remote
  state: AssociationState
  readonly channel: Channel
  /** octets of a message of the application, at most */
  readonly longest: number
  handshake: Handshake | undefined
  /** of an open session */
  info: SessionInfo | undefined
  who: Who | undefined
  /** our last flight, for the case that it got lost; it is kept for a while */
  lastFlight:
    | { readonly parts: FlightPart[]; readonly limits: FlightLimits; readonly until: number }
    | undefined
  /** where it could be resumed from */
  sessionId: Uint8Array
  /** with `persist`: sequence numbers below this one are durable, and may be used */
  reserved: number
  /** somebody above holds this session: it does not end for being idle */
  inUse: boolean
  lastUsed: number
  unproven: Unproven | undefined
  refusedRenegotiation: boolean
}

/** Whether protected records can be read already. */
export const isReadable = ({ state, handshake }: Association): boolean =>
  state === 'open' || ((state === 'finished' || state === 'resumed') && handshake?.changed === true)
