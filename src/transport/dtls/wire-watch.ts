// Who looks at datagrams as they are on the wire. Nothing is copied while nobody does.

import type { OnWire, WireDatagram } from '../secure-link.ts'
import type { Remote } from '../transport.ts'

type Unattributed = Omit<WireDatagram, 'association'>

export class WireWatch {
  #watchers: readonly OnWire[] = []
  #noted: Unattributed[] = []
  readonly #whose: (remote: Remote) => WireDatagram['association']

  /** `whose`: the session that an address has when all of a datagram is done. */
  constructor(whose: (remote: Remote) => WireDatagram['association']) {
    this.#whose = whose
  }

  get isWatched(): boolean {
    return this.#watchers.length > 0
  }

  /** Calls back for every datagram until the returned function is called. */
  add(watcher: OnWire): () => void {
    this.#watchers = [...this.#watchers, watcher]
    return () => {
      this.#watchers = this.#watchers.filter((one) => one !== watcher)
    }
  }

  /** A datagram came or goes. It is told when what follows from it is done, since only then it is known whose it is. */
  note(direction: WireDatagram['direction'], bytes: Uint8Array, { address, port }: Remote): void {
    if (this.#noted.length === 0) queueMicrotask(() => this.#tell())
    this.#noted.push({ at: Date.now(), direction, bytes: bytes.slice(), address, port })
  }

  #tell(): void {
    const noted = this.#noted
    this.#noted = []
    for (const datagram of noted) {
      const told = { ...datagram, association: this.#whose(datagram) }
      for (const watcher of this.#watchers) watcher(told)
    }
  }
}
