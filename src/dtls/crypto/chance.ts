// Chance from outside: what the core asks for instead of drawing it, and Node's way to give it.

import { createPrivateKey, generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import type { Group } from '../suites.ts'
import { X25519 } from '../suites.ts'
import { type Ephemeral, ephemeralFrom } from './primitives.ts'

/** Where random octets and fresh keys come from; tests give fixed ones. */
export interface Chance {
  random(octets: number): Uint8Array
  ephemeral(group: Group): Ephemeral
}

/** The system's. */
export const systemChance: Chance = {
  random: (octets) => randomBytes(octets),
  ephemeral: (group) => {
    const { privateKey } =
      group === X25519
        ? generateKeyPairSync('x25519')
        : generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
    return ephemeralFrom(group, privateKey)
  },
}

/** Signs with ecdsa_secp256r1_sha256; the key is PEM. Signing draws a random number, too. */
export function signerOf(key: string): (message: Uint8Array) => Uint8Array {
  const privateKey = createPrivateKey(key)
  const { asymmetricKeyType, asymmetricKeyDetails } = privateKey
  if (asymmetricKeyType !== 'ec' || asymmetricKeyDetails?.namedCurve !== 'prime256v1') {
    throw new Error('the private key is not one of the curve P-256 (prime256v1)')
  }
  return (message) => sign('sha256', message, privateKey)
}
