// What a link has besides that authenticates its peers: sessions of its own, which outlive addresses and perhaps the process.

import type { Remote } from '../dtls/effects.ts'
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
  /** The name under which a record is kept that belongs to a slot: whoever serves the slot has it. */
  nameInSlot(slot: number, name: string): string
  /** grows with every write; all writes up to `durable` are on the disk */
  readonly written: number
  readonly durable: number
  /** calls back when everything that was kept so far is on the disk, with the error if that failed and is tried again */
  onDurable(done: (error?: Error) => void): void
}

/** A record that belongs to a slot, by the name that it has there. */
export type SlotRecord = readonly [slot: number, name: string, record: unknown]

/** What a link has to do with others that share sessions with it: each has those of some slots. */
export interface SessionSharing {
  /** a slot that is served here, for a session that begins; undefined: there is none at the moment */
  chooseSlot(): number | undefined
  /** Where that is, for all of those that share: whoever answers finds the way back by it. */
  wayIn(from: Remote): Remote
  /** Where a datagram leaves by the own socket; undefined: it leaves by another one, or not at all. */
  wayOut(to: Remote, bytes: Uint8Array): Remote | undefined
  /** Whether datagrams from there wait elsewhere, so that those which follow have to wait behind them; `from`: see `wayIn`. */
  isWaiting(from: Remote): boolean
  /** Takes a datagram that is of no session here, or has to wait; `from`: see `wayIn`. */
  pass(bytes: Uint8Array, from: Remote): void
  /** A session without connection id, which is found by its address only, is here; `isRestored`: and was somewhere before. */
  noteAddress(at: Remote, session: number, isRestored: boolean): void
  forgetAddress(at: Remote, session: number): void
}

/** The sessions of a link, numbered as in `Association`. */
export interface SecureLink {
  /**
   * Begins to serve: what came before has waited. With a store, sessions that were open when the process ended are open again, and
   * those of now outlive it. `sharing`: it has those of slots only that are taken up later.
   */
  begin(store?: AsideStore, sharing?: SessionSharing): void
  /** Takes up the sessions of these slots, of which there are these records. Returns their numbers. */
  takeUp(slots: ReadonlySet<number>, records: readonly SlotRecord[]): readonly number[]
  /** Lets go of those of these slots, and keeps them in the store as they are. */
  letGo(slots: ReadonlySet<number>): void
  /** Another link has a session at this address: one here that is known by nothing else ends, as nobody can reach it any more. */
  displace(at: Remote): void
  /** Takes a datagram that has come to another link of those that share sessions, or that was for a session which is here by now. */
  hear(bytes: Uint8Array, from: Remote): void
  /** Sends what another link has made of a message. */
  sendSealed(bytes: Uint8Array, to: Remote): void
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
