// Records of an open session: messages of the application, alerts, repeated Finished, and a peer whose address changes.

import { discard, type Remote, type Turn } from '../effects.ts'
import { alertName, FATAL, WARNING } from '../failure.ts'
import { CLIENT_HELLO, FINISHED, readFragments } from '../handshake/messages.ts'
import type { Opened } from '../record/channel.ts'
import { ALERT, APPLICATION_DATA, type DtlsRecord, HANDSHAKE } from '../record/record.ts'
import { sendAlert, sendFlight } from './answers.ts'
import type { Association } from './association.ts'
import type { ServerContext } from './context.ts'
import { closeSession, endSession } from './end.ts'
import { reserveNumbers } from './saved.ts'
import { addressKey } from './table.ts'

/** A new address gets so many times the octets that came from there, until it has proved itself [9146 6]. */
const AMPLIFICATION = 3

export function receiveOpened(
  context: ServerContext,
  association: Association,
  record: DtlsRecord,
  opened: Opened,
  from: Remote,
  turn: Turn,
): void {
  if (opened.result !== 'content') {
    discard(turn, opened.result)
    if (association.channel.isWorn) closeSession(context, association, 'too many forged records', turn)
    return
  }
  if (!follow(context, association, record, opened.isNewest, from, turn)) return discard(turn, 'address')
  association.lastUsed = turn.now
  const { type, content } = opened.content
  switch (type) {
    case APPLICATION_DATA:
      turn.out.push({ type: 'data', session: association.id, bytes: content, remote: from })
      return
    case HANDSHAKE:
      return receiveHandshake(context, association, content, turn)
    case ALERT:
      return receiveAlert(context, association, content, turn)
    case -1: // nothing but padding, which no honest peer writes
      return endSession(
        context,
        association,
        'a record without a type',
        { level: FATAL, alert: 'unexpected_message' },
        turn,
      )
    default:
      return discard(turn, 'unexpected')
  }
}

/** Goes along with the peer if this record is from another address and newer than all before; false = it may not be there. */
function follow(
  context: ServerContext,
  association: Association,
  record: DtlsRecord,
  isNewest: boolean,
  from: Remote,
  turn: Turn,
): boolean {
  const { remote, id } = association
  if (from.port === remote.port && from.address === remote.address) {
    association.unproven = undefined
    // another of our own addresses, perhaps: answers leave from where the last record came to
    if (isNewest) association.remote = from
    return true
  }
  // also for what does not move it: nothing is taken from an address that is not allowed
  if (!context.settings.mayMove(id, from)) return false
  if (!isNewest) return true
  context.table.move(association, from)
  association.unproven = { octets: AMPLIFICATION * record.size }
  turn.out.push({ type: 'moved', session: id, from: remote, to: from })
  return true
}

function receiveHandshake(
  context: ServerContext,
  association: Association,
  content: Uint8Array,
  turn: Turn,
): void {
  const [first] = readFragments(content) ?? []
  const { lastFlight } = association
  if (first?.type === FINISHED && lastFlight !== undefined) {
    reserveNumbers(context, association, turn)
    return sendFlight(association, lastFlight.parts, lastFlight.limits, turn)
  }
  if (first?.type === CLIENT_HELLO && !association.refusedRenegotiation) {
    association.refusedRenegotiation = true
    reserveNumbers(context, association, turn)
    return sendAlert(association, WARNING, 'no_renegotiation', turn)
  }
  discard(turn, 'unexpected')
}

function receiveAlert(
  context: ServerContext,
  association: Association,
  content: Uint8Array,
  turn: Turn,
): void {
  const [level, code = -1] = content
  if (content.length !== 2) return discard(turn, 'malformed')
  if (code === 0) return closeSession(context, association, 'close_notify', turn)
  if (level !== FATAL) return
  // a session that failed is not resumed [5246 7.2.2]
  context.cache.delete(association.sessionId)
  endSession(context, association, `the peer says ${alertName(code)}`, undefined, turn)
}

/** Sends one message of the application; false where it is too long, or its address may not get so much yet. */
export function sendData(
  context: ServerContext,
  association: Association,
  bytes: Uint8Array,
  turn: Turn,
): boolean {
  const { channel, longest, unproven } = association
  if (bytes.length > longest) {
    discard(turn, 'too-long')
    return false
  }
  if (unproven !== undefined && channel.overhead(1) + bytes.length > unproven.octets) {
    discard(turn, 'unproven')
    return false
  }
  if (channel.isExhausted) {
    closeSession(context, association, 'its sequence numbers are used up', turn)
    return false
  }
  reserveNumbers(context, association, turn)
  const record = channel.write(1, APPLICATION_DATA, bytes)
  if (unproven !== undefined) unproven.octets -= record.length
  turn.out.push({ type: 'send', bytes: record, to: association.remote })
  return true
}

export const isAt = (association: Association, from: Remote): boolean =>
  addressKey(association.remote) === addressKey(from)
