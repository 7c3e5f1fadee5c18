// What a client may be told, and what holds where it is not.

import type { Trust } from '../crypto/x509.ts'
import type { Remote } from '../effects.ts'
import type { Credentials } from '../handshake/credentials.ts'
import { GROUPS, type Group, SUITES, type Suite, suiteOf } from '../suites.ts'

/** What a session leaves behind for a short handshake later; secret. */
export interface ClientResumption {
  readonly suite: number
  readonly master: Uint8Array
  /** empty where there is a ticket */
  readonly sessionId: Uint8Array
  readonly ticket: Uint8Array | undefined
}

export interface ClientOptions {
  readonly remote: Remote
  readonly psk?: { readonly identity: string; readonly key: Uint8Array } | undefined
  /** the client's own certificate */
  readonly certificate?: Credentials | undefined
  /** whose certificates of servers count; demanded for suites with certificates */
  readonly serverTrust?: Trust | undefined
  readonly suites?: readonly number[] | undefined
  readonly groups?: readonly Group[] | undefined
  /** octets of the id in records to us: 0 = only our records carry one, `off` = none do */
  readonly connectionIdLength?: number | 'off'
  readonly extendedMasterSecret?: 'preferred' | 'required' | 'off'
  readonly tickets?: boolean
  readonly resume?: ClientResumption | undefined
  /** octets of a record's plaintext, for small receivers */
  readonly maxFragmentLength?: 512 | 1024 | 2048 | 4096 | undefined
  readonly mtu?: number
  readonly retransmit?: number
  readonly handshake?: number
  readonly keyLog?: boolean
}

export type ClientSettings = Readonly<
  Required<
    Omit<
      ClientOptions,
      'psk' | 'certificate' | 'serverTrust' | 'suites' | 'groups' | 'resume' | 'maxFragmentLength'
    >
  >
> &
  Pick<ClientOptions, 'psk' | 'certificate' | 'serverTrust' | 'resume' | 'maxFragmentLength'> & {
    readonly suites: readonly Suite[]
    readonly groups: readonly Group[]
  }

/** Throws where nothing can be spoken: neither a key nor somebody to trust. */
export function clientSettingsOf(options: ClientOptions): ClientSettings {
  const { psk, serverTrust } = options
  const wanted = options.suites ?? SUITES.map(({ code }) => code)
  const suites = wanted
    .map((code) => suiteOf(code))
    .filter((suite) => suite !== undefined)
    .filter(({ exchange }) => (exchange === 'ecdhe-ecdsa' ? serverTrust !== undefined : psk !== undefined))
  if (suites.length === 0)
    throw new Error(
      'a DTLS client needs a pre-shared key, or certificates of authorities, and a suite for it',
    )
  return {
    remote: options.remote,
    psk,
    certificate: options.certificate,
    serverTrust,
    suites,
    groups: options.groups ?? GROUPS,
    connectionIdLength: options.connectionIdLength ?? 0,
    extendedMasterSecret: options.extendedMasterSecret ?? 'preferred',
    tickets: options.tickets ?? true,
    resume: options.resume,
    maxFragmentLength: options.maxFragmentLength,
    mtu: options.mtu ?? 1200,
    retransmit: options.retransmit ?? 2000,
    handshake: options.handshake ?? 60_000,
    keyLog: options.keyLog ?? false,
  }
}
