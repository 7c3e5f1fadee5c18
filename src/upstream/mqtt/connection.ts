// The upstream connection of one sensor over all its network connections: who opens, who ends, whose turn it is [4.1].

import type { UpstreamEvent } from '../../session/events.ts'
import type { Ending } from '../codes.ts'
import type { ConnectOptions, OnUpstreamEvent, UpstreamConnection } from '../upstream.ts'
import type { Failure } from './failure.ts'
import { Inbound } from './inbound.ts'
import type { Version } from './negotiation.ts'
import type { Pacing, Turn } from './pacing.ts'
import { type Report, Sender } from './sender.ts'
import { type Broker, Link, type LinkOwner, type Traffic } from './socket.ts'

/** What the connections of a gateway share and change. */
export interface Shared extends Broker {
  /** undefined: attempts start at once (the gateway's own connection) */
  readonly pacing: Pacing | undefined
  readonly versions: { readonly auto: boolean; preferred: Version; known: boolean }
  readonly counts: { connected: number; connecting: number; refused: number; lost: number; faults: number }
  /** those that are open, trying or waiting */
  readonly busy: Set<SensorConnection>
  readonly now: () => number
  /** told by the gateway's own connection, for all: whether something listens where the broker should be */
  readonly onReach: ((found: boolean) => void) | undefined
  closing: boolean
}

/** See `UpstreamConnection` for what its methods do. */
export class SensorConnection implements UpstreamConnection, LinkOwner, Report {
  readonly #shared: Shared
  readonly #onEvent: OnUpstreamEvent
  /** what is to be opened: set from `connect` to the result */
  #wanted: ConnectOptions | undefined
  #turn: Turn | undefined
  #stopWaiting: (() => void) | undefined
  #link: Link | undefined
  /** both ways of the open link; undefined while there is none */
  #sender: Sender | undefined
  #inbound: Inbound | undefined
  /** links that were opened so far */
  #opened = 0
  /** grows when everything before is void, so that answers under way are not given */
  #life = 0

  constructor(shared: Shared, onEvent: OnUpstreamEvent) {
    this.#shared = shared
    this.#onEvent = onEvent
  }

  connect(options: ConnectOptions): void {
    this.#leave(false, false)
    if (this.#shared.closing) {
      this.later({ type: 'refused', outcome: 1, detail: 'the gateway is closing' })
      return
    }
    this.#wanted = options
    this.#shared.busy.add(this)
    this.#stopWaiting = this.#shared.endings.whenFree(options.identity.clientId, () => this.#enqueue())
  }

  publish(
    token: number,
    topic: string,
    payload: Uint8Array,
    qos: 0 | 1 | 2,
    retain: boolean,
    repeated: boolean,
  ): void {
    if (this.#sender === undefined) this.later({ type: 'published', token, outcome: 1 })
    else this.#sender.publish(token, topic, payload, qos, retain, repeated)
  }

  release(token: number): void {
    this.#sender?.release(token)
  }

  subscribe(token: number, filter: string, qos: 0 | 1 | 2, replay: boolean): void {
    if (this.#sender === undefined) this.later({ type: 'subscribed', token, outcome: 1, qos })
    else this.#sender.subscribe(token, filter, qos, replay)
  }

  unsubscribe(token: number, filter: string): void {
    this.#sender?.unsubscribe(token, filter)
  }

  acknowledge(ack: number): void {
    this.#inbound?.acknowledge(ack)
  }

  close(publishWill: boolean, final: boolean): void {
    this.#leave(publishWill, final)
    this.#life += 1
  }

  accepted(sessionPresent: boolean): void {
    const { versions, counts, now } = this.#shared
    const link = this.#link
    if (link === undefined) return
    versions.preferred = link.version
    versions.known = true
    this.#shared.onReach?.(true)
    this.#settle()
    counts.connected += 1
    this.#opened += 1
    this.#inbound = new Inbound(this.#opened, link, this, now)
    this.#sender = new Sender(link, sessionPresent, this.#inbound.unwanted, this)
    this.now({ type: 'connected', sessionPresent, limits: link.limits })
  }

  failed(failure: Failure): void {
    const { versions, counts, options } = this.#shared
    this.#shared.onReach?.(failure.unreachable !== true)
    const speaks5 = versions.known && versions.preferred === 5
    const unsupported = failure.version === 'said' || (failure.version === 'hung up' && !speaks5)
    if (versions.auto && this.#link?.version === 5 && unsupported) {
      counts.connecting -= 1
      this.#link = undefined
      this.#attempt(4)
      return
    }
    counts.refused += 1
    const clientId = this.#wanted?.identity.clientId
    options.log.debug({ clientId, detail: failure.detail }, 'connection to the broker failed')
    this.#settle()
    this.#idle()
    this.now({ type: 'refused', outcome: failure.outcome, detail: failure.detail })
  }

  ended({ why, fault }: Ending, detail: string): void {
    const { counts, options } = this.#shared
    counts.connected -= 1
    counts.lost += 1
    if (fault) {
      counts.faults += 1
      options.log.error({ detail }, 'the broker reports a protocol error of the gateway')
    }
    this.#idle()
    this.now({ type: 'closed', why, detail })
  }

  congested(on: boolean): void {
    this.later({ type: 'congestion', on })
  }

  received(packet: Traffic): void {
    if (packet.cmd === 'publish') this.#inbound?.take(packet)
    else if (packet.cmd === 'pubrel') this.#inbound?.release(packet.messageId)
    else if (packet.cmd === 'suback' || packet.cmd === 'unsuback') this.#sender?.granted(packet)
    else this.#sender?.acknowledged(packet)
  }

  now(event: UpstreamEvent): void {
    try {
      this.#onEvent(event)
    } catch (error) {
      this.#shared.options.log.error({ err: error, event: event.type }, 'an upstream event was not handled')
    }
  }

  /** For answers that are known within the call. */
  later(event: UpstreamEvent): void {
    const life = this.#life
    process.nextTick(() => {
      if (life === this.#life) this.now(event)
    })
  }

  /** Queues the attempt. */
  #enqueue(): void {
    this.#stopWaiting = undefined
    const { pacing, versions } = this.#shared
    const start = (): void => this.#attempt(versions.preferred)
    if (pacing === undefined) start()
    else this.#turn = pacing.request(start, this.#wanted?.mend)
  }

  #attempt(version: Version): void {
    const { counts } = this.#shared
    const wanted = this.#wanted
    if (wanted === undefined) return
    try {
      this.#link = new Link(this.#shared, wanted, version, this)
      counts.connecting += 1
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error)
      process.nextTick(() => {
        if (wanted !== this.#wanted) return
        counts.connecting += 1
        this.failed({ outcome: 3, detail })
      })
    }
  }

  /** The attempt is over, one way or the other: makes room for the next. */
  #settle(): void {
    this.#shared.counts.connecting -= 1
    this.#turn?.end()
    this.#turn = undefined
    this.#wanted = undefined
  }

  /** Ends whatever is open, running or waiting. */
  #leave(publishWill: boolean, final: boolean): void {
    const { counts } = this.#shared
    const link = this.#link
    this.#stopWaiting?.()
    this.#stopWaiting = undefined
    if (link?.open === true) counts.connected -= 1
    else if (link !== undefined) counts.connecting -= 1
    link?.end(publishWill, final, this.#sender?.unused() ?? 1)
    this.#turn?.end()
    this.#turn = undefined
    this.#wanted = undefined
    this.#idle()
  }

  #idle(): void {
    this.#link = undefined
    this.#sender?.disconnected()
    this.#sender = undefined
    this.#inbound = undefined
    this.#shared.busy.delete(this)
  }
}
