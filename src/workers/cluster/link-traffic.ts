// Datagrams on their way to other nodes: those of one turn of the event loop go together, and never more than the other side can take.

import type { BatchKind, LinkConnection } from '../../cluster/links/connection.ts'
import type { Remote } from '../../transport/transport.ts'
import { Batch } from '../between/batch.ts'

/** So many datagrams, or octets, go at once, without waiting for the end of the turn. */
const FULL = 256
const FULL_OCTETS = 65_536
/** Milliseconds by which the ages of datagrams in a batch may differ. */
const SAME_AGE = 100

/** Where links are found. */
export interface LinkTable {
  to(node: string): LinkConnection | undefined
}

/** What became of a datagram: on its way, too much is on its way already, or there is no link. */
export type Sending = 'sent' | 'overloaded' | 'away'

/** Datagrams of one kind for one node. */
class LinkOutbox {
  readonly #connection: LinkConnection
  readonly #kind: BatchKind
  readonly #batch = new Batch()
  #octets = 0
  #since = Number.POSITIVE_INFINITY
  #isPlanned = false

  constructor(connection: LinkConnection, kind: BatchKind) {
    this.#connection = connection
    this.#kind = kind
  }

  add(listener: number, remote: Remote, bytes: Uint8Array, since: number): boolean {
    if (this.#connection.credit - this.#batch.count <= 0) return false
    // what was held must not make others look old
    if (Math.abs(since - this.#since) > SAME_AGE) this.flush()
    this.#since = Math.min(this.#since, since)
    this.#batch.add(listener, remote, bytes)
    this.#octets += bytes.length
    if (this.#batch.count >= FULL || this.#octets >= FULL_OCTETS) this.flush()
    else if (!this.#isPlanned) {
      this.#isPlanned = true
      setImmediate(() => {
        this.#isPlanned = false
        this.flush()
      })
    }
    return true
  }

  flush(): void {
    const { count } = this.#batch
    if (count === 0) return
    this.#connection.sendBatch(this.#kind, this.#batch.take(), count, this.#since)
    this.#octets = 0
    this.#since = Number.POSITIVE_INFINITY
  }
}

interface Line {
  readonly connection: LinkConnection
  readonly outboxes: Readonly<Record<BatchKind, LinkOutbox>>
}

export class LinkTraffic {
  readonly #links: LinkTable
  readonly #lines = new Map<string, Line>()

  constructor(links: LinkTable) {
    this.#links = links
  }

  isUp(node: string): boolean {
    return this.#lineTo(node) !== undefined
  }

  /** Sends with all others of this turn; `since`: when it came in. */
  send(
    node: string,
    kind: BatchKind,
    listener: number,
    remote: Remote,
    bytes: Uint8Array,
    since: number,
  ): Sending {
    const line = this.#lineTo(node)
    if (line === undefined) return 'away'
    return line.outboxes[kind].add(listener, remote, bytes, since) ? 'sent' : 'overloaded'
  }

  #lineTo(node: string): Line | undefined {
    const known = this.#lines.get(node)
    if (known?.connection.isOpen) return known
    const connection = this.#links.to(node)
    if (connection === undefined) {
      this.#lines.delete(node)
      return undefined
    }
    const outboxOf = (kind: BatchKind): LinkOutbox => new LinkOutbox(connection, kind)
    const outboxes = {
      forward: outboxOf('forward'),
      relay: outboxOf('relay'),
      answer: outboxOf('answer'),
      onward: outboxOf('onward'),
    }
    const line: Line = { connection, outboxes }
    this.#lines.set(node, line)
    return line
  }
}
