// What a link has besides that authenticates its peers: sessions of its own, which outlive addresses and perhaps the process.

import type { FailureCause } from '../dtls/failure.ts'
import type { ServerOptions } from '../dtls/server/options.ts'
import type { Histogram } from '../histogram.ts'
import type { Association } from '../session/peers.ts'

/** How handshakes ended. */
export type HandshakeResult = 'full' | 'resumed' | FailureCause

/** Kinds of handshakes that open a session: full ones by what was proved, and short ones. */
export type HandshakeKind = 'psk' | 'certificate' | 'resumed'

/** A handshake that came to nothing. */
export interface FailedHandshake {
  /** wall time */
  readonly at: number
  /** with the port */
  readonly address: string
  /** as the peer has said; nothing of it is proved */
  readonly identity: string | undefined
  readonly cause: FailureCause
}

/** Keys and certificates that are in use; nothing secret. */
export interface CredentialStatus {
  /** pre-shared keys; undefined where there are none by configuration. Keys that a program looks up are not among them */
  readonly identities: number | undefined
  /** whether the file of keys is still the one that was read; undefined: there is none */
  readonly pskFile: 'current' | 'changed' | 'unreadable' | undefined
  /** why the last reload kept the keys and certificates of before; undefined: it did not */
  readonly trouble: string | undefined
  /** when the first certificate in each key of the section ends, milliseconds since 1970 */
  readonly certificates: Readonly<Partial<Record<'cert' | 'clientCa', number>>>
}

/** What such a link tells of itself. */
export interface SecureStats {
  readonly sessions: number
  readonly halfOpen: number
  /** how many of these there may be at once */
  readonly limits: { readonly sessions: number; readonly halfOpen: number }
  readonly handshakes: Readonly<Partial<Record<HandshakeResult, number>>>
  /** those that failed lately, latest first, at most 20 */
  readonly failures: readonly FailedHandshake[]
  /** from a hello with a valid cookie to the open session, seconds */
  readonly handshakeTimes: Readonly<Record<HandshakeKind, Histogram>>
  /** sessions that went to another address */
  readonly moves: number
  /** hellos that were asked to show that their address is theirs */
  readonly helloVerifies: number
  /** secrets are written to a file, with which whoever has it reads all */
  readonly keyLog: boolean
  readonly credentials: CredentialStatus
}

/** An open session as it is shown; nothing in it is secret. */
export interface SecureSession {
  readonly identity: string
  readonly kind: Association['kind']
  /** name of the cipher suite */
  readonly suite: string
  readonly resumed: boolean
  readonly extendedMasterSecret: boolean
  /** the peer's records have a connection id, so that its address may change */
  readonly connectionId: boolean
  /** wall time */
  readonly openedAt: number
  /** messages that came in records, and protected records that were sent, since it was opened or the process started */
  readonly received: number
  readonly sent: number
  /** how often its address changed, and when last */
  readonly moves: number
  readonly movedAt: number | undefined
}

/** A datagram of a link as it is on the wire. */
export interface WireDatagram {
  /** wall time */
  readonly at: number
  readonly direction: 'received' | 'sent'
  readonly bytes: Uint8Array
  /** the peer's */
  readonly address: string
  readonly port: number
  /** of the open session that has this address; undefined during handshakes, and of strangers */
  readonly association: Association | undefined
}

/** Told of each datagram; must not throw. */
export type OnWire = (datagram: WireDatagram) => void

/** Records that outlive the process, by a name; `record` is asked when it is written, and undefined deletes. */
export interface AsideStore {
  /** those that were there at the start */
  readonly asides: ReadonlyMap<string, unknown>
  /** `lazy`: it goes along with the next thing that is written, within a second */
  keepAside(name: string, record: () => object | undefined, lazy?: boolean): void
  /** grows with every write; all writes up to `durable` are on the disk */
  readonly written: number
  readonly durable: number
  /** calls back when everything that was kept so far is on the disk, with the error if that failed and is tried again */
  onDurable(done: (error?: Error) => void): void
}

/** The sessions of a link, numbered as in `Association`. */
export interface SecureLink {
  /**
   * Begins to serve: what came before has waited. With a store, sessions that were open when the process ended are open again, and
   * those of now outlive it.
   */
  begin(store?: AsideStore): void
  /** Whether those above hold this session: others end after a while. */
  setInUse(association: number, inUse: boolean): void
  /** Other keys, certificates and limits from now on; sessions end whose key or certificate counts no longer. */
  reconfigure(options: ServerOptions): void
  /** An open session; undefined: there is none of this number. */
  about(association: number): SecureSession | undefined
  /** Ends an open session, so that its peer needs a handshake; false: there is none of this number. */
  end(association: number, why: string): boolean
  /** Calls back for every datagram as it is on the wire, until the returned function is called. */
  watch(onWire: OnWire): () => void
}
