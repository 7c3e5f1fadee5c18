// What goes into the core with every call, and what comes out of it.

import type { FailureCause } from './failure.ts'

/** Where a datagram came from, or goes to; a transport's own object fits and comes back as it is. */
export interface Remote {
  readonly address: string
  readonly port: number
  readonly local?: string | undefined
}

/** How a peer proved who it is; `anonymous` = a client without a certificate where none is demanded. */
export type IdentityKind = 'psk' | 'certificate' | 'anonymous'

/** An established session, as it is shown and logged; nothing in it is secret. */
export interface SessionInfo {
  /** who it is; undefined only for `anonymous` */
  readonly identity: string | undefined
  readonly kind: IdentityKind
  /** name of the cipher suite */
  readonly suite: string
  readonly resumed: boolean
  readonly extendedMasterSecret: boolean
  /** the connection id that the peer puts into its records, in hex; undefined = it uses none */
  readonly connectionId: string | undefined
  /** octets that each record adds to a message, for limits */
  readonly overhead: number
}

/** Why octets were thrown away without an answer. */
export type Discard =
  | 'malformed'
  | 'version'
  | 'no-session'
  | 'replay'
  | 'mac'
  | 'unexpected'
  | 'half-open'
  | 'address-rate'
  | 'sessions'
  | 'early'
  | 'address'
  | 'unproven'
  | 'too-long'
  | 'hello-flood' // the link had more hellos than it could answer

/** What has to be done outside of the core. */
export type Effect =
  /** one datagram */
  | { readonly type: 'send'; readonly bytes: Uint8Array; readonly to: Remote }
  | {
      readonly type: 'open'
      readonly session: number
      readonly info: SessionInfo
      readonly remote: Remote
      /** milliseconds since the hello with a valid cookie; a client does not tell */
      readonly took?: number
    }
  /** one message of the application; a view into the datagram or a buffer of its own */
  | { readonly type: 'data'; readonly session: number; readonly bytes: Uint8Array; readonly remote: Remote }
  /** the peer has another address now */
  | { readonly type: 'moved'; readonly session: number; readonly from: Remote; readonly to: Remote }
  | { readonly type: 'closed'; readonly session: number; readonly why: string }
  /** a handshake came to nothing; `undecrypted` protected records that did not open point to another key */
  | {
      readonly type: 'failed'
      readonly remote: Remote
      readonly identity: string | undefined
      readonly cause: FailureCause
      readonly why: string
      readonly undecrypted: number
    }
  /** a HelloVerifyRequest is among what is sent */
  | { readonly type: 'verify' }
  | { readonly type: 'discard'; readonly reason: Discard }
  /** the key of this identity is asked for: answer by `found` */
  | { readonly type: 'look-up'; readonly ask: number; readonly identity: string }
  /** the session's numbers must be durable before anything behind this effect leaves; see saved.ts of the server */
  | { readonly type: 'save'; readonly session: number }
  | { readonly type: 'forget'; readonly session: number }
  /** secret: a line for the key log file of Wireshark */
  | { readonly type: 'keylog'; readonly line: string }
  /** a mistake in the core; it cost one association */
  | { readonly type: 'fault'; readonly error: unknown }

/** One call: the time, and where effects go. */
export interface Turn {
  /** monotonic, milliseconds */
  readonly now: number
  /** milliseconds since 1970, for dates in certificates and the age of tickets */
  readonly wall: number
  readonly out: Effect[]
}

export const discard = (turn: Turn, reason: Discard): void => {
  turn.out.push({ type: 'discard', reason })
}
