// Whether the keys and certificates of DTLS listeners can be used, which only reading them shows. No text here quotes a secret.

import { createPrivateKey, X509Certificate } from 'node:crypto'
import { signerOf } from '../../dtls/crypto/chance.ts'
import { createTrust, derChain } from '../../dtls/crypto/x509.ts'
import type { Problem } from '../reading/problems.ts'
import type { Config, ListenerConfig } from '../schema.ts'
import { datedCertificates } from './certificate-dates.ts'
import { isReadableByAll, readPskKeys } from './psk-file.ts'
import { revokedSerials } from './revocation.ts'

type DtlsConfig = NonNullable<ListenerConfig['dtls']>

/** Keys below this length are weaker than the ciphers. */
const LONG_ENOUGH = 16
/** Certificates that end sooner are worth a word, milliseconds. */
const SOON = 30 * 86_400_000
/** Problems of one file that are told. */
const MOST_TOLD = 10

const each = <T>({ listeners }: Config, look: (dtls: DtlsConfig, path: string) => T[]): T[] =>
  listeners.flatMap(({ dtls }, i) => (dtls === undefined ? [] : look(dtls, `listeners[${i}].dtls`)))

const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** What cannot be used, however often it is tried. */
export const dtlsProblems = (config: Config): Problem[] =>
  each(config, (dtls, path) => [
    ...pskProblems(dtls, path),
    ...attempt(`${path}.cert`, 'certificates in PEM', () => dtls.cert && derChain(dtls.cert)),
    ...attempt(`${path}.key`, `the private key of ${path}.cert: P-256, in PEM, without passphrase`, () =>
      checkKey(dtls),
    ),
    ...attempt(`${path}.clientCa`, 'certificates in PEM', () => {
      if (dtls.clientCa) createTrust({ authorities: dtls.clientCa, purpose: 'client' })
    }),
    ...attempt(`${path}.crl`, 'revocation lists in PEM', () => dtls.crl && revokedSerials(dtls.crl)),
  ])

function pskProblems({ psk }: DtlsConfig, path: string): Problem[] {
  if (psk === undefined) return []
  const expected = 'lines of "identity:hexkey", each identity once'
  try {
    const { problems } = readPskKeys(psk)
    const at = psk.file === undefined ? `${path}.psk.keys` : `${path}.psk.file`
    return problems.slice(0, MOST_TOLD).map((found) => ({ path: at, found, expected, source: undefined }))
  } catch (error) {
    return [
      { path: `${path}.psk.file`, found: wordsOf(error), expected: 'a readable file', source: undefined },
    ]
  }
}

function checkKey({ cert, key }: DtlsConfig): void {
  if (!key) return
  try {
    createPrivateKey(key)
  } catch {
    throw new Error('what OpenSSL cannot read as a private key')
  }
  signerOf(key)
  let certificate: X509Certificate | undefined
  try {
    certificate = cert ? new X509Certificate(cert) : undefined
  } catch {
    // that is said of the certificate
  }
  if (certificate !== undefined && !certificate.checkPrivateKey(createPrivateKey(key)))
    throw new Error('the key of another certificate')
}

function attempt(path: string, expected: string, use: () => unknown): Problem[] {
  try {
    use()
    return []
  } catch (error) {
    const found = 'opensslErrorStack' in Object(error) ? 'what OpenSSL cannot read' : wordsOf(error)
    return [{ path, found, expected, source: undefined }]
  }
}

/** What works and is unwise. `now` is a wall time. */
export const dtlsWarnings = (config: Config, now: number): string[] =>
  each(config, (dtls, path) => [
    ...pskWarnings(dtls, path),
    ...(['cert', 'clientCa'] as const).flatMap((key) => dateWarnings(dtls[key], `${path}.${key}`, now)),
    ...(dtls.keyLog === undefined
      ? []
      : [
          `${path}.keyLog: the secrets of all sessions are written to a file; whoever has it reads everything`,
        ]),
  ])

function pskWarnings({ psk }: DtlsConfig, path: string): string[] {
  if (psk === undefined) return []
  const warnings: string[] = []
  const { keys } = readPskKeys(psk)
  const short = [...keys].filter(([, key]) => key.length < LONG_ENOUGH).map(([identity]) => identity)
  if (short.length > 0) {
    const named = short.slice(0, 3).map((identity) => JSON.stringify(identity))
    const more = short.length > named.length ? ` and ${short.length - named.length} more` : ''
    warnings.push(`${path}.psk: keys of fewer than 16 octets are too weak: ${named.join(', ')}${more}`)
  }
  if (keys.size === 0) warnings.push(`${path}.psk: there is no key, so that no sensor gets in`)
  if (psk.file !== undefined && isReadableByAll(psk.file))
    warnings.push(`${path}.psk.file: every user of this machine can read it: chmod 640 or less`)
  return warnings
}

const dateWarnings = (pem: string | undefined, path: string, now: number): string[] =>
  (pem ? datedCertificates(pem) : []).flatMap(({ notBefore, notAfter, validFrom, validTo }) => {
    if (notAfter < now) return [`${path}: a certificate ended on ${validTo}`]
    if (notBefore > now) return [`${path}: a certificate begins on ${validFrom} only`]
    return notAfter - now < SOON ? [`${path}: a certificate ends soon, on ${validTo}`] : []
  })
