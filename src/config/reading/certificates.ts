// Whether certificates and private keys can be used, which only loading them shows. No text here quotes a value.

import { X509Certificate } from 'node:crypto'
import { createSecureContext } from 'node:tls'
import type { Config } from '../schema.ts'
import type { Problem } from './problems.ts'

interface Pair {
  readonly path: string
  readonly cert?: string | undefined
  readonly key?: string | undefined
  readonly ca?: string | undefined
}

const pairsOf = ({ broker, sensors }: Config): Pair[] => [
  { path: 'broker.tls', ...broker.tls },
  ...sensors.map(({ cert, key }, i) => ({ path: `sensors[${i}]`, cert, key })),
]

const BLOCK = /-----BEGIN ((?:X509 |TRUSTED )?CERTIFICATE)-----[\s\S]*?-----END \1-----/g

/** The certificates in a text. Throws what OpenSSL throws. */
const certificatesIn = (pem: string): X509Certificate[] =>
  [...pem.matchAll(BLOCK)].map(([block]) => new X509Certificate(block))

/** Certificates that are right and past their time, or before it: nobody accepts them. `now` is a wall time. */
export function certificateWarnings(config: Config, now: number): string[] {
  return pairsOf(config).flatMap(({ path, ca = '', cert = '' }) =>
    Object.entries({ ca, cert }).flatMap(([key, pem]) =>
      certificatesIn(pem).flatMap(({ validFrom, validTo }) => {
        if (Date.parse(validTo) < now) return [`${path}.${key}: a certificate ended on ${validTo}`]
        return Date.parse(validFrom) > now
          ? [`${path}.${key}: a certificate begins on ${validFrom} only`]
          : []
      }),
    ),
  )
}

/** What cannot be used of the certificates and keys in a configuration. */
export function certificateProblems(config: Config): Problem[] {
  return pairsOf(config).flatMap(({ path, ca, cert, key }) => {
    const authority = authorityProblems(`${path}.ca`, ca)
    const alone = attempt(`${path}.cert`, 'a certificate in PEM', { cert })
    if (alone.length > 0) return [...authority, ...alone]
    const expected = `the private key of ${path}.cert, in PEM and without passphrase`
    return [...authority, ...attempt(`${path}.key`, expected, { cert, key })]
  })
}

// A secure context passes over what it cannot read among these.
function authorityProblems(path: string, ca: string | undefined): Problem[] {
  if (!ca) return []
  const facts = { path, expected: 'certificates in PEM', source: undefined }
  try {
    return certificatesIn(ca).length > 0 ? [] : [{ ...facts, found: 'no certificate' }]
  } catch {
    return [{ ...facts, found: 'what OpenSSL cannot read' }]
  }
}

function attempt(path: string, expected: string, parts: Omit<Pair, 'path'>): Problem[] {
  try {
    createSecureContext(parts)
    return []
  } catch (error) {
    const { code } = error as { code?: unknown }
    return [{ path, found: FOUND[String(code)] ?? 'what OpenSSL cannot read', expected, source: undefined }]
  }
}

const FOUND: Readonly<Record<string, string>> = {
  ERR_OSSL_X509_KEY_VALUES_MISMATCH: 'the key of another certificate',
  ERR_MISSING_PASSPHRASE: 'a key with a passphrase',
}
