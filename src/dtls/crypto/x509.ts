// Certificates of peers: are they trusted, and whose are they [5246 7.4.6; 5280 6]. What does not parse is not trusted:
// Node's classes throw on broken input, and nothing of that leaves this file.

import { type KeyObject, X509Certificate } from 'node:crypto'
import type { AlertName } from '../failure.ts'

/** What a certificate's identity is read from. */
export type IdentitySource = 'cn' | 'san-dns' | 'san-uri' | 'serial' | 'fingerprint'

export interface Trusted {
  readonly publicKey: KeyObject
  readonly identity: string
  /** upper case hex, to look for it among revoked ones later */
  readonly serial: string
  /** the first day of a certificate of the chain after which it does not count, milliseconds since 1970 */
  readonly notAfter: number
}

export interface Distrust {
  readonly alert: AlertName
  readonly why: string
}

export interface Trust {
  /** The chain as it came, leaf first, in DER; `wall` is the date. */
  check(chain: readonly Uint8Array[], wall: number): Trusted | Distrust
  revokes(serial: string): boolean
}

export interface TrustOptions {
  /** certificates of authorities, PEM, one after the other */
  readonly authorities: string
  readonly purpose: 'client' | 'server'
  readonly identity?: IdentitySource
  /** serial numbers in hex */
  readonly revoked?: readonly string[]
  /** for the purpose `server`: the name that its certificate must be for */
  readonly serverName?: string | undefined
}

const PURPOSES = { client: '1.3.6.1.5.5.7.3.2', server: '1.3.6.1.5.5.7.3.1' }
const ANY_PURPOSE = '2.5.29.37.0'
/** Longer chains than this are not walked. */
const LONGEST_CHAIN = 6

const plainSerial = (serial: string): string =>
  serial
    .replace(/[^0-9a-f]/gi, '')
    .replace(/^0+/, '')
    .toUpperCase()

/** Throws where the PEM holds no certificate. */
export function createTrust(options: TrustOptions): Trust {
  const blocks = options.authorities.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
  const authorities = blocks.map((pem) => new X509Certificate(pem))
  if (authorities.length === 0) throw new Error('no certificate of an authority in PEM form')
  const revoked = new Set((options.revoked ?? []).map(plainSerial))
  return {
    revokes: (serial) => revoked.has(plainSerial(serial)),
    check(chain, wall) {
      const parsed: X509Certificate[] = []
      try {
        for (const der of chain.slice(0, LONGEST_CHAIN)) parsed.push(new X509Certificate(der))
        return checkChain(parsed, wall, authorities, revoked, options)
      } catch {
        return distrust('bad_certificate', 'a certificate cannot be read')
      }
    },
  }
}

const distrust = (alert: AlertName, why: string): Distrust => ({ alert, why })

function checkChain(
  chain: readonly X509Certificate[],
  wall: number,
  authorities: readonly X509Certificate[],
  revoked: ReadonlySet<string>,
  { purpose, identity: source = 'cn', serverName }: TrustOptions,
): Trusted | Distrust {
  const leaf = chain[0]
  if (leaf === undefined) return distrust('bad_certificate', 'no certificate')
  const path = pathOf(chain, authorities)
  if (path === undefined) return distrust('unknown_ca', 'its certificate is of no authority that is trusted')
  for (const each of path) {
    if (!isCurrent(each, wall))
      return distrust('certificate_expired', 'a certificate is expired or not yet valid')
    if (revoked.has(plainSerial(each.serialNumber)))
      return distrust('certificate_revoked', `the certificate with serial ${each.serialNumber} is revoked`)
  }
  // Extended key usage; where it is missing every purpose is allowed.
  const usages = leaf.keyUsage as readonly string[] | undefined
  if (usages !== undefined && !usages.includes(PURPOSES[purpose]) && !usages.includes(ANY_PURPOSE))
    return distrust('bad_certificate', `its certificate is not one for a ${purpose}`)
  if (serverName !== undefined && !isFor(leaf, serverName))
    return distrust('bad_certificate', `its certificate is not for ${serverName}`)
  const { publicKey } = leaf
  if (publicKey.asymmetricKeyType !== 'ec')
    return distrust('bad_certificate', 'its key is not one of a curve')
  const identity = identityOf(leaf, source)
  if (identity === undefined) return distrust('bad_certificate', `its certificate has no ${source}`)
  const notAfter = Math.min(...path.map(({ validTo }) => Date.parse(validTo)))
  return { publicKey, identity, serial: leaf.serialNumber, notAfter }
}

const ADDRESS = /^[\d.]+$|:/

/** Node wants names and addresses told apart, and throws where an address is none. */
const isFor = (certificate: X509Certificate, name: string): boolean =>
  (ADDRESS.test(name) ? certificate.checkIP(name) : certificate.checkHost(name)) !== undefined

/** The leaf, those between, and the authority; each signed by the next, and each signer is an authority. */
function pathOf(
  chain: readonly X509Certificate[],
  authorities: readonly X509Certificate[],
): X509Certificate[] | undefined {
  const path: X509Certificate[] = []
  for (const [index, each] of chain.entries()) {
    path.push(each)
    const root = authorities.find((authority) => isIssuedBy(each, authority))
    if (root !== undefined) return [...path, root]
    const next = chain[index + 1]
    if (next === undefined || !isIssuedBy(each, next)) return undefined
  }
  return undefined
}

const isIssuedBy = (certificate: X509Certificate, issuer: X509Certificate): boolean =>
  issuer.ca && certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey)

const isCurrent = ({ validFrom, validTo }: X509Certificate, wall: number): boolean =>
  Date.parse(validFrom) <= wall && wall <= Date.parse(validTo)

function identityOf(certificate: X509Certificate, source: IdentitySource): string | undefined {
  switch (source) {
    case 'serial':
      return certificate.serialNumber
    case 'fingerprint':
      return certificate.fingerprint256
    case 'cn': {
      const { subject } = certificate.toLegacyObject() as { subject?: { CN?: unknown } }
      // two common names are nobody's: the list that Node makes of them is no name
      return typeof subject?.CN === 'string' ? named(subject.CN) : undefined
    }
    default:
      return named(alternativeName(certificate.subjectAltName ?? '', source === 'san-dns' ? 'DNS' : 'URI'))
  }
}

const named = (name: string | undefined): string | undefined => (name === '' ? undefined : name)

const ALTERNATIVE = /([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^,]*)(?:, |$)/gy

/** The first of its kind; Node quotes what could be mistaken for more than one name. */
function alternativeName(text: string, kind: string): string | undefined {
  for (const [, type, value = ''] of text.matchAll(ALTERNATIVE)) {
    if (type === kind) return value.startsWith('"') ? String(JSON.parse(value)) : value
  }
  return undefined
}

/** The certificates of a PEM file in the order in which they stand there, as DER; throws where there is none. */
export function derChain(pem: string): Uint8Array[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
  if (blocks.length === 0) throw new Error('no certificate in PEM form')
  return blocks.map((block) => new Uint8Array(new X509Certificate(block).raw))
}
