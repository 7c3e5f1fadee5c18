// Takes a datagram: finds out whose it is, and takes a step of the core with the message in it.

import type { Config } from '../../config/schema.ts'
import type { Log } from '../../log.ts'
import { peerKey } from '../../session/peers.ts'
import type { receive } from '../../sessions/door.ts'
import type { Sessions } from '../../sessions/table.ts'
import type { Observers } from '../observer.ts'
import { logPacket } from '../reports/log-lines.ts'
import type { Turns } from '../turns.ts'
import type { Datagram } from './intake.ts'
import { decodeDatagram, peerOf, type ReceptionBooks } from './reception.ts'

/** What datagrams are taken with. */
export interface TakeParts {
  readonly config: Config
  readonly log: Log
  readonly sessions: Sessions
  readonly observers: Pick<Observers, 'received'>
  readonly books: ReceptionBooks
  readonly turns: Pick<Turns, 'attempt' | 'abandon'>
}

/** Takes a step of the core with the message in a datagram. */
export type Take = (step: typeof receive, ...datagram: Datagram) => void

/** One for the life of a gateway. */
export function createTake({ config, log, sessions, observers, books, turns }: TakeParts): Take {
  return (step, bound, bytes, remote) => {
    const received = decodeDatagram(bound, bytes, remote, books)
    if (received === undefined) return
    const { packet, nodeId } = received
    const key = peerKey(bound.index, remote.address, remote.port, nodeId, remote.association)
    const session = sessions.byPeer.get(key)
    const peer = peerOf(bound, remote, nodeId, key, session?.peer)
    logPacket(log, 'received', packet, peer, config.log.payloads)
    observers.received(packet, peer, session, bytes)
    if (turns.attempt(session, (turn) => step(sessions, packet, peer, turn))) return
    const broken = session ?? sessions.byPeer.get(key)
    if (broken !== undefined) turns.abandon(broken)
  }
}
