// Open sessions in the store: what of them is on the disk, and what must not leave before it is. Numbers that are written under a
// key are reserved first, so that a crash uses none twice; and the number of a record is kept before its message is acknowledged,
// so that nobody can have it taken once more.

import type { DtlsServer } from '../../dtls/server/server.ts'
import type { AsideStore } from '../secure-link.ts'
import type { HeldDatagrams } from './held-datagrams.ts'
import type { OpenSession, OpenSessions } from './open-sessions.ts'
import type { SecureOptions } from './options.ts'
import { keptName } from './session-records.ts'

interface KeeperParts {
  readonly store: AsideStore
  readonly options: Pick<SecureOptions, 'name' | 'promises'>
  readonly core: Pick<DtlsServer, 'save'>
  readonly sessions: OpenSessions
  readonly held: HeldDatagrams
}

export class SessionKeeper {
  readonly #parts: KeeperParts
  readonly #store: AsideStore
  #isWatching = false

  constructor(parts: KeeperParts) {
    this.#parts = parts
    this.#store = parts.store
  }

  /** A message came. One that will be acknowledged is kept at once, so that this is done when the acknowledgement comes. */
  noteReceived(open: OpenSession, bytes: Uint8Array): void {
    const isLazy = this.#parts.options.promises?.isPromised(bytes) !== true
    this.#keep(open, isLazy)
  }

  /** A message is about to go: an acknowledgement waits until what came before it is on the disk. */
  holdPromise(session: number, bytes: Uint8Array): void {
    const open = this.#parts.sessions.get(session)
    if (open === undefined) return
    const isSafe = open.kept === open.received && open.keptWith <= this.#store.durable
    if (!isSafe && this.#parts.options.promises?.isPromise(bytes) === true) this.#hold(open)
  }

  /** Its next numbers are reserved: nothing with them may leave before that is on the disk. */
  save(session: number): void {
    const open = this.#parts.sessions.get(session)
    if (open === undefined) return
    this.#keep(open, false)
    this.#hold(open)
  }

  forget(session: number): void {
    this.#store.keepAside(keptName(this.#store, this.#parts.options.name, session), () => undefined)
  }

  #keep(open: OpenSession, isLazy: boolean): void {
    open.record ??= () => this.#recordOf(open)
    open.name ??= keptName(this.#store, this.#parts.options.name, open.association.number)
    this.#store.keepAside(open.name, open.record, isLazy)
  }

  /** As it is when it is written. */
  #recordOf(open: OpenSession): object | undefined {
    const saved = this.#parts.core.save(open.association.number)
    open.kept = open.received
    open.keptWith = this.#store.written
    return saved && { ...saved, openedAt: open.openedAt }
  }

  /** What goes to it waits until everything that was kept so far is on the disk. */
  #hold(open: OpenSession): void {
    if (open.kept !== open.received) this.#keep(open, false)
    this.#parts.held.hold(open.remote, this.#store.written)
    this.#watch()
  }

  /** One question to the store for all that wait, however long that cannot write. */
  #watch(): void {
    if (this.#isWatching) return
    this.#isWatching = true
    this.#store.onDurable(() => {
      this.#isWatching = false
      this.#parts.held.settle(this.#store.durable)
      if (this.#parts.held.isHolding) this.#watch()
    })
  }
}
