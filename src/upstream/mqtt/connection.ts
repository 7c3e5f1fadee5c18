// The upstream connection of one sensor: it opens and ends one network connection after the other [4.1].

import type { UpstreamEvent } from '../../session/events.ts'
import type { Ending } from '../reason-codes.ts'
import type { ConnectOptions, OnUpstreamEvent, UpstreamConnection } from '../upstream.ts'
import type { Shared, SocketOwner, Traffic } from './connection-parts.ts'
import { type Failure, failureToOpen, NotNow } from './failures/failure.ts'
import { Inbound } from './inbound.ts'
import type { Version } from './negotiation.ts'
import type { Slot } from './pacing.ts'
import { type Report, Sender } from './sender.ts'
import { BrokerSocket } from './socket.ts'

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
  /** who it is: of the last `connect` */
  #clientId = ''
  /** sockets that CONNACK has opened so far */
  #opened = 0
  /** the attempt is made in MQTT 3.1.1 because the broker has just refused 5 */
  #fellBack = false
  /** grows with `close`, so that answers which were planned before it are not given */
  #life = 0
  readonly #onPong: ((pings: number) => void) | undefined
  /** `onPong`: told how many pings of the open connection the broker has answered. */
  constructor(shared: Shared, onEvent: OnUpstreamEvent, onPong?: (pings: number) => void) {
    this.#shared = shared
    this.#onEvent = onEvent
    this.#onPong = onPong
  }

  connect(options: ConnectOptions): void {
    this.#endAttemptOrSocket(false, false)
    if (this.#shared.closing)
      return this.later({ type: 'refused', outcome: 1, detail: 'the gateway is closing' })
    this.#wanted = options
    this.#clientId = options.identity.clientId
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

  subscribe(token: number, filter: string, qos: 0 | 1 | 2, replay: boolean, identifier?: number): void {
    if (this.#sender === undefined) this.later({ type: 'subscribed', token, outcome: 1, qos })
    else this.#sender.subscribe(token, filter, qos, replay, identifier)
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

  isFlushed(): boolean {
    return this.#socket?.isFlushed() ?? this.#wanted === undefined
  }

  cut(): void {
    this.#socket?.cut()
    this.close(false, false)
  }

  /** Sends PINGREQ, which the broker answers after what was sent before; returns how many pings that makes. */
  ping(): number {
    return this.#socket?.ping() ?? 0
  }

  ponged(pings: number): void {
    this.#onPong?.(pings)
  }

  /** Another broker is the current one: an attempt starts over there, an open connection ends as if it had been lost. */
  move(): void {
    const [{ counts, endpoints }, socket] = [this.#shared, this.#socket]
    if (socket === undefined || socket.endpoint === endpoints.current) return
    if (socket.open) {
      this.#endAttemptOrSocket(false, false)
      this.now({ type: 'closed', why: 'lost', detail: 'another broker is used now', moved: true })
    } else {
      socket.end(false, false, 1)
      counts.connecting -= 1
      this.#socket = undefined
      this.#startAttempt(endpoints.current.versions.preferred)
    }
  }

  accepted(sessionPresent: boolean): void {
    const [{ counts, now, carriesMany }, socket] = [this.#shared, this.#socket]
    if (socket === undefined) return
    socket.endpoint.versions.spoke(socket.version, this.#fellBack)
    this.#shared.onReach?.(true)
    this.#finishAttempt()
    counts.connected += 1
    this.#inbound = new Inbound(++this.#opened, socket, this, now, carriesMany)
    this.#sender = new Sender(socket, sessionPresent, this.#inbound.unwanted, this)
    const means = carriesMany && { means: socket }
    this.now({ type: 'connected', sessionPresent, limits: socket.ability.offered, ...means })
  }

  failed(failure: Failure): void {
    const [{ counts, options, now }, socket] = [this.#shared, this.#socket]
    const fallsBack = socket?.endpoint.versions.fallsBack(socket.version, failure.version, now()) === true
    if (socket !== undefined && (fallsBack || failure.again)) {
      counts.connecting -= 1
      this.#socket = undefined
      if (fallsBack) this.#fellBack = true
      this.#startAttempt(fallsBack ? 4 : socket.version)
      return
    }
    this.#shared.onReach?.(failure.unreachable !== true)
    counts.refused += 1
    options.log.debug({ clientId: this.#clientId, detail: failure.detail }, 'connection to the broker failed')
    this.#finishAttempt()
    this.#forgetSocket()
    const { outcome, detail, answered, unreachable = false } = failure
    this.now({ type: 'refused', outcome, detail, answered, unreachable })
  }

  ended({ why, fault }: Ending, detail: string): void {
    const [{ counts, options, presence, pacing, now }, place] = [this.#shared, this.#socket?.place]
    counts.connected -= 1
    counts.lost += 1
    if (fault) {
      counts.faults += 1
      options.log.error({ detail }, 'the broker reports a protocol error of the gateway')
    }
    this.#forgetSocket()
    const tell = () => this.now({ type: 'closed', why: 'lost', detail })
    const known = pacing ? presence.explainEnd(this, why, now(), tell, place) : why
    this.now({ type: 'closed', why: known, detail })
  }

  congested(on: boolean): void {
    this.later({ type: 'congestion', on })
  }

  received(packet: Traffic): void {
    if (packet.cmd === 'publish') this.#inbound?.take(packet)
    else if (packet.cmd === 'unusable') this.#inbound?.refuse(packet, this.#shared.options)
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

  #queueAttempt(): void {
    this.#stopWaiting = undefined
    const { pacing, endpoints, onReach, now } = this.#shared
    const start = (): void => {
      const { versions } = endpoints.current
      this.#fellBack = false
      // The gateway's own connection finds out whether the broker has learned another version.
      this.#startAttempt(onReach === undefined ? versions.preferred : versions.toTry(now()))
    }
    if (pacing === undefined) start()
    else this.#slot = pacing.request(start, this.#wanted?.mend)
  }

  #startAttempt(version: Version): void {
    const [{ counts, options, endpoints }, wanted] = [this.#shared, this.#wanted]
    if (wanted === undefined) return
    try {
      if (options.mayConnect?.() === false) throw new NotNow()
      this.#socket = new BrokerSocket(this.#shared, endpoints.current, wanted, version, this)
      counts.connecting += 1
    } catch (error) {
      process.nextTick(() => {
        if (wanted !== this.#wanted) return
        counts.connecting += 1
        this.failed(failureToOpen(error))
      })
    }
  }

  /** The attempt has succeeded or failed: makes room for the next one. */
  #finishAttempt(): void {
    this.#shared.counts.connecting -= 1
    this.#slot = void this.#slot?.end()
    this.#wanted = undefined
  }

  /** Ends whatever is open, running or waiting. */
  #endAttemptOrSocket(publishWill: boolean, final: boolean): void {
    const [{ counts, presence }, socket] = [this.#shared, this.#socket]
    presence.forgetEnd(this)
    this.#stopWaiting = void this.#stopWaiting?.()
    if (socket?.open === true) counts.connected -= 1
    else if (socket !== undefined) counts.connecting -= 1
    socket?.end(publishWill, final, this.#sender?.unused() ?? 1)
    this.#slot = void this.#slot?.end()
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
