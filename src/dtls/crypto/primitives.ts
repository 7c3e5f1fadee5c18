// Node's cryptographic primitives, as the rest of DTLS uses them. Nothing here draws random numbers or reads a clock.

import {
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  type KeyObject,
  timingSafeEqual,
  verify,
} from 'node:crypto'
import { concatOctets } from '../octets.ts'
import { type Group, pointLength, type RecordCipher, X25519 } from '../suites.ts'

/** Compares secrets in a time that does not depend on their octets. */
export const sameSecret = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && timingSafeEqual(a, b)

/** Encrypts into `target` at `at`: ciphertext, then tag. */
export function sealAead(
  cipher: RecordCipher,
  key: Uint8Array,
  nonce: Uint8Array,
  additional: Uint8Array,
  plaintext: Uint8Array,
  target: Uint8Array,
  at: number,
): void {
  const { algorithm, tagLength } = cipher
  if (algorithm === 'aes-128-ccm') {
    const sealing = createCipheriv(algorithm, key, nonce, { authTagLength: tagLength })
    sealing.setAAD(additional, { plaintextLength: plaintext.length })
    target.set(sealing.update(plaintext), at)
    sealing.final()
    target.set(sealing.getAuthTag(), at + plaintext.length)
  } else {
    const sealing = createCipheriv(algorithm, key, nonce, { authTagLength: tagLength })
    sealing.setAAD(additional)
    target.set(sealing.update(plaintext), at)
    sealing.final()
    target.set(sealing.getAuthTag(), at + plaintext.length)
  }
}

/** Decrypts ciphertext with its tag behind it; undefined if the tag is not right. */
export function openAead(
  cipher: RecordCipher,
  key: Uint8Array,
  nonce: Uint8Array,
  additional: Uint8Array,
  sealed: Uint8Array,
): Uint8Array | undefined {
  const { algorithm, tagLength } = cipher
  const plaintextLength = sealed.length - tagLength
  const tag = sealed.subarray(plaintextLength)
  try {
    if (algorithm === 'aes-128-ccm') {
      const opening = createDecipheriv(algorithm, key, nonce, { authTagLength: tagLength })
      opening.setAuthTag(tag)
      opening.setAAD(additional, { plaintextLength })
      const plaintext = opening.update(sealed.subarray(0, plaintextLength))
      opening.final()
      return plaintext
    }
    const opening = createDecipheriv(algorithm, key, nonce, { authTagLength: tagLength })
    opening.setAuthTag(tag)
    opening.setAAD(additional)
    const plaintext = opening.update(sealed.subarray(0, plaintextLength))
    opening.final()
    return plaintext
  } catch {
    return undefined
  }
}

/** AES-256-GCM for tickets: ciphertext and tag. */
export function sealTicket(
  key: Uint8Array,
  nonce: Uint8Array,
  name: Uint8Array,
  state: Uint8Array,
): Uint8Array {
  const sealing = createCipheriv('aes-256-gcm', key, nonce)
  sealing.setAAD(name)
  return concatOctets(sealing.update(state), sealing.final(), sealing.getAuthTag())
}

export function openTicket(
  key: Uint8Array,
  nonce: Uint8Array,
  name: Uint8Array,
  sealed: Uint8Array,
): Uint8Array | undefined {
  if (sealed.length < 16) return undefined
  try {
    const opening = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: 16 })
    opening.setAAD(name)
    opening.setAuthTag(sealed.subarray(sealed.length - 16))
    return concatOctets(opening.update(sealed.subarray(0, sealed.length - 16)), opening.final())
  } catch {
    return undefined
  }
}

/** One side of a key agreement, for one handshake. */
export interface Ephemeral {
  readonly publicPoint: Uint8Array
  /** The shared secret, or undefined where the peer's point is none of the group [8422 5.11]. */
  agree(peer: Uint8Array): Uint8Array | undefined
}

// The DER in front of a public point: SubjectPublicKeyInfo of secp256r1 and of x25519.
const SPKI_P256 = octetsOf('3059301306072a8648ce3d020106082a8648ce3d030107034200')
const SPKI_X25519 = octetsOf('302a300506032b656e032100')

function octetsOf(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
}

/** The private key is an object of Node, or PKCS #8 in DER. */
export function ephemeralFrom(group: Group, secret: KeyObject | Uint8Array): Ephemeral {
  const privateKey =
    secret instanceof Uint8Array
      ? createPrivateKey({ key: bufferOf(secret), format: 'der', type: 'pkcs8' })
      : secret
  const prefix = group === X25519 ? SPKI_X25519 : SPKI_P256
  const spki = createPublicKey(privateKey).export({ format: 'der', type: 'spki' })
  return {
    publicPoint: spki.subarray(prefix.length),
    agree(peer) {
      if (peer.length !== pointLength(group)) return undefined
      // only the uncompressed form of a point has this length
      if (group !== X25519 && peer[0] !== 4) return undefined
      try {
        const key = bufferOf(concatOctets(prefix, peer))
        const publicKey = createPublicKey({ key, format: 'der', type: 'spki' })
        const shared = diffieHellman({ privateKey, publicKey })
        return shared.some((octet) => octet !== 0) ? shared : undefined
      } catch {
        return undefined
      }
    },
  }
}

/** Node's key functions want its own kind of octets. */
function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
}

/** Signature algorithms by their number: ECDSA with three hashes [5246 7.4.1.4.1]. */
const HASHES: Readonly<Record<number, string>> = { 1027: 'sha256', 1283: 'sha384', 1539: 'sha512' }
export const ECDSA_SHA256 = 0x0403
export const ECDSA_SHA384 = 0x0503

/** Whether a signature is right; false for algorithms that are not known. */
export function verifySignature(
  algorithm: number,
  publicKey: KeyObject,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  const hash = HASHES[algorithm]
  if (hash === undefined || publicKey.asymmetricKeyType !== 'ec') return false
  try {
    return verify(hash, message, publicKey, signature)
  } catch {
    return false
  }
}
