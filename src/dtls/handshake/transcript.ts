// All messages of a handshake so far, over which hashes and signatures are made [5246 7.4.9; 6347 4.2.6].

import { sha256 } from '../crypto/hmac.ts'

/** Enough for most handshakes with keys; with certificates it grows. */
const USUAL = 512

export class Transcript {
  #octets = new Uint8Array(USUAL)
  #length = 0

  /** A whole message with its header; every one but HelloVerifyRequest, the hello before it, and HelloRequest. */
  add(message: Uint8Array): void {
    const length = this.#length + message.length
    if (length > this.#octets.length) {
      const larger = new Uint8Array(2 * length)
      larger.set(this.octets())
      this.#octets = larger
    }
    this.#octets.set(message, this.#length)
    this.#length = length
  }

  hash(): Uint8Array {
    return sha256(this.octets())
  }

  /** What a CertificateVerify signs; a view, until the next message is added. */
  octets(): Uint8Array {
    return this.#octets.subarray(0, this.#length)
  }
}
