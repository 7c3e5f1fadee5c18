// A certificate of one's own, and how to prove that it is.

/** A chain in DER, leaf first, and how to sign with its key (ecdsa_secp256r1_sha256). */
export interface Credentials {
  readonly chain: readonly Uint8Array[]
  sign(message: Uint8Array): Uint8Array
}
