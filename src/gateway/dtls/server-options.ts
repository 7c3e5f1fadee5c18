// The section `listeners[].dtls` as the core of DTLS wants it: keys and certificates are read here, at the start and at every reload.

import type { Config } from '../../config/schema.ts'
import type { ServerOptions } from '../../dtls/server/options.ts'
import { SECP256R1, SUITES, X25519 } from '../../dtls/suites.ts'
import type { Credentials, DtlsConfig } from './credentials.ts'

/** Sessions beyond the sensors that there may be: of those that only look in, or come again. */
const SPARE = 1.25

/** Throws an Error where a file cannot be read, or a key or certificate cannot be used. */
export function serverOptionsOf(
  dtls: DtlsConfig,
  limits: Pick<Config['limits'], 'sensors'>,
  credentials: Credentials,
): ServerOptions {
  const { ciphers, groups } = dtls
  return {
    ...credentials.read(dtls),
    clientCertificate: 'required',
    suites:
      ciphers &&
      SUITES.filter(({ name }) => ciphers.includes(name))
        .sort(inOrder(ciphers))
        .map(({ code }) => code),
    groups: groups.map((name) => (name === 'x25519' ? X25519 : SECP256R1)),
    connectionIdLength: dtls.connectionId,
    extendedMasterSecret: dtls.extendedMasterSecret,
    resumption: dtls.resumption,
    mtu: dtls.mtu,
    retransmit: dtls.retransmit,
    handshake: dtls.handshake,
    idle: dtls.idle,
    handshakes: dtls.handshakes,
    handshakesPerAddress: dtls.handshakesPerAddress,
    sessions: dtls.sessions ?? Math.ceil(limits.sensors * SPARE),
  }
}

const inOrder =
  (names: readonly string[]) =>
  (a: { readonly name: string }, b: { readonly name: string }): number =>
    names.indexOf(a.name) - names.indexOf(b.name)
