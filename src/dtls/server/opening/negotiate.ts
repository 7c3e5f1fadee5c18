// From what a client offers to what is spoken: suite, group, extensions [5246 7.4.1; 8422; 7627; 6066 4; 9146 3].

import { ECDSA_SHA256 } from '../../crypto/primitives.ts'
import { type Failure, failure, protocolFailure } from '../../failure.ts'
import {
  CONNECTION_ID,
  EXTENDED_MASTER_SECRET,
  fragmentLengthOf,
  MAX_FRAGMENT_LENGTH,
  POINT_FORMATS,
  RENEGOTIATION_INFO,
  RENEGOTIATION_SCSV,
  readExtensions,
  SESSION_TICKET,
  SIGNATURE_ALGORITHMS,
  SUPPORTED_GROUPS,
} from '../../handshake/extensions.ts'
import type { ClientHello } from '../../handshake/hello.ts'
import { holdsU16, OctetReader } from '../../octets.ts'
import { DTLS10 } from '../../record/record.ts'
import { type Group, SECP256R1, type Suite } from '../../suites.ts'
import type { ServerSettings } from '../options.ts'

/** What the client can do and wants. */
export interface Offer {
  readonly hello: ClientHello
  readonly extendedMasterSecret: boolean
  /** it knows about safe renegotiation, which is refused anyway [5746 3.6] */
  readonly knowsRenegotiation: boolean
  readonly hasPointFormats: boolean
  /** records to it carry this; undefined = it speaks none; empty = it sends them and wants none */
  readonly connectionId: Uint8Array | undefined
  /** empty = it takes one and has none */
  readonly ticket: Uint8Array | undefined
  /** code and octets of max_fragment_length */
  readonly fragment: { readonly content: Uint8Array; readonly octets: number } | undefined
  readonly groups: Uint8Array | undefined
  readonly signatures: Uint8Array | undefined
}

/** Reads a verified hello; the order of these checks decides which alert is sent. */
export function readOffer(hello: ClientHello, settings: ServerSettings): Offer | Failure {
  // versions count downwards: fefd is 1.2, feff is 1.0; later ones are answered with 1.2
  if (hello.version === DTLS10 || hello.version > DTLS10)
    return protocolFailure('protocol_version', 'the client speaks DTLS 1.0 only')
  if (!hello.compressions.includes(0))
    return protocolFailure('illegal_parameter', 'the client does not offer to leave out compression')
  const extensions = readExtensions(hello.extensions)
  if (extensions === undefined)
    return protocolFailure('decode_error', 'an extension comes twice in its hello')
  const extendedMasterSecret = extensions.has(EXTENDED_MASTER_SECRET)
  if (!extendedMasterSecret && settings.extendedMasterSecret === 'required')
    return failure('handshake_failure', 'no-suite', 'the client offers no extended master secret')
  const fragmentCode = extensions.get(MAX_FRAGMENT_LENGTH)
  const octets = fragmentCode && fragmentLengthOf(fragmentCode)
  if (fragmentCode !== undefined && octets === undefined)
    return protocolFailure('illegal_parameter', 'its max_fragment_length is none of the four')
  const renegotiation = extensions.get(RENEGOTIATION_INFO)
  if (renegotiation !== undefined && (renegotiation.length !== 1 || renegotiation[0] !== 0))
    return protocolFailure('handshake_failure', 'its first hello renegotiates')
  const cid = extensions.get(CONNECTION_ID)
  const reader = cid && new OctetReader(cid)
  const connectionId = reader?.vector8()
  if (reader !== undefined && !reader.complete)
    return protocolFailure('decode_error', 'its connection id has a wrong length')
  return {
    hello,
    extendedMasterSecret,
    knowsRenegotiation: renegotiation !== undefined || holdsU16(hello.suites, RENEGOTIATION_SCSV),
    hasPointFormats: extensions.has(POINT_FORMATS),
    connectionId: settings.connectionIdLength > 0 ? connectionId : undefined,
    ticket: settings.tickets && settings.resumption > 0 ? extensions.get(SESSION_TICKET) : undefined,
    fragment: fragmentCode && octets ? { content: fragmentCode, octets } : undefined,
    groups: listOf(extensions.get(SUPPORTED_GROUPS)),
    signatures: listOf(extensions.get(SIGNATURE_ALGORITHMS)),
  }
}

/** The 16-bit numbers of an extension; one that does not parse holds none. */
function listOf(content: Uint8Array | undefined): Uint8Array | undefined {
  return content && new OctetReader(content).vector16()
}

export interface Choice {
  readonly suite: Suite
  /** undefined for plain keys */
  readonly group: Group | undefined
}

/** The server's order counts. */
export function chooseSuite(offer: Offer, settings: ServerSettings): Choice | Failure {
  const group = settings.groups.find((each) =>
    offer.groups === undefined ? each === SECP256R1 : holdsU16(offer.groups, each),
  )
  for (const suite of settings.suites) {
    if (!holdsU16(offer.hello.suites, suite.code)) continue
    if (suite.exchange === 'psk') return { suite, group: undefined }
    if (group === undefined) continue
    if (suite.exchange === 'ecdhe-psk' || canCheckSignature(offer)) return { suite, group }
  }
  return failure('handshake_failure', 'no-suite', 'the client offers no cipher suite that is spoken here')
}

/** Our certificates are on secp256r1, and signatures are ecdsa_secp256r1_sha256. */
function canCheckSignature({ groups, signatures }: Offer): boolean {
  if (groups !== undefined && !holdsU16(groups, SECP256R1)) return false
  return signatures === undefined || holdsU16(signatures, ECDSA_SHA256)
}
