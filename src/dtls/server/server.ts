// A DTLS 1.2 server as a pure core: datagrams and time go in, effects come out. It has no socket, no clock and draws no
// random numbers; whoever calls it passes those in.

import type { Chance } from '../crypto/chance.ts'
import { discard, type Remote, type SessionInfo, type Turn } from '../effects.ts'
import { CLIENT_HELLO, readFragments } from '../handshake/messages.ts'
import {
  DTLS10,
  DTLS12,
  type DtlsRecord,
  HANDSHAKE,
  LONGEST_PLAINTEXT,
  readRecord,
  TLS12_CID,
} from '../record/record.ts'
import { ResumptionCache } from '../resumption/cache.ts'
import { type TicketKey, Tickets } from '../resumption/tickets.ts'
import { type Association, isReadable } from './association.ts'
import type { ServerContext } from './context.ts'
import { closeSession, endBroken, failHandshake } from './end.ts'
import { AddressRate } from './opening/address-rate.ts'
import { useKey } from './opening/client-flight.ts'
import { Cookies } from './opening/cookie.ts'
import { closeUntrusted } from './opening/finish.ts'
import {
  readEarly,
  receiveEarlyOpened,
  receivePlain,
  receiveProtected,
  takeMessages,
} from './opening/half-open.ts'
import { receiveHello } from './opening/hello.ts'
import { isKeyOf, isStillTrusted } from './opening/resume.ts'
import { type ServerOptions, settingsOf } from './options.ts'
import { restoreSession, type SavedSession, saveSession } from './saved.ts'
import { isAt, receiveOpened, sendData } from './session.ts'
import { AssociationTable } from './table.ts'
import { passDeadlines } from './time.ts'

/** Many peers at one socket. Effects are to be performed in their order. */
export class DtlsServer {
  readonly #context: ServerContext
  readonly #cookies: Cookies
  readonly #rate = new AddressRate()
  /** whose record is handled: an exception costs this one and no other */
  #current: Association | undefined

  constructor(options: ServerOptions, chance: Chance) {
    const settings = settingsOf(options)
    this.#cookies = new Cookies(chance)
    this.#context = {
      settings,
      chance,
      table: new AssociationTable(),
      cache: new ResumptionCache(settings.resumable),
      tickets: new Tickets(chance),
      nextId: 1,
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
      this.#guarded(turn, () => this.#receiveRecord(record, from, turn))
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

  /** The answer to a `look-up`; an ask that is not waited for any more is none. */
  found(ask: number, key: Uint8Array | undefined, turn: Turn): void {
    const { table } = this.#context
    const association = [...table.halfOpen].find(({ id, state }) => id === ask && state === 'looking-up')
    const { handshake } = association ?? {}
    if (association === undefined || handshake === undefined) return
    this.#guarded(turn, () => {
      this.#current = association
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

  /** How many sessions and handshakes there may be at once. */
  get limits(): Required<Pick<ServerOptions, 'sessions' | 'handshakes'>> {
    return this.#context.settings
  }

  /** Sessions that are open, handshakes under way, and what else is remembered. */
  get sizes(): AssociationTable['sizes'] {
    return this.#context.table.sizes
  }

  #guarded(turn: Turn, handle: () => void): void {
    this.#current = undefined
    try {
      handle()
    } catch (error) {
      turn.out.push({ type: 'fault', error })
      const broken = this.#current as Association | undefined
      if (broken !== undefined) endBroken(this.#context, broken, turn)
    }
  }

  #receiveRecord(record: DtlsRecord, from: Remote, turn: Turn): void {
    if (record.version !== DTLS12 && record.version !== DTLS10) return discard(turn, 'version')
    if (record.epoch === 0) this.#receivePlain(record, from, turn)
    else if (record.epoch === 1) this.#receiveProtected(record, from, turn)
    else discard(turn, 'malformed')
  }

  #receivePlain(record: DtlsRecord, from: Remote, turn: Turn): void {
    const { payload, type } = record
    if (payload.length === 0 || payload.length > LONGEST_PLAINTEXT) return discard(turn, 'malformed')
    if (type === HANDSHAKE && payload[0] === CLIENT_HELLO) {
      const [fragment] = readFragments(payload) ?? []
      if (fragment === undefined) return discard(turn, 'malformed')
      return receiveHello(this.#context, this.#cookies, this.#rate, record, fragment, from, turn)
    }
    const association = this.#context.table.halfOpenAt(from)
    // an open session listens to nothing in epoch 0: anybody could have written it
    if (association === undefined) return discard(turn, 'no-session')
    this.#current = association
    receivePlain(this.#context, association, record, turn)
  }

  #receiveProtected(record: DtlsRecord, from: Remote, turn: Turn): void {
    const { table } = this.#context
    if (record.type !== TLS12_CID) return this.#receiveFromAddress(record, from, turn)
    const association = record.cid.length === 0 ? undefined : table.byCid(record.cid)
    if (association === undefined) return discard(turn, 'no-session')
    this.#current = association
    if (association.state === 'open') {
      receiveOpened(this.#context, association, record, association.channel.open(record), from, turn)
    } else if (isAt(association, from)) receiveProtected(this.#context, association, record, turn)
    else discard(turn, 'address')
  }

  /** Without an id the address says whose it is; while a session is replaced there may be two, and the keys decide. */
  #receiveFromAddress(record: DtlsRecord, from: Remote, turn: Turn): void {
    const context = this.#context
    const halfOpen = context.table.halfOpenAt(from)
    const open = context.table.openAt(from)
    if (halfOpen === undefined && open === undefined) return discard(turn, 'no-session')
    if (halfOpen !== undefined && isReadable(halfOpen)) {
      this.#current = halfOpen
      const opened = halfOpen.channel.open(record)
      if (opened.result === 'content' || open === undefined)
        return receiveEarlyOpened(context, halfOpen, opened, turn)
      if (opened.result === 'mac' && halfOpen.handshake) halfOpen.handshake.undecrypted++
    }
    if (open !== undefined) {
      this.#current = open
      const opened = open.channel.open(record)
      if (opened.result === 'content' || halfOpen === undefined || isReadable(halfOpen))
        return receiveOpened(context, open, record, opened, from, turn)
    }
    if (halfOpen === undefined) return
    this.#current = halfOpen
    if (halfOpen.channel.ownCid.length > 0) return discard(turn, 'malformed')
    receiveProtected(context, halfOpen, record, turn)
  }
}
