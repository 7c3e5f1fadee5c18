// Stateless cookies [6347 4.2.1]: whoever shows one has received what was sent to its address.

import type { Chance } from '../../crypto/chance.ts'
import { hmacSha256, sameSecret } from '../../crypto/primitives.ts'
import type { Remote } from '../../effects.ts'
import type { ClientHello } from '../../handshake/hello.ts'
import { utf8Of } from '../../octets.ts'

const COOKIE_LENGTH = 16
const KEY_LENGTH = 32
const ROTATE_AFTER = 3_600_000

export class Cookies {
  readonly #chance: Chance
  #current: Uint8Array
  #previous: Uint8Array | undefined
  #rotateAt: number | undefined

  constructor(chance: Chance) {
    this.#chance = chance
    this.#current = chance.random(KEY_LENGTH)
  }

  /** The cookie that this hello from this address has to show. */
  issue(hello: ClientHello, from: Remote, now: number): Uint8Array {
    this.#rotate(now)
    return cookieOf(this.#current, hello, from)
  }

  /** Those of the last key count, too: hellos that were under way while it changed. */
  accepts(hello: ClientHello, from: Remote, now: number): boolean {
    if (hello.cookie.length !== COOKIE_LENGTH) return false
    this.#rotate(now)
    if (sameSecret(hello.cookie, cookieOf(this.#current, hello, from))) return true
    return this.#previous !== undefined && sameSecret(hello.cookie, cookieOf(this.#previous, hello, from))
  }

  #rotate(now: number): void {
    this.#rotateAt ??= now + ROTATE_AFTER
    if (now < this.#rotateAt) return
    // after a long silence neither key is young enough
    this.#previous = now < this.#rotateAt + ROTATE_AFTER ? this.#current : undefined
    this.#current = this.#chance.random(KEY_LENGTH)
    this.#rotateAt = now + ROTATE_AFTER
  }
}

/** Not over extensions, which a client may change between its hellos. */
const cookieOf = (key: Uint8Array, { head, lists }: ClientHello, { address, port }: Remote): Uint8Array =>
  hmacSha256(key, utf8Of(`${address}|${port}\0`), head, lists).subarray(0, COOKIE_LENGTH)
