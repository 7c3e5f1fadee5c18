// What leaves towards sensors: messages for one of them, GWINFO and ADVERTISE for all [6.1].

import { encodeFrame } from '../../codec/v1/frame.ts'
import type { Packet } from '../../codec/v1/messages.ts'
import type { Config } from '../../config/schema.ts'
import type { Log } from '../../log.ts'
import type { Effect } from '../../session/events.ts'
import type { Listener, Peer } from '../../session/peers.ts'
import { advertiseDue, mayAnswerAll } from '../../sessions/discovery.ts'
import type { Upstream } from '../../upstream/upstream.ts'
import { type Counters, countSent, incrementCounter } from '../counters.ts'
import type { BoundListener } from '../datagrams/listener.ts'
import type { Observers } from '../observer.ts'
import { logPacket } from '../reports/log-lines.ts'
import type { EffectTable } from './effect-table.ts'

/** What a transmitter works with; `listeners` may change. */
export interface TransmitterParts {
  readonly config: Config
  readonly listeners: ReadonlyMap<Listener, BoundListener>
  readonly counters: Counters
  readonly observers: Observers
  readonly log: Log
  /** GWINFO and ADVERTISE are sent only while the broker can be reached */
  readonly upstream: Pick<Upstream, 'healthy'>
}

export interface Transmitter extends EffectTable<'send' | 'gwinfo'> {
  /** ADVERTISE wherever it is due; `now` is monotonic milliseconds [SN-ADV-1] */
  advertise(now: number): void
}

type Outgoing = Omit<Extract<Effect, { type: 'send' }>, 'type'>

/** One transmitter for the life of a gateway. */
export function createTransmitter(parts: TransmitterParts): Transmitter {
  const { config, listeners, counters, observers, log, upstream } = parts

  function send({ peer, packet, session, repeated = false }: Outgoing, radius = 0): void {
    const transport = listeners.get(peer.listener)?.transport
    const bytes = encodeFrame(packet, peer.nodeId, radius)
    countSent(counters, packet, bytes)
    if (repeated) counters.retransmissions += 1
    observers.sent(packet, peer, session, bytes, repeated)
    logPacket(log, 'sent', packet, peer, config.log.payloads)
    transport?.send(bytes, peer)
  }

  function broadcast({ transport }: BoundListener, packet: Packet, radius: number): void {
    const bytes = encodeFrame(packet)
    countSent(counters, packet, bytes)
    transport.broadcast(bytes, radius)
  }

  /** GWINFO to the one who asked, and to the whole network where there is a group [SN-SGW-2, SN-FWD-7, AMB-27] */
  function answerSearch(peer: Peer, radius: number): void {
    if (!upstream.healthy) {
      incrementCounter(counters.dropped, 'upstream-down')
      return observers.discarded('upstream-down', peer, undefined)
    }
    const packet: Packet = { type: 'gwinfo', gwId: config.gateway.id, gwAdd: new Uint8Array(0) }
    const nearby = radius >= 1 && radius <= 3 ? radius : 3
    if (peer.nodeId !== undefined) return send({ peer, packet }, nearby)
    send({ peer, packet })
    const bound = listeners.get(peer.listener)
    // without a group, on lines and radios, nobody but the one who asked may be told: others ask for themselves
    const hasGroup = bound && config.listeners[bound.index]?.discovery?.group !== undefined
    if (!hasGroup || bound.discovery === undefined) return
    if (mayAnswerAll(bound.discovery, performance.now())) broadcast(bound, packet, radius)
  }

  return {
    send: (effect) => send(effect),
    gwinfo: ({ peer, radius }) => answerSearch(peer, radius),
    advertise(now) {
      for (const bound of listeners.values()) {
        const { discovery } = bound
        if (discovery === undefined || !advertiseDue(discovery, upstream.healthy, now)) continue
        const duration = Math.round(discovery.advertising.interval / 1000)
        broadcast(bound, { type: 'advertise', gwId: config.gateway.id, duration }, 0)
      }
    },
  }
}
