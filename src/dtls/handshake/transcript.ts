// All messages of a handshake so far, over which hashes and signatures are made [5246 7.4.9; 6347 4.2.6].

import { sha256 } from '../crypto/primitives.ts'
import { concatOctets } from '../octets.ts'

export class Transcript {
  readonly #messages: Uint8Array[] = []

  /** A whole message with its header; every one but HelloVerifyRequest, the hello before it, and HelloRequest. */
  add(message: Uint8Array): void {
    this.#messages.push(message)
  }

  hash(): Uint8Array {
    return sha256(...this.#messages)
  }

  /** What a CertificateVerify signs. */
  octets(): Uint8Array {
    return concatOctets(...this.#messages)
  }
}
