// Associations on their way between threads: as text with each datagram, and as one object on the other side as long as they last.

import type { Association } from '../../session/peers.ts'

/** More than there can be sessions on the listeners of one gateway; the oldest is read anew when its peer is heard again. */
const MOST = 65_536

/** What names it to another thread. */
export const associationText = ({ number, kind, identity }: Association): string =>
  `${number} ${kind} ${identity}`

/** The associations that another thread has named. */
export class Associations {
  readonly #byText = new Map<string, Association>()

  /** The association of this text, the same object every time. `listener` is the listener's number. */
  find(listener: number, text: string): Association {
    const key = `${listener} ${text}`
    const known = this.#byText.get(key)
    if (known !== undefined) return known
    const [number = '', kind] = text.split(' ', 2)
    const identity = text.slice(`${number} ${kind} `.length)
    const association: Association = {
      number: Number(number),
      kind: kind === 'certificate' ? 'certificate' : 'psk',
      identity,
    }
    for (const oldest of this.#byText.keys()) {
      if (this.#byText.size < MOST) break
      this.#byText.delete(oldest)
    }
    this.#byText.set(key, association)
    return association
  }
}
