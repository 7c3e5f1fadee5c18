// One sensor on a connection that it shares with others; see `Sharing` in `contract.ts` for what its methods do.

import type { AloneUnderWay, UpstreamEvent } from '../../session/events.ts'
import type { Will } from '../../session/message.ts'
import type { ConnectOptions, OnUpstreamEvent, UpstreamConnection, UpstreamLog } from '../upstream.ts'
import type { Sharing, SharingSensor } from './contract.ts'
import type { SharedFilters } from './filters.ts'
import type { HandingOut } from './handing-out.ts'
import type { Member } from './port.ts'
import type { Publishing } from './publishing.ts'

/** The connection that it shares. */
export interface MemberHome {
  readonly publishing: Publishing
  readonly filters: SharedFilters
  readonly handingOut: HandingOut
  /** The member waits for the connection, or hears at once that it is there. */
  join(member: SharedMember): void
  /** The member does not use it any more; `isFinal`: it does not come back, or begins anew. */
  leave(member: SharedMember, isFinal: boolean): void
  /** Nothing is left of what the member had. */
  wipe(member: SharedMember): void
  forget(member: SharedMember): void
}

export class SharedMember implements UpstreamConnection, Sharing, Member {
  readonly sensor: SharingSensor
  /** grows with `close`, so that answers which were planned before it are not given */
  life = 0
  /** it waits for the connection; `patient`: as long as that takes */
  isWaiting = false
  isPatient = false
  isOpen = false
  readonly #home: MemberHome
  readonly #onEvent: OnUpstreamEvent
  readonly #log: UpstreamLog
  will: Will | undefined
  /** it has a session, as far as sensors are concerned */
  #isKnown = false
  #isPresent = false

  constructor(home: MemberHome, sensor: SharingSensor, onEvent: OnUpstreamEvent, log: UpstreamLog) {
    this.#home = home
    this.sensor = sensor
    this.#onEvent = onEvent
    this.#log = log
  }

  attach(subscriptions: Iterable<readonly [filter: string, qos: 0 | 1 | 2]>): void {
    this.#isKnown = true
    this.#home.filters.attach(this, subscriptions)
  }

  connect({ clean, mend, will }: ConnectOptions): void {
    this.#leave(false)
    const isFresh = clean && !mend
    if (isFresh) this.#home.wipe(this)
    this.#isPresent = mend || (!isFresh && this.#isKnown)
    this.#isKnown = !clean
    this.will = will
    this.isWaiting = true
    this.isPatient = mend
    this.#home.join(this)
  }

  publish(
    token: number,
    topic: string,
    payload: Uint8Array,
    qos: 0 | 1 | 2,
    retain: boolean,
    repeated: boolean,
  ): void {
    if (!this.isOpen) return this.later({ type: 'published', token, outcome: 1 })
    this.#home.publishing.publish(this, token, topic, payload, qos, retain, repeated)
  }

  release(token: number): void {
    if (this.isOpen) this.#home.publishing.release(this, token)
  }

  subscribe(token: number, filter: string, qos: 0 | 1 | 2, replay: boolean): void {
    if (!this.isOpen) return this.later({ type: 'subscribed', token, outcome: 1, qos })
    this.#home.filters.subscribe(this, token, filter, qos, replay)
  }

  unsubscribe(token: number, filter: string): void {
    this.#home.filters.unsubscribe(this, token, filter)
  }

  acknowledge(ack: number): void {
    this.#home.handingOut.acknowledge(this, ack)
  }

  close(publishWill: boolean, final: boolean): void {
    if (publishWill && this.isOpen && this.will !== undefined) {
      const { topic, message, qos, retain } = this.will
      this.#home.publishing.publishWill(topic, message, qos, retain)
    }
    this.#leave(final)
    if (final) this.#home.wipe(this)
    this.life += 1
  }

  /** Of its will the broker knows nothing, so that it matters to nobody when that is told. */
  isFlushed(): boolean {
    return true
  }

  /** The connection goes on for others. */
  cut(): void {
    this.close(false, false)
  }

  forget(): void {
    this.close(false, true)
    this.#home.forget(this)
  }

  /** The shared connection is there. */
  opened(event: Omit<Extract<UpstreamEvent, { type: 'connected' }>, 'sessionPresent'>): void {
    this.isWaiting = false
    this.isOpen = true
    this.tell({ ...event, sessionPresent: this.#isPresent })
  }

  /** The shared connection could not be made. */
  refused(detail: string): void {
    this.isWaiting = false
    this.tell({ type: 'refused', outcome: 1, detail })
  }

  /** The shared connection broke. */
  closed(detail: string, alone: AloneUnderWay | undefined): void {
    this.isOpen = false
    const event = { type: 'closed', why: 'lost', detail } as const
    this.tell(alone === undefined ? { ...event, moved: true } : { ...event, alone })
  }

  tell(event: UpstreamEvent): void {
    try {
      this.#onEvent(event)
    } catch (error) {
      this.#log.error({ err: error, event: event.type }, 'an upstream event was not handled')
    }
  }

  /** Reports after the call that causes the event, as `OnUpstreamEvent` demands. */
  later(event: UpstreamEvent): void {
    const { life } = this
    process.nextTick(() => {
      if (life === this.life) this.tell(event)
    })
  }

  #leave(isFinal: boolean): void {
    if (this.isOpen || this.isWaiting || isFinal) this.#home.leave(this, isFinal)
    this.isOpen = false
    this.isWaiting = false
  }
}
