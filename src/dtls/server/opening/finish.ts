// The end of a handshake: the client's Finished is checked, and only here does a session open [5246 7.4.9].

import { verifyData } from '../../crypto/keys.ts'
import { sameSecret } from '../../crypto/primitives.ts'
import type { SessionInfo, Turn } from '../../effects.ts'
import { type Failure, failure } from '../../failure.ts'
import { writeNewSessionTicket } from '../../handshake/bodies.ts'
import { FINISHED, type Message, NEW_SESSION_TICKET } from '../../handshake/messages.ts'
import { hexOf } from '../../octets.ts'
import { recordOverhead } from '../../record/protection.ts'
import type { ResumableState } from '../../resumption/state.ts'
import { sendFlight } from '../answers.ts'
import type { Association, Handshake, Who } from '../association.ts'
import { type ServerContext, wakeToSweep } from '../context.ts'
import { closeSession, endSession } from '../end.ts'
import { reserveNumbers } from '../saved.ts'
import { addMessage } from './first-flight.ts'

/** How long our last flight is kept for a client that did not receive it [6347 4.2.4]. */
const KEEP_FLIGHT = 60_000

export function receiveFinished(
  context: ServerContext,
  association: Association,
  handshake: Handshake,
  { body, bytes }: Message,
  turn: Turn,
): Failure | undefined {
  const { transcript, master } = handshake
  // ChangeCipherSpec is what lets a protected record be read; it is asked for once more where everything depends on it
  if (master === undefined || !handshake.changed)
    return failure('unexpected_message', 'protocol', 'Finished came before ChangeCipherSpec')
  if (!sameSecret(body, verifyData(master, 'client', transcript.hash()))) {
    // it has the keys of the session it resumes, and something went wrong all the same
    if (association.state === 'resumed') context.cache.delete(association.sessionId)
    return failure('decrypt_error', 'protocol', 'its Finished is not over the same handshake')
  }
  if (!makeRoom(context, association, turn))
    return failure('internal_error', 'refused', 'there are too many sessions, and all are in use')
  transcript.add(bytes)
  const resumed = association.state === 'resumed'
  if (!resumed) sendLastFlight(context, association, handshake, master, turn)
  openSession(context, association, handshake, master, resumed, turn)
  return undefined
}

/** There is room for one more, if need be in place of the oldest session that nothing holds. */
function makeRoom(context: ServerContext, { remote }: Association, turn: Turn): boolean {
  const { table, settings } = context
  if (table.sessions.size < settings.sessions || table.openAt(remote) !== undefined) return true
  const [oldest] = table.unused
  if (oldest === undefined) return false
  closeSession(context, oldest, 'displaced', turn)
  return true
}

function sendLastFlight(
  { settings, tickets, cache }: ServerContext,
  association: Association,
  handshake: Handshake,
  master: Uint8Array,
  turn: Turn,
): void {
  const { suite, who, sessionId, wantsTicket, extendedMasterSecret, transcript, limits } = handshake
  handshake.flight = []
  if (extendedMasterSecret && settings.resumption > 0) {
    const state: ResumableState = {
      suite: suite.code,
      master: Uint8Array.from(master),
      kind: who.kind,
      identity: who.identity,
      credential: who.credential,
      since: turn.wall,
      notAfter: who.notAfter,
    }
    if (wantsTicket) {
      const lifetime = Math.floor(settings.resumption / 1000)
      const body = writeNewSessionTicket(lifetime, tickets.seal(state, turn.now))
      addMessage(handshake, NEW_SESSION_TICKET, body)
    } else cache.put(sessionId, state)
  }
  handshake.flight.push('change-cipher-spec')
  addMessage(handshake, FINISHED, verifyData(master, 'server', transcript.hash()), 1)
  association.lastFlight = { parts: handshake.flight, limits, until: turn.now + KEEP_FLIGHT }
  sendFlight(association, handshake.flight, limits, turn)
}

function openSession(
  context: ServerContext,
  association: Association,
  handshake: Handshake,
  master: Uint8Array,
  resumed: boolean,
  turn: Turn,
): void {
  const { table, settings } = context
  const { suite, randoms, who, extendedMasterSecret, earlyData } = handshake
  const { channel, id, remote } = association
  replaceSession(context, association, handshake, turn)
  const info: SessionInfo = {
    identity: who.identity,
    kind: who.kind,
    suite: suite.name,
    resumed,
    extendedMasterSecret,
    connectionId: channel.ownCid.length === 0 ? undefined : hexOf(channel.ownCid),
    overhead: recordOverhead(suite.cipher, channel.peerCid.length),
  }
  association.state = 'open'
  association.info = info
  association.who = who
  association.handshake = undefined
  association.lastUsed = turn.now
  table.addOpen(association)
  wakeToSweep(context, turn.now)
  turn.out.push({ type: 'open', session: id, info, remote, took: turn.now - handshake.startedAt })
  reserveNumbers(context, association, turn)
  if (settings.keyLog) {
    const line = `CLIENT_RANDOM ${hexOf(randoms.client)} ${hexOf(master)}`
    turn.out.push({ type: 'keylog', line })
  }
  master.fill(0)
  for (const bytes of earlyData) turn.out.push({ type: 'data', session: id, bytes, remote })
}

/**
 * The session that had this address before ends if it is the same peer's, or cannot be reached any more; one with a
 * connection id and another identity goes on without an address: a NAT has given it to somebody else.
 */
function replaceSession(
  context: ServerContext,
  association: Association,
  { who }: Handshake,
  turn: Turn,
): void {
  const before = context.table.openAt(association.remote)
  if (before === undefined) return
  const isSamePeer = before.who?.identity === who.identity && before.who?.kind === who.kind
  if (isSamePeer || before.channel.ownCid.length === 0)
    endSession(context, before, 'replaced', undefined, turn)
}

/** A key was changed or removed, a certificate revoked: its sessions end. */
export function closeUntrusted(
  context: ServerContext,
  sessions: Iterable<Association>,
  isTrusted: (who: Who) => boolean,
  turn: Turn,
): void {
  for (const association of [...sessions]) {
    const { who } = association
    if (who !== undefined && !isTrusted(who)) closeSession(context, association, 'credential withdrawn', turn)
  }
}
