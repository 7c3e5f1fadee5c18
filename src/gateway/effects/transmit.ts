// What leaves towards sensors: messages for one of them, GWINFO and ADVERTISE for all [6.1].

import { encodeFrame } from '../../codec/v1/frame.ts'
import type { Packet } from '../../codec/v1/messages.ts'
import type { Config } from '../../config/schema.ts'
import type { Log } from '../../log.ts'
import type { Effect } from '../../session/events.ts'
import type { Listener, Peer } from '../../session/peers.ts'
import { advertiseDue, mayAnswerAll } from '../../sessions/discovery.ts'
import { type Counters, count, countSent } from '../counters.ts'
import type { Link } from '../datagrams/listener.ts'
import { logChange, logPacket } from '../log-lines.ts'
import type { Observers } from '../observer.ts'

/** What a transmitter works with; `links` may change. */
export interface TransmitterParts {
  readonly config: Config
  readonly links: ReadonlyMap<Listener, Link>
  readonly counters: Counters
  readonly observers: Observers
  readonly log: Log
  /** whether the broker can be reached */
  isHealthy(): boolean
}

export interface Transmitter {
  /** Performs what concerns the sensors' side; whoever looks sees every effect. */
  perform(effect: Effect): void
  /** ADVERTISE wherever it is due; `now` is monotonic milliseconds [SN-ADV-1] */
  advertise(now: number): void
}

type Outgoing = Omit<Extract<Effect, { type: 'send' }>, 'type'>

/** One transmitter for the life of a gateway. */
export function createTransmitter(parts: TransmitterParts): Transmitter {
  const { config, links, counters, observers, log } = parts

  function send({ peer, packet, session, repeated = false }: Outgoing, radius = 0): void {
    const transport = links.get(peer.listener)?.transport
    const bytes = encodeFrame(packet, peer.nodeId, radius)
    countSent(counters, packet, bytes)
    if (repeated) counters.retransmissions += 1
    observers.sent(packet, peer, session, bytes, repeated)
    logPacket(log, 'sent', packet, peer, config.log.payloads)
    transport?.send(bytes, peer)
  }

  function broadcast({ transport }: Link, packet: Packet, radius: number): void {
    const bytes = encodeFrame(packet)
    countSent(counters, packet, bytes)
    transport.broadcast(bytes, radius)
  }

  /** GWINFO to the one who asked, and to the whole network where there is a group [SN-SGW-2, SN-FWD-7, AMB-27] */
  function answerSearch(peer: Peer, radius: number): void {
    if (!parts.isHealthy()) return count(counters.dropped, 'upstream-down')
    const packet: Packet = { type: 'gwinfo', gwId: config.gateway.id, gwAdd: new Uint8Array(0) }
    const nearby = radius >= 1 && radius <= 3 ? radius : 3
    if (peer.nodeId !== undefined) return send({ peer, packet }, nearby)
    send({ peer, packet })
    const link = links.get(peer.listener)
    if (link?.discovery && mayAnswerAll(link.discovery, performance.now())) broadcast(link, packet, radius)
  }

  return {
    perform(effect) {
      observers.effect(effect)
      if (effect.type === 'send') send(effect)
      else if (effect.type === 'changed') logChange(log, effect)
      else if (effect.type === 'gwinfo') answerSearch(effect.peer, effect.radius)
    },
    advertise(now) {
      for (const link of links.values()) {
        const { discovery } = link
        if (discovery === undefined || !advertiseDue(discovery, parts.isHealthy(), now)) continue
        const duration = Math.round(discovery.advertising.interval / 1000)
        broadcast(link, { type: 'advertise', gwId: config.gateway.id, duration }, 0)
      }
    },
  }
}
