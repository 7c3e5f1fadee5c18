// From a secret to keys: premaster secrets, master secret, key block and verify_data [5246 5, 6.3, 8.1; 7627; 4279; 5489].

import { concatOctets, utf8Of, vector16 } from '../octets.ts'
import { HmacKey } from './hmac.ts'

/** The few labels that there are, as octets. */
const labels = new Map<string, Uint8Array>()

function octetsOf(label: string): Uint8Array {
  const known = labels.get(label)
  if (known !== undefined) return known
  const octets = utf8Of(label)
  labels.set(label, octets)
  return octets
}

/** The pseudorandom function with SHA-256 [5246 5]. */
export function prf(secret: Uint8Array, label: string, seed: Uint8Array, length: number): Uint8Array {
  const key = new HmacKey(secret)
  const labelled = concatOctets(octetsOf(label), seed)
  const result = new Uint8Array(length)
  let chained = labelled
  for (let at = 0; at < length; at += 32) {
    chained = key.codeOf(chained)
    result.set(key.codeOf(chained, labelled).subarray(0, length - at), at)
  }
  return result
}

/** Premaster secret of a plain pre-shared key [4279 2]: zeros of its length stand for the other secret. */
export const pskPremaster = (key: Uint8Array): Uint8Array =>
  agreedPskPremaster(new Uint8Array(key.length), key)

/** Premaster secret of a key agreement together with a pre-shared key [5489 2]. */
export const agreedPskPremaster = (agreed: Uint8Array, key: Uint8Array): Uint8Array =>
  concatOctets(vector16(agreed), vector16(key))

export interface Randoms {
  readonly client: Uint8Array
  readonly server: Uint8Array
}

/** `sessionHash` = the hash of all messages up to ClientKeyExchange, where the extended master secret is used [7627 4]. */
export function masterSecret(
  premaster: Uint8Array,
  randoms: Randoms,
  sessionHash: Uint8Array | undefined,
): Uint8Array {
  return sessionHash === undefined
    ? prf(premaster, 'master secret', concatOctets(randoms.client, randoms.server), 48)
    : prf(premaster, 'extended master secret', sessionHash, 48)
}

/** Key and the fixed part of the nonce, for one direction. */
export interface DirectionKeys {
  readonly key: Uint8Array
  readonly iv: Uint8Array
}

export interface KeyBlock {
  readonly client: DirectionKeys
  readonly server: DirectionKeys
}

/** 40 octets in one buffer: two keys of 16, two parts of nonces of 4. */
export const KEY_BLOCK_LENGTH = 40

export const keyBlockOctets = (master: Uint8Array, randoms: Randoms): Uint8Array =>
  prf(master, 'key expansion', concatOctets(randoms.server, randoms.client), KEY_BLOCK_LENGTH)

export function keyBlockOf(octets: Uint8Array): KeyBlock {
  return {
    client: { key: octets.subarray(0, 16), iv: octets.subarray(32, 36) },
    server: { key: octets.subarray(16, 32), iv: octets.subarray(36, 40) },
  }
}

/** What a Finished proves: 12 octets over the hash of all messages before it. */
export const verifyData = (
  master: Uint8Array,
  whose: 'client' | 'server',
  transcriptHash: Uint8Array,
): Uint8Array => prf(master, `${whose} finished`, transcriptHash, 12)
