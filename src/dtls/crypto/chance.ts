// Chance from outside: what the core asks for instead of drawing it, and Node's way to give it.

import { createPrivateKey, generateKeyPairSync, randomFillSync, sign } from 'node:crypto'
import type { Group } from '../suites.ts'
import { X25519 } from '../suites.ts'
import { type Ephemeral, ephemeralFrom } from './primitives.ts'

/** Where random octets and fresh keys come from; tests give fixed ones. */
export interface Chance {
  random(octets: number): Uint8Array
  ephemeral(group: Group): Ephemeral
}

/** Random octets are drawn from the system so many at once: a handshake needs a few dozen, three or four times. */
const pool = new Uint8Array(4096)
let drawn = pool.length

function randomOctets(count: number): Uint8Array {
  if (count > pool.length) return randomFillSync(new Uint8Array(count))
  if (drawn + count > pool.length) {
    randomFillSync(pool)
    drawn = 0
  }
  const octets = pool.slice(drawn, drawn + count)
  // nothing stays here of what may become a secret
  pool.fill(0, drawn, drawn + count)
  drawn += count
  return octets
}

/** The system's. */
export const systemChance: Chance = {
  random: randomOctets,
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
