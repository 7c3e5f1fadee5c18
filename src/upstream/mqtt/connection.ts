// The upstream connection of one sensor: it opens and ends one network connection after the other [4.1].

import type { UpstreamEvent } from '../../session/events.ts'
import type { Presence } from '../presence.ts'
import type { Ending } from '../reason-codes.ts'
import type { ConnectOptions, OnUpstreamEvent, UpstreamConnection } from '../upstream.ts'
import type { Failure } from './failure.ts'
import { Inbound } from './inbound.ts'
import type { Version } from './negotiation.ts'
import type { Pacing, Slot } from './pacing.ts'
import { type Report, Sender } from './sender.ts'
import { BrokerSocket, type SocketOwner, type SocketParts, type Traffic } from './socket.ts'

/** What the connections of a gateway share and change. */
export interface Shared extends SocketParts {
  /** undefined: attempts start at once (the gateway's own connection) */
  readonly pacing: Pacing | undefined
  readonly versions: { readonly auto: boolean; preferred: Version; known: boolean }
  readonly counts: { connected: number; connecting: number; refused: number; lost: number; faults: number }
  /** those that are open, trying or waiting */
  readonly busy: Set<SensorConnection>
  readonly now: () => number
  readonly presence: Presence
  /** told by the gateway's own connection, for all: whether something listens where the broker should be */
  readonly onReach: ((found: boolean) => void) | undefined
  closing: boolean
}

/** See `UpstreamConnection` for what its methods do. */
export class SensorConnection implements UpstreamConnection, SocketOwner, Report {
  readonly #shared: Shared
  readonly #onEvent: OnUpstreamEvent
  /** what is to be opened: set from `connect` to the result */
  #wanted: ConnectOptions | undefined
  #slot: Slot | undefined
  #stopWaiting: (() => void) | undefined
  #socket: BrokerSocket | undefined
  /** both directions of the open socket; undefined while there is none */
  #sender: Sender | undefined
  #inbound: Inbound | undefined
  /** sockets that CONNACK has opened so far */
  #opened = 0
  /** grows with `close`, so that answers which were planned before it are not given */
  #life = 0

  constructor(shared: Shared, onEvent: OnUpstreamEvent) {
    this.#shared = shared
    this.#onEvent = onEvent
  }

  connect(options: ConnectOptions): void {
    this.#endAttemptOrSocket(false, false)
    if (this.#shared.closing) {
      this.later({ type: 'refused', outcome: 1, detail: 'the gateway is closing' })
      return
    }
    this.#wanted = options
    this.#shared.busy.add(this)
    this.#stopWaiting = this.#shared.endings.whenFree(options.identity.clientId, () => this.#queueAttempt())
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
    this.#endAttemptOrSocket(publishWill, final)
    this.#life += 1
  }

  accepted(sessionPresent: boolean): void {
    const { versions, counts, now } = this.#shared
    const socket = this.#socket
    if (socket === undefined) return
    versions.preferred = socket.version
    versions.known = true
    this.#shared.onReach?.(true)
    this.#finishAttempt()
    counts.connected += 1
    this.#opened += 1
    this.#inbound = new Inbound(this.#opened, socket, this, now)
    this.#sender = new Sender(socket, sessionPresent, this.#inbound.unwanted, this)
    this.now({ type: 'connected', sessionPresent, limits: socket.limits })
  }

  failed(failure: Failure): void {
    const { versions, counts, options } = this.#shared
    this.#shared.onReach?.(failure.unreachable !== true)
    const speaks5 = versions.known && versions.preferred === 5
    const unsupported = failure.version === 'said' || (failure.version === 'hung up' && !speaks5)
    if (versions.auto && this.#socket?.version === 5 && unsupported) {
      counts.connecting -= 1
      this.#socket = undefined
      this.#startAttempt(4)
      return
    }
    counts.refused += 1
    const clientId = this.#wanted?.identity.clientId
    options.log.debug({ clientId, detail: failure.detail }, 'connection to the broker failed')
    this.#finishAttempt()
    this.#forgetSocket()
    const { outcome, detail, unreachable = false } = failure
    this.now({ type: 'refused', outcome, detail, unreachable })
  }

  ended({ why, fault }: Ending, detail: string): void {
    const { counts, options } = this.#shared
    counts.connected -= 1
    counts.lost += 1
    if (fault) {
      counts.faults += 1
      options.log.error({ detail }, 'the broker reports a protocol error of the gateway')
    }
    this.#forgetSocket()
    this.#reportEnd(why, detail)
  }

  #reportEnd(why: Ending['why'], detail: string): void {
    const { presence, pacing, now } = this.#shared
    let told = why
    // the gateway's own connection is the one that shows what has happened
    if (why === 'unexplained' && pacing !== undefined) {
      if (!presence.isThere) told = 'lost'
      else presence.noteEnd(this, now(), () => this.now({ type: 'closed', why: 'lost', detail }))
    }
    this.now({ type: 'closed', why: told, detail })
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

  /** Reports after the call that causes the event, as `OnUpstreamEvent` demands. */
  later(event: UpstreamEvent): void {
    const life = this.#life
    process.nextTick(() => {
      if (life === this.#life) this.now(event)
    })
  }

  /** Queues the attempt. */
  #queueAttempt(): void {
    this.#stopWaiting = undefined
    const { pacing, versions } = this.#shared
    const start = (): void => this.#startAttempt(versions.preferred)
    if (pacing === undefined) start()
    else this.#slot = pacing.request(start, this.#wanted?.mend)
  }

  #startAttempt(version: Version): void {
    const { counts } = this.#shared
    const wanted = this.#wanted
    if (wanted === undefined) return
    try {
      this.#socket = new BrokerSocket(this.#shared, wanted, version, this)
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

  /** The attempt has succeeded or failed: makes room for the next one. */
  #finishAttempt(): void {
    this.#shared.counts.connecting -= 1
    this.#slot?.end()
    this.#slot = undefined
    this.#wanted = undefined
  }

  /** Ends whatever is open, running or waiting. */
  #endAttemptOrSocket(publishWill: boolean, final: boolean): void {
    const { counts, presence } = this.#shared
    const socket = this.#socket
    presence.forgetEnd(this)
    this.#stopWaiting?.()
    this.#stopWaiting = undefined
    if (socket?.open === true) counts.connected -= 1
    else if (socket !== undefined) counts.connecting -= 1
    socket?.end(publishWill, final, this.#sender?.unused() ?? 1)
    this.#slot?.end()
    this.#slot = undefined
    this.#wanted = undefined
    this.#forgetSocket()
  }

  #forgetSocket(): void {
    this.#socket = undefined
    this.#sender?.disconnected()
    this.#sender = undefined
    this.#inbound = undefined
    this.#shared.busy.delete(this)
  }
}
