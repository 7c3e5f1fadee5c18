// The hellos as octets: ClientHello, ServerHello, HelloVerifyRequest [6347 4.2.1, 4.3.2; 5246 7.4.1].

import { concatOctets, OctetReader, u16, u16List, vector8, vector16 } from '../octets.ts'
import { DTLS10, DTLS12 } from '../record/record.ts'
import { areExtensions } from './extensions.ts'

/** A ClientHello as views into the datagram: reading one that is answered without state allocates next to nothing. */
export interface ClientHello {
  readonly version: number
  readonly random: Uint8Array
  readonly sessionId: Uint8Array
  readonly cookie: Uint8Array
  /** list of 16-bit numbers */
  readonly suites: Uint8Array
  readonly compressions: Uint8Array
  /** a well-formed list of extensions; empty where there is none */
  readonly extensions: Uint8Array
  /** all in front of the cookie, and what stands between it and the extensions: what a cookie vouches for */
  readonly head: Uint8Array
  readonly lists: Uint8Array
  readonly body: Uint8Array
}

/** Undefined where it does not parse. */
export function readClientHello(body: Uint8Array): ClientHello | undefined {
  const reader = new OctetReader(body)
  const version = reader.u16()
  const random = reader.octets(32)
  const sessionId = reader.vector8()
  const head = body.subarray(0, reader.at)
  const cookie = reader.vector8()
  const listsAt = reader.at
  const suites = reader.vector16()
  const compressions = reader.vector8()
  if (reader.left < 0) return undefined
  const lists = body.subarray(listsAt, reader.at)
  const extensions = reader.left === 0 ? reader.rest() : reader.vector16()
  if (!reader.complete || version >> 8 !== 0xfe || sessionId.length > 32) return undefined
  if (suites.length === 0 || suites.length % 2 !== 0 || compressions.length === 0) return undefined
  if (!areExtensions(extensions)) return undefined
  return { version, random, sessionId, cookie, suites, compressions, extensions, head, lists, body }
}

export interface NewClientHello {
  readonly random: Uint8Array
  readonly sessionId: Uint8Array
  readonly cookie: Uint8Array
  readonly suites: readonly number[]
  readonly extensions: Uint8Array
}

export const writeClientHello = (hello: NewClientHello): Uint8Array =>
  concatOctets(
    u16(DTLS12),
    hello.random,
    vector8(hello.sessionId),
    vector8(hello.cookie),
    vector16(u16List(hello.suites)),
    vector8(Uint8Array.of(0)),
    vector16(hello.extensions),
  )

export interface ServerHello {
  readonly version: number
  readonly random: Uint8Array
  readonly sessionId: Uint8Array
  readonly suite: number
  readonly compression: number
  readonly extensions: Uint8Array
}

export function readServerHello(body: Uint8Array): ServerHello | undefined {
  const reader = new OctetReader(body)
  const version = reader.u16()
  const random = reader.octets(32)
  const sessionId = reader.vector8()
  const suite = reader.u16()
  const compression = reader.u8()
  if (reader.left < 0) return undefined
  const extensions = reader.left === 0 ? reader.rest() : reader.vector16()
  if (!reader.complete || sessionId.length > 32 || !areExtensions(extensions)) return undefined
  return { version, random, sessionId, suite, compression, extensions }
}

/** Extensions are left out altogether where there are none. */
export const writeServerHello = (
  random: Uint8Array,
  sessionId: Uint8Array,
  suite: number,
  extensions: Uint8Array,
): Uint8Array =>
  concatOctets(
    u16(DTLS12),
    random,
    vector8(sessionId),
    u16(suite),
    Uint8Array.of(0),
    extensions.length === 0 ? extensions : vector16(extensions),
  )

/** The cookie of a HelloVerifyRequest; its version says nothing [6347 4.2.1]. */
export function readHelloVerifyRequest(body: Uint8Array): Uint8Array | undefined {
  const reader = new OctetReader(body, 2)
  const cookie = reader.vector8()
  return reader.complete ? cookie : undefined
}

export const writeHelloVerifyRequest = (cookie: Uint8Array): Uint8Array =>
  concatOctets(u16(DTLS10), vector8(cookie))
