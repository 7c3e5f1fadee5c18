// Sessions of a link with a store: how they come out of it, all at the start or slot by slot, and how they go there.

import type { Remote, SessionInfo, Turn } from '../../dtls/effects.ts'
import type { DtlsServer } from '../../dtls/server/server.ts'
import { beginsInPlain, type Place, slotOfNumber } from '../../dtls/slots.ts'
import type { AsideStore, SessionSharing, SlotRecord } from '../secure-link.ts'
import type { HeldDatagrams } from './held-datagrams.ts'
import type { OpenSessions } from './open-sessions.ts'
import type { SecureOptions } from './options.ts'
import { SessionKeeper } from './session-keeper.ts'
import { FreshNumbers, firstNumber, SlotNumbers } from './session-numbers.ts'
import {
  type KeptSession,
  keptName,
  numbersName,
  sessionsIn,
  ticketKeysIn,
  ticketsName,
} from './session-records.ts'

export interface StoredParts {
  readonly store: AsideStore
  /** where they are shared with other links */
  readonly sharing: SessionSharing | undefined
  readonly options: Pick<SecureOptions, 'name' | 'promises'>
  readonly core: DtlsServer
  readonly sessions: OpenSessions
  readonly held: HeldDatagrams
}

export class StoredSessions {
  readonly keeper: SessionKeeper
  readonly #parts: StoredParts
  readonly #inSlots: SlotNumbers | undefined
  #numbers: FreshNumbers | undefined

  constructor(parts: StoredParts) {
    this.#parts = parts
    this.keeper = new SessionKeeper(parts)
    const { store, core, options, sharing } = parts
    core.useTicketKeys(ticketKeysIn(store, options.name))
    core.onTicketKeys = (keys) => store.keepAside(ticketsName(options.name), () => ({ keys }))
    if (sharing !== undefined) this.#inSlots = new SlotNumbers(store, options.name)
  }

  /** Those of earlier processes are open again; of what is shared there are none yet, and those from before it was shared count no more. */
  restore(turn: Turn): void {
    const { store, core, options, sharing } = this.#parts
    const kept = sessionsIn(store.asides, options.name)
    if (sharing !== undefined) return this.#drop(kept)
    const name = numbersName(options.name)
    this.#numbers = new FreshNumbers(store, name, firstNumber(store.asides.get(name)))
    core.numberFrom(this.#numbers.first)
    this.#drop(kept.filter((saved) => !this.#open(saved, turn)))
  }

  /** A session has begun. */
  noteOpened(session: number, { connectionId }: SessionInfo, remote: Remote): void {
    this.#numbers?.note(session)
    if (connectionId === undefined) this.#parts.sharing?.noteAddress(remote, session, false)
  }

  /** It has ended. */
  noteClosed(session: number, remote: Remote): void {
    this.#parts.sharing?.forgetAddress(remote, session)
  }

  /** Who sends a datagram that is for a session here; undefined: it is not, and others have it by now. */
  admit(bytes: Uint8Array, at: Remote): Remote | undefined {
    const { sharing, core } = this.#parts
    if (sharing === undefined) return at
    const from = sharing.wayIn(at)
    const whose = core.locate(bytes, from)
    // parts of a handshake have no order among messages, and would be sent to where handshakes begin
    if (whose === 'here' && (beginsInPlain(bytes) || !sharing.isWaiting(from))) return from
    if (whose === 'beginning' && sharing.chooseSlot() !== undefined) return from
    sharing.pass(bytes, from)
    return undefined
  }

  /** Where a datagram leaves by the own socket; undefined: it does not. */
  wayOut(to: Remote, bytes: Uint8Array): Remote | undefined {
    const { sharing } = this.#parts
    return sharing === undefined ? to : sharing.wayOut(to, bytes)
  }

  /** with other links */
  get isShared(): boolean {
    return this.#parts.sharing !== undefined
  }

  /** Where a session that begins has its place, if sessions are shared; undefined: nowhere at the moment. */
  place(): Place | undefined {
    const slot = this.#parts.sharing?.chooseSlot()
    const number = slot === undefined ? undefined : this.#inSlots?.draw(slot)
    return slot === undefined || number === undefined ? undefined : { slot, number }
  }

  takeUp(slots: ReadonlySet<number>, records: readonly SlotRecord[], turn: Turn): number[] {
    const { options } = this.#parts
    const numbers = new Map(
      records
        .filter(([, name]) => name === numbersName(options.name))
        .map(([slot, , record]) => [slot, record]),
    )
    for (const slot of slots) this.#inSlots?.takeUp(slot, numbers.get(slot))
    const named = records.map(([, name, record]) => [name, record] as const)
    const kept = sessionsIn(named, options.name).filter(({ session }) => isIn(slots, session))
    this.#drop(kept.filter((saved) => !this.#open(saved, turn)))
    return kept.map(({ session }) => session)
  }

  /** Keeps them as they are now, and nothing of them is here any more. */
  letGo(slots: ReadonlySet<number>, turn: Turn): void {
    const { store, core, options, sessions, sharing } = this.#parts
    for (const slot of slots) this.#inSlots?.letGo(slot)
    for (const saved of core.takeAway((session) => isIn(slots, session), turn)) {
      const open = sessions.take(saved.session)
      if (open === undefined) continue
      const record: KeptSession = { ...saved, openedAt: open.openedAt, isWhole: true }
      store.keepAside(keptName(store, options.name, saved.session), () => record)
      sharing?.forgetAddress(saved.remote, saved.session)
    }
  }

  #open(saved: KeptSession, turn: Turn): boolean {
    const { core, sessions, sharing } = this.#parts
    const { session, info, remote, openedAt, sequence } = saved
    if (info.connectionId === undefined && !this.#hasAddress(saved, turn)) return false
    if (!core.restore(saved, turn)) return false
    sessions.add(session, info, remote, openedAt, sequence)
    const open = sessions.get(session)
    if (open !== undefined && sharing !== undefined && saved.isWhole !== true) open.heard = new Map()
    if (info.connectionId === undefined) sharing?.noteAddress(remote, session, true)
    return true
  }

  /** Of two sessions that only their address tells apart from others, the later one is there, whichever of them was here first. */
  #hasAddress({ remote, openedAt }: KeptSession, turn: Turn): boolean {
    const { core, sessions } = this.#parts
    const other = core.sessionAt(remote)
    const open = sessions.get(other)
    if (other === undefined || open === undefined) return true
    if (core.about(other)?.info.connectionId !== undefined) return true // it is found without
    if (open.openedAt >= openedAt) return false
    core.displace(remote, turn)
    return true
  }

  #drop(kept: readonly KeptSession[]): void {
    const { store, options } = this.#parts
    for (const { session } of kept) store.keepAside(keptName(store, options.name, session), () => undefined)
  }
}

function isIn(slots: ReadonlySet<number>, session: number): boolean {
  const slot = slotOfNumber(session)
  return slot !== undefined && slots.has(slot)
}
