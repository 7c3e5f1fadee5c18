// Stateless cookies [6347 4.2.1]: whoever shows one has received what was sent to its address.

import type { Chance } from '../../crypto/chance.ts'
import { HmacKey } from '../../crypto/hmac.ts'
import { sameSecret } from '../../crypto/primitives.ts'
import type { Remote } from '../../effects.ts'
import type { ClientHello } from '../../handshake/hello.ts'
import { utf8Of } from '../../octets.ts'

const COOKIE_LENGTH = 16
const KEY_LENGTH = 32
const ROTATE_AFTER = 3_600_000

/** What there is of a hello's cookie: whether it is right, and what would be. */
export interface CookieCheck {
  readonly isRight: boolean
  /** the one that this hello from this address has to show */
  readonly wanted: Uint8Array
}

export class Cookies {
  readonly #chance: Chance
  #current: HmacKey
  #previous: HmacKey | undefined
  #rotateAt: number | undefined

  constructor(chance: Chance) {
    this.#chance = chance
    this.#current = new HmacKey(chance.random(KEY_LENGTH))
  }

  /** Those of the last key count, too: hellos that were under way while it changed. */
  check(hello: ClientHello, from: Remote, now: number): CookieCheck {
    this.#rotate(now)
    const wanted = cookieOf(this.#current, hello, from)
    const { cookie } = hello
    const isRight =
      cookie.length === COOKIE_LENGTH &&
      (sameSecret(cookie, wanted) ||
        (this.#previous !== undefined && sameSecret(cookie, cookieOf(this.#previous, hello, from))))
    return { isRight, wanted }
  }

  #rotate(now: number): void {
    this.#rotateAt ??= now + ROTATE_AFTER
    if (now < this.#rotateAt) return
    // after a long silence neither key is young enough
    this.#previous = now < this.#rotateAt + ROTATE_AFTER ? this.#current : undefined
    this.#current = new HmacKey(this.#chance.random(KEY_LENGTH))
    this.#rotateAt = now + ROTATE_AFTER
  }
}

/** Not over extensions, which a client may change between its hellos. */
const cookieOf = (key: HmacKey, { head, lists }: ClientHello, { address, port }: Remote): Uint8Array =>
  key.codeOf(utf8Of(`${address}|${port}\0`), head, lists).subarray(0, COOKIE_LENGTH)
