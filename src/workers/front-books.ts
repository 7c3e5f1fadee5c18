// What the front counts and remembers itself: who was refused at the sockets, and where what was dropped there came from.

import type { DropEntry, RefusalEntry } from '../console/contract/happenings.ts'
import {
  type Counters,
  countDiscard,
  createCounters,
  type DiscardBooks,
  type DiscardReason,
} from '../gateway/counters.ts'
import type { Datagram } from '../gateway/datagrams/intake.ts'
import { createRefusals, type Refusals } from '../gateway/reports/refusals.ts'
import type { Log } from '../log.ts'
import { createDropSources } from '../monitor/drop-sources.ts'
import { createRecentRefusals } from '../monitor/recent-refusals.ts'
import type { Refusal } from '../session/refusal.ts'

export class FrontBooks implements DiscardBooks {
  readonly counters: Counters = createCounters()
  /** takes every refusal, besides */
  onRefused: (refusal: Refusal) => void = () => {}
  readonly #refused = createRecentRefusals()
  readonly #sources = createDropSources()
  #refusals: Refusals | undefined

  readonly onDiscarded: NonNullable<DiscardBooks['onDiscarded']> = (reason, from) =>
    this.#sources.add(reason, from, undefined)

  /** From now on refusals are logged. */
  open(log: Log): void {
    this.#refusals ??= createRefusals({
      counters: this.counters,
      log,
      onRefused: (refusal) => {
        this.#refused.add(refusal)
        this.onRefused(refusal)
      },
    })
  }

  /** A datagram goes no further. */
  drop(reason: DiscardReason, ...[{ listener }, , remote]: Datagram): void {
    countDiscard(this, reason, { ...remote, listener })
  }

  /** The same, of one that nobody else counts. */
  refuse(reason: 'not-allowed' | 'oversized', ...datagram: Datagram): void {
    const [{ listener }, bytes, remote] = datagram
    this.counters.receivedDatagrams += 1
    this.counters.receivedOctets += bytes.length
    if (reason === 'not-allowed')
      this.#refusals?.report({ reason: 'address-not-admitted', peer: { ...remote, listener } })
    this.drop(reason, ...datagram)
  }

  /** Who was refused here lately. */
  refused(): readonly RefusalEntry[] {
    return this.#refused.list()
  }

  /** Where what was dropped here came from. */
  drops(reason: string | undefined): readonly DropEntry[] {
    return this.#sources.list(reason)
  }
}
