// Whether certificates and private keys can be used, which only loading them shows. No text here quotes a value.

import { createSecureContext } from 'node:tls'
import type { Config } from '../schema.ts'
import type { Problem } from './problems.ts'

interface Pair {
  readonly path: string
  readonly cert?: string | undefined
  readonly key?: string | undefined
  readonly ca?: string | undefined
}

/** What cannot be used of the certificates and keys in a configuration. */
export function certificateProblems({ broker, sensors }: Config): Problem[] {
  const pairs: Pair[] = [
    { path: 'broker.tls', ...broker.tls },
    ...sensors.map(({ cert, key }, i) => ({ path: `sensors[${i}]`, cert, key })),
  ]
  return pairs.flatMap(({ path, ca, cert, key }) => {
    const authority = attempt(`${path}.ca`, 'certificates in PEM', { ca })
    const alone = attempt(`${path}.cert`, 'a certificate in PEM', { cert })
    if (alone.length > 0) return [...authority, ...alone]
    const expected = `the private key of ${path}.cert, in PEM and without passphrase`
    return [...authority, ...attempt(`${path}.key`, expected, { cert, key })]
  })
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
