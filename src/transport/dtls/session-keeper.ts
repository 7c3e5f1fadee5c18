// Open sessions in the store: what of them is on the disk, and what must not leave before it is. Numbers that are written under a
// key are reserved first, so that a crash uses none twice; and the number of a record is kept before its message is acknowledged,
// so that nobody can have it taken once more.

import type { DtlsServer } from '../../dtls/server/server.ts'
import type { AsideStore } from '../secure-link.ts'
import type { HeldDatagrams } from './held-datagrams.ts'
import type { OpenSession, OpenSessions } from './open-sessions.ts'
import type { SecureOptions } from './options.ts'
import { keptName } from './session-records.ts'

/** When so many were received that were not acknowledged, nothing is waited for that was received before. */
const MOST_HEARD = 1024

function noteHeard(open: OpenSession, heard: Map<number, number>, id: number): void {
  heard.set(id, (heard.get(id) ?? 0) + 1)
  if (heard.size > MOST_HEARD) open.heard = undefined
}

/** False: it was not received. */
function takeHeard(heard: Map<number, number>, id: number): boolean {
  const count = heard.get(id)
  if (count === undefined) return false
  if (count > 1) heard.set(id, count - 1)
  else heard.delete(id)
  return true
}

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
    const { promises } = this.#parts.options
    const isLazy = promises?.isPromised(bytes) !== true
    if (!isLazy && open.heard !== undefined) noteHeard(open, open.heard, promises.idOf(bytes))
    this.#keep(open, isLazy)
  }

  /**
   * A message is about to go: an acknowledgement waits until what came before it is on the disk. False: it must not go, as what it
   * acknowledges came to a process that died, perhaps before it could keep the number of its record. The sensor repeats itself. A refusal
   * goes: nobody relies on it, and what it refuses may be something that is never repeated.
   */
  holdPromise(session: number, bytes: Uint8Array): boolean {
    const open = this.#parts.sessions.get(session)
    if (open === undefined) return true
    const { heard } = open
    const isSafe = open.kept === open.received && open.keptWith <= this.#store.durable
    if (isSafe && heard === undefined) return true
    const { promises } = this.#parts.options
    if (promises?.isPromise(bytes) !== true) return true
    if (heard !== undefined && !takeHeard(heard, promises.idOf(bytes)) && !promises.isRefusal(bytes))
      return false
    if (!isSafe) this.#hold(open)
    return true
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
