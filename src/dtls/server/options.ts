// What a server may be told, and what holds where it is not.

import type { Trust } from '../crypto/x509.ts'
import type { Remote } from '../effects.ts'
import type { Credentials } from '../handshake/credentials.ts'
import type { Place } from '../slots.ts'
import { GROUPS, type Group, SUITES, type Suite, suiteOf } from '../suites.ts'

/** A key for an identity; `later` = the answer comes by `found`. Keys of fewer than 8 octets or more than 64 count as none. */
export type FindKey = (identity: string) => Uint8Array | undefined | 'later'

export interface ServerOptions {
  readonly findKey?: FindKey | undefined
  /** the server's own */
  readonly certificate?: Credentials | undefined
  /** whose certificates count; without it clients of a server with a certificate stay anonymous */
  readonly clientTrust?: Trust | undefined
  readonly clientCertificate?: 'required' | 'optional'
  /** codes of suites, and numbers of groups, in the order of preference */
  readonly suites?: readonly number[] | undefined
  readonly groups?: readonly Group[] | undefined
  /** octets, 0 = no connection ids */
  readonly connectionIdLength?: number
  readonly extendedMasterSecret?: 'preferred' | 'required'
  /** milliseconds that a session may be resumed, 0 = never */
  readonly resumption?: number
  /** sessions kept for resumption by id; clients that take tickets are not among them */
  readonly resumable?: number
  readonly tickets?: boolean
  /** largest datagram of a handshake, octets */
  readonly mtu?: number
  /** first pause before a flight is repeated, and how long a whole handshake may take, milliseconds */
  readonly retransmit?: number
  readonly handshake?: number
  /** milliseconds after which a session that is not in use ends */
  readonly idle?: number
  /** handshakes under way at once */
  readonly handshakes?: number
  /** verified hellos of one address in a second */
  readonly handshakesPerAddress?: number
  /** sessions at once */
  readonly sessions?: number
  readonly keyLog?: boolean
  /** sessions are to outlive the process: `save` and `forget` are told */
  readonly persist?: boolean
  /** asked before a session moves to another address */
  readonly mayMove?: ((session: number, to: Remote) => boolean) | undefined
  /** of a server that shares sessions with others: where one that begins is to be; undefined: nowhere at the moment */
  readonly place?: (() => Place | undefined) | undefined
}

export type ServerSettings = Readonly<
  Required<
    Omit<ServerOptions, 'findKey' | 'certificate' | 'clientTrust' | 'suites' | 'groups' | 'mayMove' | 'place'>
  >
> & {
  readonly suites: readonly Suite[]
  readonly groups: readonly Group[]
  readonly findKey: FindKey | undefined
  readonly certificate: Credentials | undefined
  readonly clientTrust: Trust | undefined
  readonly mayMove: (session: number, to: Remote) => boolean
  readonly place: ServerOptions['place']
}

const HOUR = 3_600_000

/** Throws where there is neither a way to find keys nor a certificate, and for suites that are not known. */
export function settingsOf(options: ServerOptions): ServerSettings {
  const { findKey, certificate } = options
  if (findKey === undefined && certificate === undefined)
    throw new Error('a DTLS server needs pre-shared keys or a certificate')
  const suites = (options.suites ?? SUITES.map(({ code }) => code)).map((code) => {
    const suite = suiteOf(code)
    if (suite === undefined) throw new Error(`cipher suite 0x${code.toString(16)} is not known`)
    return suite
  })
  return {
    findKey,
    certificate,
    clientTrust: options.clientTrust,
    clientCertificate: options.clientCertificate ?? 'required',
    // what cannot be spoken is not chosen
    suites: suites.filter(({ exchange }) =>
      exchange === 'ecdhe-ecdsa' ? certificate !== undefined : findKey !== undefined,
    ),
    groups: options.groups ?? GROUPS,
    connectionIdLength: options.connectionIdLength ?? 6,
    extendedMasterSecret: options.extendedMasterSecret ?? 'preferred',
    resumption: options.resumption ?? 24 * HOUR,
    resumable: options.resumable ?? 10_000,
    tickets: options.tickets ?? true,
    mtu: options.mtu ?? 1200,
    retransmit: options.retransmit ?? 2000,
    handshake: options.handshake ?? 60_000,
    idle: options.idle ?? HOUR,
    handshakes: options.handshakes ?? 1000,
    handshakesPerAddress: options.handshakesPerAddress ?? 100,
    sessions: options.sessions ?? 12_500,
    keyLog: options.keyLog ?? false,
    persist: options.persist ?? false,
    mayMove: options.mayMove ?? (() => true),
    place: options.place,
  }
}
