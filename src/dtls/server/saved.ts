// Sessions that outlive the process: what is written of one, and how it comes back. No sequence number is ever used twice, as
// numbers are reserved in advance; nothing is accepted twice that came before the last writing.

import type { Remote, SessionInfo, Turn } from '../effects.ts'
import { NOTHING } from '../octets.ts'
import { Channel } from '../record/channel.ts'
import { LAST_SEQUENCE } from '../record/record.ts'
import { ReplayWindow } from '../record/window.ts'
import { SUITES } from '../suites.ts'
import type { Association, Who } from './association.ts'
import { type ServerContext, wakeToSweep } from './context.ts'
import { isStillTrusted } from './opening/resume.ts'

/** So many numbers are reserved with every `save`. */
const RESERVE = 1024

/** All of an open session, secrets included. */
export interface SavedSession {
  readonly session: number
  readonly remote: Remote
  readonly info: SessionInfo
  readonly who: Who
  readonly keys: Uint8Array
  readonly ownCid: Uint8Array
  readonly peerCid: Uint8Array
  readonly longest: number
  /** the first sequence number that may be written after a restart */
  readonly sequence: number
  /** the highest sequence number that was received; only higher ones count after a restart */
  readonly top: number
}

/** Has further numbers reserved before they are used: the effect stands before the datagram that needs it. */
export function reserveNumbers({ settings }: ServerContext, association: Association, turn: Turn): void {
  const { channel, id } = association
  // what is written now, and the alert that may follow
  if (!settings.persist || channel.sequence + 1 < association.reserved) return
  association.reserved = Math.min(channel.sequence + RESERVE, LAST_SEQUENCE)
  turn.out.push({ type: 'save', session: id })
}

export function saveSession(association: Association): SavedSession | undefined {
  const { id, remote, info, who, channel, longest, reserved } = association
  if (association.state !== 'open' || info === undefined || who === undefined) return undefined
  if (channel.keyOctets === undefined) return undefined
  return {
    session: id,
    remote,
    info,
    who,
    keys: Uint8Array.from(channel.keyOctets),
    ownCid: channel.ownCid,
    peerCid: channel.peerCid,
    longest,
    sequence: Math.max(reserved, channel.sequence),
    top: channel.window.top,
  }
}

/** Whether the session is open again: its key or certificate may not count any more, or it cannot be told apart. */
export function restoreSession(context: ServerContext, saved: SavedSession, turn: Turn): boolean {
  const { table, settings } = context
  const { session, remote, info, who, ownCid } = saved
  const suite = SUITES.find(({ name }) => name === info.suite)
  if (suite === undefined || !isStillTrusted(who, settings, true) || table.sessions.has(session)) return false
  if (ownCid.length > 0 && (ownCid.length !== settings.connectionIdLength || table.byCid(ownCid)))
    return false
  const channel = new Channel()
  channel.setKeys(suite.cipher, Uint8Array.from(saved.keys), 'server')
  channel.ownCid = Uint8Array.from(ownCid)
  channel.peerCid = Uint8Array.from(saved.peerCid)
  channel.sequence = saved.sequence
  channel.window = new ReplayWindow(saved.top)
  const association: Association = {
    id: session,
    remote,
    state: 'open',
    channel,
    longest: saved.longest,
    handshake: undefined,
    info,
    who,
    lastFlight: undefined,
    sessionId: NOTHING,
    reserved: saved.sequence,
    inUse: false,
    lastUsed: turn.now,
    unproven: undefined,
    refusedRenegotiation: false,
  }
  context.nextId = Math.max(context.nextId, session + 1)
  table.addOpen(association, true)
  wakeToSweep(context, turn.now)
  return true
}
