// The bodies of the messages between the hellos and Finished [5246 7.4; 4279; 5489; 8422 5; 5077 3.3].

import { ECDSA_SHA256, ECDSA_SHA384 } from '../crypto/primitives.ts'
import { concatOctets, OctetReader, u16, u16List, vector8, vector16, vector24 } from '../octets.ts'
import { GROUPS, type Group } from '../suites.ts'

/** ecdsa_sign, the one kind of certificate that is asked for. */
const ECDSA_SIGN = 64
const NAMED_CURVE = 3

/** A chain of certificates in DER, leaf first; undefined where it does not parse. */
export function readCertificate(body: Uint8Array): Uint8Array[] | undefined {
  const outer = new OctetReader(body)
  const list = new OctetReader(outer.vector24())
  if (!outer.complete) return undefined
  const chain: Uint8Array[] = []
  while (list.left > 0) {
    const certificate = list.vector24()
    if (list.left < 0 || certificate.length === 0) return undefined
    chain.push(certificate)
  }
  return chain
}

export const writeCertificate = (chain: readonly Uint8Array[]): Uint8Array =>
  vector24(...chain.map((certificate) => vector24(certificate)))

export const writeCertificateRequest = (): Uint8Array =>
  concatOctets(
    vector8(Uint8Array.of(ECDSA_SIGN)),
    vector16(u16List([ECDSA_SHA256, ECDSA_SHA384])),
    vector16(),
  )

/** The signature algorithms that the server takes; undefined where it does not parse. */
export function readCertificateRequest(body: Uint8Array): Uint8Array | undefined {
  const reader = new OctetReader(body)
  reader.vector8()
  const algorithms = reader.vector16()
  reader.vector16()
  return reader.complete && algorithms.length % 2 === 0 ? algorithms : undefined
}

export interface Signature {
  readonly algorithm: number
  readonly signature: Uint8Array
}

export const writeSignature = (signature: Uint8Array): Uint8Array =>
  concatOctets(u16(ECDSA_SHA256), vector16(signature))

/** A CertificateVerify, or what ends a signed ServerKeyExchange. */
export function readSignature(body: Uint8Array): Signature | undefined {
  const reader = new OctetReader(body)
  const algorithm = reader.u16()
  const signature = reader.vector16()
  return reader.complete ? { algorithm, signature } : undefined
}

/** The parameters of a key agreement: what is signed of a ServerKeyExchange, after both randoms. */
export const writeAgreement = (group: Group, point: Uint8Array): Uint8Array =>
  concatOctets(Uint8Array.of(NAMED_CURVE), u16(group), vector8(point))

export interface Agreement {
  readonly group: Group
  readonly point: Uint8Array
  /** as they came, to check the signature */
  readonly parameters: Uint8Array
  /** what follows: a signature or nothing */
  readonly rest: Uint8Array
}

export function readAgreement(body: Uint8Array): Agreement | undefined {
  const reader = new OctetReader(body)
  const isNamed = reader.u8() === NAMED_CURVE
  const number = reader.u16()
  const group = GROUPS.find((known) => known === number)
  const point = reader.vector8()
  if (reader.left < 0 || !isNamed || group === undefined) return undefined
  return { group, point, parameters: body.subarray(0, reader.at), rest: reader.rest() }
}

/** A hint about which key is meant, and what follows it; hints are not used. */
export function readHint(body: Uint8Array): Uint8Array | undefined {
  const reader = new OctetReader(body)
  reader.vector16()
  return reader.left < 0 ? undefined : reader.rest()
}

/** A ClientKeyExchange by the parts that its key exchange has. */
export interface ClientKeyExchange {
  readonly identity: Uint8Array | undefined
  readonly point: Uint8Array | undefined
}

export function readClientKeyExchange(
  body: Uint8Array,
  exchange: 'psk' | 'ecdhe-psk' | 'ecdhe-ecdsa',
): ClientKeyExchange | undefined {
  const reader = new OctetReader(body)
  const identity = exchange === 'ecdhe-ecdsa' ? undefined : reader.vector16()
  const point = exchange === 'psk' ? undefined : reader.vector8()
  return reader.complete ? { identity, point } : undefined
}

export const writeClientKeyExchange = ({ identity, point }: ClientKeyExchange): Uint8Array =>
  concatOctets(...(identity ? [vector16(identity)] : []), ...(point ? [vector8(point)] : []))

export const writeNewSessionTicket = (lifetimeSeconds: number, ticket: Uint8Array): Uint8Array =>
  concatOctets(u16(lifetimeSeconds >>> 16), u16(lifetimeSeconds & 0xffff), vector16(ticket))

export function readNewSessionTicket(body: Uint8Array): Uint8Array | undefined {
  const reader = new OctetReader(body, 4)
  const ticket = reader.vector16()
  return reader.complete ? ticket : undefined
}
