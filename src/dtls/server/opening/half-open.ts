// Records of a handshake under way: messages, ChangeCipherSpec, alerts, and protected records that may come too early.

import { discard, type Turn } from '../../effects.ts'
import { alertName, FATAL, protocolFailure } from '../../failure.ts'
import {
  CLIENT_HELLO,
  FINISHED,
  type Fragment,
  HELLO_REQUEST,
  readFragments,
} from '../../handshake/messages.ts'
import type { Opened } from '../../record/channel.ts'
import {
  ALERT,
  APPLICATION_DATA,
  CHANGE_CIPHER_SPEC,
  type DtlsRecord,
  HANDSHAKE,
} from '../../record/record.ts'
import { type Association, type Handshake, isReadable } from '../association.ts'
import type { ServerContext } from '../context.ts'
import { endHandshake, failHandshake } from '../end.ts'
import { receiveOpened } from '../session.ts'
import { receiveMessage } from './client-flight.ts'

/** Protected records that wait until they can be read; messages of the application that wait for Finished. */
const MOST_EARLY = 4
/** Longer ones do not wait: nobody has shown yet that he may make us keep much. */
const LONGEST_EARLY = 2048

/** A record of epoch 0. */
export function receivePlain(
  context: ServerContext,
  association: Association,
  record: DtlsRecord,
  turn: Turn,
): void {
  const { handshake } = association
  if (handshake === undefined) return discard(turn, 'unexpected')
  switch (record.type) {
    case HANDSHAKE: {
      const fragments = readFragments(record.payload)
      if (fragments === undefined) return discard(turn, 'malformed')
      // Finished is protected, always; a hello is none of this handshake
      if (fragments.some(({ type }) => type === FINISHED || type === CLIENT_HELLO))
        return discard(turn, 'unexpected')
      addFragments(context, association, handshake, fragments, turn)
      break
    }
    case CHANGE_CIPHER_SPEC:
      if (record.payload.length !== 1 || record.payload[0] !== 1) return discard(turn, 'malformed')
      handshake.changed = true
      break
    case ALERT:
      return receiveAlert(context, association, record.payload, turn)
    default:
      return discard(turn, 'unexpected')
  }
  readEarly(context, association, turn)
}

/** Unless it is a warning, the handshake is over: nobody can tell who has sent it, but nothing is lost yet. */
function receiveAlert(
  context: ServerContext,
  association: Association,
  content: Uint8Array,
  turn: Turn,
): void {
  const [level, code = -1] = content
  if (content.length !== 2) return discard(turn, 'malformed')
  if (level !== FATAL && code !== 0) return
  endHandshake(context, association, 'alert', `the client says ${alertName(code)}`, turn)
}

function addFragments(
  context: ServerContext,
  association: Association,
  handshake: Handshake,
  fragments: readonly Fragment[],
  turn: Turn,
): void {
  for (const fragment of fragments) {
    if (fragment.type === HELLO_REQUEST) continue
    const added = handshake.reassembly.add(fragment)
    if (added === 'ignored') discard(turn, 'early')
    if (typeof added !== 'string') return failHandshake(context, association, added, turn)
  }
  takeMessages(context, association, turn)
}

/** Handles every message that is whole and next, unless a key has to be looked up first. */
export function takeMessages(context: ServerContext, association: Association, turn: Turn): void {
  const { handshake } = association
  while (handshake !== undefined && association.state !== 'looking-up') {
    const message = handshake.reassembly.take()
    if (message === undefined) break
    const failed = receiveMessage(context, association, handshake, message, turn)
    if (failed !== undefined) return failHandshake(context, association, failed, turn)
    // the last message: what came with it can be read now
    if (association.handshake === undefined) return
  }
}

/** Reads what came too early, once that is possible. */
export function readEarly(context: ServerContext, association: Association, turn: Turn): void {
  const { handshake } = association
  if (handshake === undefined || !isReadable(association) || handshake.early.length === 0) return
  const { early } = handshake
  handshake.early = []
  for (const record of early) {
    const opened = association.channel.open(record)
    // the first of them may have opened the session
    if (association.state === 'open')
      receiveOpened(context, association, record, opened, association.remote, turn)
    else if (association.state !== 'gone') receiveEarlyOpened(context, association, opened, turn)
  }
}

/** A protected record while the handshake is under way. */
export function receiveProtected(
  context: ServerContext,
  association: Association,
  record: DtlsRecord,
  turn: Turn,
): void {
  const { handshake, channel } = association
  if (handshake === undefined) return discard(turn, 'unexpected')
  if (isReadable(association)) return receiveEarlyOpened(context, association, channel.open(record), turn)
  const { payload, cid } = record
  if (handshake.early.length >= MOST_EARLY || payload.length > LONGEST_EARLY) return discard(turn, 'early')
  // copies, or the whole datagram would wait with it
  handshake.early.push({ ...record, payload: Uint8Array.from(payload), cid: Uint8Array.from(cid) })
}

/** What was in a protected record before the session is open. */
export function receiveEarlyOpened(
  context: ServerContext,
  association: Association,
  opened: Opened,
  turn: Turn,
): void {
  const { handshake } = association
  if (handshake === undefined) return discard(turn, 'unexpected')
  if (opened.result !== 'content') {
    if (opened.result === 'mac') handshake.undecrypted++
    return discard(turn, opened.result)
  }
  const { type, content } = opened.content
  switch (type) {
    case HANDSHAKE: {
      const fragments = readFragments(content)
      if (fragments === undefined || fragments.some((each) => each.type !== FINISHED))
        return failHandshake(
          context,
          association,
          protocolFailure('unexpected_message', 'something else than Finished came protected'),
          turn,
        )
      return addFragments(context, association, handshake, fragments, turn)
    }
    case APPLICATION_DATA:
      if (handshake.earlyData.length >= MOST_EARLY) return discard(turn, 'early')
      handshake.earlyData.push(content)
      return
    case ALERT:
      // protected: it is of one who knows the session that is resumed
      if (content[0] === FATAL) context.cache.delete(association.sessionId)
      return receiveAlert(context, association, content, turn)
    default:
      return discard(turn, 'unexpected')
  }
}
