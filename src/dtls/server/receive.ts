// Records as they come: by epoch and connection id, or else by address, they are of a hello, of a handshake, or of an open session.

import { discard, type Remote, type Turn } from '../effects.ts'
import { CLIENT_HELLO, readFragments } from '../handshake/messages.ts'
import { DTLS10, DTLS12, type DtlsRecord, HANDSHAKE, LONGEST_PLAINTEXT, TLS12_CID } from '../record/record.ts'
import { isReadable } from './association.ts'
import type { ServerContext } from './context.ts'
import type { AddressRate } from './opening/address-rate.ts'
import type { Cookies } from './opening/cookie.ts'
import { receiveEarlyOpened, receivePlain, receiveProtected } from './opening/half-open.ts'
import { receiveHello } from './opening/hello.ts'
import { isAt, receiveOpened } from './session.ts'

/** What hellos are checked with. */
export interface HelloParts {
  readonly cookies: Cookies
  readonly rate: AddressRate
}

/** One record, of whatever epoch. */
export function receiveRecord(
  context: ServerContext,
  hellos: HelloParts,
  record: DtlsRecord,
  from: Remote,
  turn: Turn,
): void {
  if (record.version !== DTLS12 && record.version !== DTLS10) return discard(turn, 'version')
  if (record.epoch === 0) receivePlainRecord(context, hellos, record, from, turn)
  else if (record.epoch === 1) receiveProtectedRecord(context, record, from, turn)
  else discard(turn, 'malformed')
}

function receivePlainRecord(
  context: ServerContext,
  { cookies, rate }: HelloParts,
  record: DtlsRecord,
  from: Remote,
  turn: Turn,
): void {
  const { payload, type } = record
  if (payload.length === 0 || payload.length > LONGEST_PLAINTEXT) return discard(turn, 'malformed')
  if (type === HANDSHAKE && payload[0] === CLIENT_HELLO) {
    const [fragment] = readFragments(payload) ?? []
    if (fragment === undefined) return discard(turn, 'malformed')
    return receiveHello(context, cookies, rate, record, fragment, from, turn)
  }
  const association = context.table.halfOpenAt(from)
  // an open session listens to nothing in epoch 0: anybody could have written it
  if (association === undefined) return discard(turn, 'no-session')
  context.current = association
  receivePlain(context, association, record, turn)
}

function receiveProtectedRecord(context: ServerContext, record: DtlsRecord, from: Remote, turn: Turn): void {
  const { table } = context
  if (record.type !== TLS12_CID) return receiveFromAddress(context, record, from, turn)
  const association = record.cid.length === 0 ? undefined : table.byCid(record.cid)
  if (association === undefined) return discard(turn, 'no-session')
  context.current = association
  if (association.state === 'open') {
    receiveOpened(context, association, record, association.channel.open(record), from, turn)
  } else if (isAt(association, from)) receiveProtected(context, association, record, turn)
  else discard(turn, 'address')
}

/** Without an id the address says whose it is; while a session is replaced there may be two, and the keys decide. */
function receiveFromAddress(context: ServerContext, record: DtlsRecord, from: Remote, turn: Turn): void {
  const halfOpen = context.table.halfOpenAt(from)
  const open = context.table.openAt(from)
  if (halfOpen === undefined && open === undefined) return discard(turn, 'no-session')
  if (halfOpen !== undefined && isReadable(halfOpen)) {
    context.current = halfOpen
    const opened = halfOpen.channel.open(record)
    if (opened.result === 'content' || open === undefined)
      return receiveEarlyOpened(context, halfOpen, opened, turn)
    if (opened.result === 'mac' && halfOpen.handshake) halfOpen.handshake.undecrypted++
  }
  if (open !== undefined) {
    context.current = open
    const opened = open.channel.open(record)
    if (opened.result === 'content' || halfOpen === undefined || isReadable(halfOpen))
      return receiveOpened(context, open, record, opened, from, turn)
  }
  if (halfOpen === undefined) return
  context.current = halfOpen
  if (halfOpen.channel.ownCid.length > 0) return discard(turn, 'malformed')
  receiveProtected(context, halfOpen, record, turn)
}
