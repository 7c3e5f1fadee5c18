// What a DTLS link is opened with: keys and limits of the core, and who is told what happens.

import type { Effect, SessionInfo } from '../../dtls/effects.ts'
import type { ServerOptions } from '../../dtls/server/options.ts'
import type { Association } from '../../session/peers.ts'
import type { LinkGuard } from '../guarded.ts'
import type { CredentialStatus } from '../secure-link.ts'
import type { Remote } from '../transport.ts'
import type { UdpOptions } from '../udp/udp.ts'

/** The effect of the core of this type. */
export type EffectOf<T extends Effect['type']> = Extract<Effect, { type: T }>

/** Who is told what happens on the link; none of these may throw. */
export interface DtlsReports {
  /** a datagram from an address that nobody may send from */
  refused(bytes: Uint8Array, from: Remote): void
  opened(association: Association, info: SessionInfo, remote: Remote): void
  moved(association: Association, from: Remote, to: Remote): void
  closed(association: Association, why: string): void
  failed(failure: EffectOf<'failed'>): void
  discarded(reason: EffectOf<'discard'>['reason'], from: Remote | undefined): void
  fault(error: unknown): void
}

export interface SecureOptions {
  readonly server: ServerOptions
  /** where `server.findKey` says `later` */
  readonly lookUp?: ((identity: string) => Promise<Uint8Array | undefined>) | undefined
  /** sessions in the store are those of the listener of this name */
  readonly name: string
  /** file for the secrets of all sessions */
  readonly keyLog?: string | undefined
  admits(address: string): boolean
  /**
   * a message that will be acknowledged once for all, and one that acknowledges such a message, or refuses what need not be such a one;
   * `idOf`: what both have
   */
  readonly promises?: {
    isPromised(bytes: Uint8Array): boolean
    isPromise(bytes: Uint8Array): boolean
    isRefusal(bytes: Uint8Array): boolean
    idOf(bytes: Uint8Array): number
  }
  /** what of `server` are keys and certificates, and what became of their files */
  credentials(): CredentialStatus
  readonly reports: DtlsReports
}

export interface DtlsOptions extends UdpOptions {
  readonly guard?: LinkGuard | undefined
  /** wanted by `dtls://`, and by nothing else */
  readonly secure?: SecureOptions | undefined
}
