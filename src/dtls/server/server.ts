// A DTLS 1.2 server as a pure core: datagrams and time go in, effects come out. It has no socket, no clock and draws no
// random numbers; whoever calls it passes those in.

import type { Chance } from '../crypto/chance.ts'
import { discard, type Remote, type SessionInfo, type Turn } from '../effects.ts'
import { readRecord } from '../record/record.ts'
import { ResumptionCache } from '../resumption/cache.ts'
import { type TicketKey, Tickets } from '../resumption/tickets.ts'
import type { ServerContext } from './context.ts'
import { closeSession, displaceSession, endBroken, failHandshake } from './end.ts'
import { type Locality, locate, takeAway } from './moving.ts'
import { AddressRate } from './opening/address-rate.ts'
import { useKey } from './opening/client-flight.ts'
import { Cookies } from './opening/cookie.ts'
import { closeUntrusted } from './opening/finish.ts'
import { readEarly, takeMessages } from './opening/half-open.ts'
import { isKeyOf, isStillTrusted } from './opening/resume.ts'
import { type ServerOptions, settingsOf } from './options.ts'
import { type HelloParts, receiveRecord } from './receive.ts'
import { restoreSession, type SavedSession, saveSession } from './saved.ts'
import { sendData } from './session.ts'
import { AssociationTable } from './table.ts'
import { passDeadlines } from './time.ts'

interface Load {
  readonly sessions: number
  readonly halfOpen: number
}

/** Many peers at one socket. Effects are to be performed in their order. */
export class DtlsServer {
  readonly #context: ServerContext
  readonly #hellos: HelloParts

  constructor(options: ServerOptions, chance: Chance) {
    const settings = settingsOf(options)
    this.#hellos = { cookies: new Cookies(chance), rate: new AddressRate() }
    this.#context = {
      settings,
      chance,
      table: new AssociationTable(),
      cache: new ResumptionCache(settings.resumable),
      tickets: new Tickets(chance),
      nextId: 1,
      current: undefined,
      dueAt: Number.POSITIVE_INFINITY,
      sweepAt: Number.POSITIVE_INFINITY,
    }
  }

  /** One datagram; its octets are the core's from now on. */
  receive(bytes: Uint8Array, from: Remote, turn: Turn): void {
    let at = 0
    while (at < bytes.length) {
      const record = readRecord(bytes, at, this.#context.settings.connectionIdLength)
      if (record === undefined) return discard(turn, 'malformed')
      at += record.size
      this.#guarded(turn, () => receiveRecord(this.#context, this.#hellos, record, from, turn))
    }
  }

  /** One message of the application; false: there is no such session, or it does not fit. */
  send(session: number, bytes: Uint8Array, turn: Turn): boolean {
    const association = this.#context.table.sessions.get(session)
    return association !== undefined && sendData(this.#context, association, bytes, turn)
  }

  /** The peer gets close_notify. */
  close(session: number, why: string, turn: Turn): void {
    const association = this.#context.table.sessions.get(session)
    if (association !== undefined) closeSession(this.#context, association, why, turn)
  }

  /** Another server has a session at this address now: one here that is known by it alone cannot be reached any more. */
  displace(at: Remote, turn: Turn): void {
    displaceSession(this.#context, at, turn)
  }

  /** The answer to a `look-up`; an ask that is not waited for any more is none. */
  found(ask: number, key: Uint8Array | undefined, turn: Turn): void {
    const { table } = this.#context
    const association = [...table.halfOpen].find(({ id, state }) => id === ask && state === 'looking-up')
    const { handshake } = association ?? {}
    if (association === undefined || handshake === undefined) return
    this.#guarded(turn, () => {
      this.#context.current = association
      const failed = useKey(this.#context, association, handshake, key)
      if (failed !== undefined) return failHandshake(this.#context, association, failed, turn)
      takeMessages(this.#context, association, turn)
      readEarly(this.#context, association, turn)
    })
  }

  /** Whether those above hold a session; one that nobody holds ends after `idle`, and first when there are too many. */
  setInUse(session: number, inUse: boolean, turn: Turn): void {
    const association = this.#context.table.sessions.get(session)
    if (association === undefined || association.inUse === inUse) return
    association.lastUsed = turn.now
    this.#context.table.setInUse(association, inUse)
  }

  /** Other settings from now on. Sessions end whose key or certificate counts no longer; those of keys that are looked up outside stay. */
  reconfigure(options: ServerOptions, turn: Turn): void {
    const settings = settingsOf(options)
    // records in both directions carry ids of the old length
    const { connectionIdLength } = this.#context.settings
    this.#context.settings = { ...settings, connectionIdLength }
    const { sessions } = this.#context.table
    closeUntrusted(this.#context, sessions.values(), (who) => isStillTrusted(who, settings, true), turn)
  }

  /** The key that the identity of a session has now: with another one than it was opened with, or none, it ends. */
  verifyKey(session: number, key: Uint8Array | undefined, turn: Turn): void {
    const open = this.#context.table.sessions.get(session)
    if (open !== undefined) closeUntrusted(this.#context, [open], (who) => isKeyOf(who, key), turn)
  }

  /** When `tick` is due, monotonic; Infinity = never. May be too early, never too late. */
  due(): number {
    return this.#context.dueAt
  }

  tick(turn: Turn): void {
    passDeadlines(this.#context, turn)
  }

  /** What a durable store keeps of an open session; secret. */
  save(session: number): SavedSession | undefined {
    const association = this.#context.table.sessions.get(session)
    return association && saveSession(association)
  }

  /** A session of an earlier process, before the first datagram; false where it does not count any more. */
  restore(saved: SavedSession, turn: Turn): boolean {
    return restoreSession(this.#context, saved, turn)
  }

  /** Sessions have numbers from this one on: those below were of an earlier process, and are remembered above. */
  numberFrom(first: number): void {
    this.#context.nextId = Math.max(this.#context.nextId, first)
  }

  /** Ticket keys of an earlier process; secret. */
  useTicketKeys(keys: readonly TicketKey[]): void {
    this.#context.tickets.use(keys)
  }

  /** Told what `useTicketKeys` wants after a restart, whenever that changes. */
  set onTicketKeys(listener: (keys: readonly TicketKey[]) => void) {
    this.#context.tickets.onKeys = listener
  }

  /** What is shown of an open session, and how many protected records were written in it. */
  about(session: number): { readonly info: SessionInfo; readonly written: number } | undefined {
    const { info, channel } = this.#context.table.sessions.get(session) ?? {}
    return info && channel && { info, written: channel.sequence }
  }

  /** The open session whose peer was last heard from an address. */
  sessionAt(from: Remote): number | undefined {
    return this.#context.table.openAt(from)?.id
  }

  /** Sessions and handshakes, and how many of them there may be at once. */
  get load(): Load & { readonly limits: Load } {
    const { table, settings } = this.#context
    return {
      sessions: table.sessions.size,
      halfOpen: table.halfOpen.size,
      limits: { sessions: settings.sessions, halfOpen: settings.handshakes },
    }
  }

  /** Sessions that are open, handshakes under way, and what else is remembered. */
  get sizes(): AssociationTable['sizes'] {
    return this.#context.table.sizes
  }

  /** Whose a datagram is, where other servers have some of the sessions. */
  locate(datagram: Uint8Array, from: Remote): Locality {
    return locate(this.#context, datagram, from)
  }

  /** Lets go of sessions, as another server is to have them: `restore` goes on with them there. */
  takeAway(isWanted: (session: number) => boolean, turn: Turn): SavedSession[] {
    return takeAway(this.#context, isWanted, turn)
  }

  #guarded(turn: Turn, handle: () => void): void {
    this.#context.current = undefined
    try {
      handle()
    } catch (error) {
      turn.out.push({ type: 'fault', error })
      const broken = this.#context.current
      if (broken !== undefined) endBroken(this.#context, broken, turn)
    }
  }
}
