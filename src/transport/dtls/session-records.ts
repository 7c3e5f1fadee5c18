// Open sessions and ticket keys as they lie in the store, and how they are read again: what is no such record counts as none.

import type { IdentityKind, Remote, SessionInfo } from '../../dtls/effects.ts'
import type { TicketKey } from '../../dtls/resumption/tickets.ts'
import type { SavedSession } from '../../dtls/server/saved.ts'
import { slotOfNumber } from '../../dtls/slots.ts'
import type { AsideStore, SlotRecord } from '../secure-link.ts'

/** Names of records: of a session, of the ticket keys of a listener, and of the numbers that it has given. */
export const sessionName = (listener: string, session: number): string => `dtls ${session} ${listener}`
export const ticketsName = (listener: string): string => `dtls tickets ${listener}`
export const numbersName = (listener: string): string => `dtls numbers ${listener}`

/** The whole name of the record of a session: one that is shared belongs to its slot. */
export function keptName(store: Pick<AsideStore, 'nameInSlot'>, listener: string, session: number): string {
  const slot = slotOfNumber(session)
  const name = sessionName(listener, session)
  return slot === undefined ? name : store.nameInSlot(slot, name)
}

/** A session as it is kept here. */
export interface KeptSession extends SavedSession {
  /** wall time */
  readonly openedAt: number
  /** nothing came in it after this was written, as it was let go with that */
  readonly isWhole?: boolean
}

/** The fields that a T has, if these are they. */
type Fields<T> = { readonly [K in keyof T]?: unknown }

class NoRecord extends Error {}

function insist<T>(value: unknown, is: (value: unknown) => value is T): T {
  if (!is(value)) throw new NoRecord()
  return value
}

const isText = (value: unknown): value is string => typeof value === 'string'
const isFlag = (value: unknown): value is boolean => typeof value === 'boolean'
const isNumber = (value: unknown): value is number => typeof value === 'number' && !Number.isNaN(value)
export const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0
const isOctets = (value: unknown): value is Uint8Array => value instanceof Uint8Array
const isMaybeText = (value: unknown): value is string | undefined => value === undefined || isText(value)
const isKind = (value: unknown): value is IdentityKind =>
  value === 'psk' || value === 'certificate' || value === 'anonymous'

/** A copy of its own, since what is read may be part of a larger buffer. */
const octets = (value: unknown): Uint8Array => new Uint8Array(insist(value, isOctets))

function read<T>(value: unknown, reader: (fields: Fields<T>) => T): T | undefined {
  try {
    return typeof value === 'object' && value !== null ? reader(value) : undefined
  } catch (error) {
    if (error instanceof NoRecord) return undefined
    throw error
  }
}

/** Undefined for what is no session. */
const readSession = (value: unknown): KeptSession | undefined =>
  read<KeptSession>(value, (of) => {
    const remote: Fields<Remote> = Object(of.remote)
    const info: Fields<SessionInfo> = Object(of.info)
    const who: Fields<SavedSession['who']> = Object(of.who)
    return {
      session: insist(of.session, isCount),
      remote: {
        address: insist(remote.address, isText),
        port: insist(remote.port, isCount),
        local: insist(remote.local, isMaybeText),
      },
      info: {
        identity: insist(info.identity, isMaybeText),
        kind: insist(info.kind, isKind),
        suite: insist(info.suite, isText),
        resumed: insist(info.resumed, isFlag),
        extendedMasterSecret: insist(info.extendedMasterSecret, isFlag),
        connectionId: insist(info.connectionId, isMaybeText),
        overhead: insist(info.overhead, isCount),
      },
      who: {
        kind: insist(who.kind, isKind),
        identity: insist(who.identity, isMaybeText),
        credential: insist(who.credential, isText),
        notAfter: insist(who.notAfter, isNumber),
      },
      keys: octets(of.keys),
      ownCid: octets(of.ownCid),
      peerCid: octets(of.peerCid),
      longest: insist(of.longest, isCount),
      sequence: insist(of.sequence, isCount),
      top: insist(of.top, isNumber),
      isWhole: of.isWhole === true,
      // records of before have none
      openedAt: of.openedAt === undefined ? Date.now() : insist(of.openedAt, isNumber),
    }
  })

/** Empty for what are no ticket keys. */
const readTicketKeys = (value: unknown): readonly TicketKey[] =>
  read<{ keys: readonly TicketKey[] }>(value, ({ keys }) => ({
    keys: (Array.isArray(keys) ? keys : []).map((key: Fields<TicketKey>) => ({
      name: octets(Object(key).name),
      key: octets(Object(key).key),
    })),
  }))?.keys ?? []

/** The sessions of a listener among these records. */
export function sessionsIn(
  records: Iterable<readonly [name: string, record: unknown]>,
  listener: string,
): KeptSession[] {
  return [...records].flatMap(([name, record]) => {
    if (!name.startsWith('dtls ')) return []
    const saved = readSession(record)
    return saved !== undefined && name === sessionName(listener, saved.session) ? [saved] : []
  })
}

export const ticketKeysIn = ({ asides }: AsideStore, listener: string): readonly TicketKey[] =>
  readTicketKeys(asides.get(ticketsName(listener)))

/** Whether a record is of a listener that is not there any more; the numbers that it has given are remembered. */
function isForeign(name: string, listeners: readonly string[]): boolean {
  const [, listener] = /^dtls (?:\d+|tickets) (.*)$/s.exec(name) ?? []
  return listener !== undefined && !listeners.includes(listener)
}

/** Takes away what listeners have left that are not there any more. */
export function dropForeignRecords(store: AsideStore, listeners: readonly string[]): void {
  for (const name of store.asides.keys())
    if (isForeign(name, listeners)) store.keepAside(name, () => undefined)
}

/** The same of slots, of which there are these records. */
export function dropForeignInSlot(
  store: Pick<AsideStore, 'keepAside' | 'nameInSlot'>,
  records: readonly SlotRecord[],
  listeners: readonly string[],
): void {
  for (const [slot, name] of records)
    if (isForeign(name, listeners)) store.keepAside(store.nameInSlot(slot, name), () => undefined)
}
