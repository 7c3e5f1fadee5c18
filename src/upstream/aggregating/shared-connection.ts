// One connection to the broker that many sensors share: kept open, opened again when it breaks, and told to all of them.

import type { UpstreamEvent } from '../../session/events.ts'
import type { OnUpstreamEvent, UpstreamDrop } from '../upstream.ts'
import type { LowerConnection, SharedConnectionParts } from './connection-parts.ts'
import type { SharedConnectionStats, SharingSensor } from './contract.ts'
import { SharedFilters } from './filters.ts'
import { accusedOf, type Flight } from './flight.ts'
import { HandingOut } from './handing-out.ts'
import { type MemberHome, SharedMember } from './member.ts'
import type { Member } from './port.ts'
import { Publishing } from './publishing.ts'
import { Retries } from './retries.ts'
import { ClosingRefusals } from './routing/closing-refusals.ts'
import { Doubts } from './routing/doubts.ts'
import { PublishRate } from './routing/publish-rate.ts'
import { Turnstile } from './turnstile.ts'

type Reported<T extends UpstreamEvent['type']> = Extract<UpstreamEvent, { type: T }>
type Limits = Reported<'connected'>['limits']

/** Opened at the first need, and kept until `close`. */
export class SharedConnection implements MemberHome {
  readonly publishing: Publishing
  readonly filters: SharedFilters
  readonly handingOut: HandingOut
  readonly #parts: SharedConnectionParts
  readonly #lower: LowerConnection
  readonly #turnstile: Turnstile
  readonly #doubts = new Doubts<Member>()
  readonly #refusals = new ClosingRefusals<Member>(({ sensor }) => sensor.clientId)
  readonly #retries: Retries
  readonly #members = new Map<string, SharedMember>()
  #state: 'idle' | 'planned' | 'connecting' | 'up' | 'pausing' | 'closed' = 'idle'
  /** the broker may have a session of somebody else under this ClientId: it is ended first */
  #isForeign: boolean
  #limits: Limits | undefined
  #isCongested = false
  #breaks = 0

  constructor(parts: SharedConnectionParts) {
    this.#parts = parts
    const { keeper, records, numbers, now } = parts
    const lower = parts.lower(
      (event) => this.#take(event),
      (pings) => this.#turnstile.ponged(pings),
    )
    this.#lower = lower
    const rate = new PublishRate(() => parts.pool().publishesPerSecond)
    const exit = {
      send: (flight: Flight) => (flight.kind === 'publish' ? this.publishing : this.filters).send(flight),
      pauseBeforePublish: () => rate.take(now()),
      ping: () => lower.ping(),
    }
    const turnstile = new Turnstile(this.#doubts, exit, now)
    this.#turnstile = turnstile
    const common = { lower, turnstile, keeper, now, refusals: this.#refusals }
    const onDropped = (reason: UpstreamDrop) => parts.options().onDropped?.(reason)
    this.publishing = new Publishing({ ...common, doubts: this.#doubts, onDropped })
    this.filters = new SharedFilters({ ...common, newId: () => this.publishing.newId() })
    const memberOf = (clientId: string) => this.#members.get(clientId)
    this.handingOut = new HandingOut({ lower, table: this.filters.table, keeper, numbers, now, memberOf })
    this.#retries = new Retries(parts.options, now, () => this.#connect())
    this.#isForeign = records === undefined && keeper.isLasting
    if (records === undefined) return
    this.publishing.restore(records)
    this.filters.restore(records)
    this.handingOut.restore(records)
  }

  /** A sensor that uses it from now on. */
  member(sensor: SharingSensor, onEvent: OnUpstreamEvent): SharedMember {
    this.#members.get(sensor.clientId)?.forget() // of an earlier session, which is gone
    const member = new SharedMember(this, sensor, onEvent, this.#parts.options().log)
    this.#members.set(sensor.clientId, member)
    this.open()
    return member
  }

  /** Opens it at the end of this turn of the event loop, when sessions from the store have told their subscriptions. */
  open(): void {
    if (this.#state !== 'idle') return
    this.#state = 'planned'
    setImmediate(() => this.#connect())
  }

  join(member: SharedMember): void {
    if (this.#state === 'closed')
      return void process.nextTick(() => this.#refuse(member, 'the gateway is closing'))
    this.open()
    if (this.#state === 'up') process.nextTick(() => this.#welcome(member))
    else if (this.#state === 'pausing' && !member.isPatient) this.#retries.hurry()
  }

  #welcome(member: SharedMember): void {
    if (!member.isWaiting || this.#state !== 'up' || this.#limits === undefined) return
    const { will } = member
    const isTooMuch =
      will !== undefined &&
      (will.qos > this.#limits.maximumQos || (will.retain && !this.#limits.retainAvailable))
    if (isTooMuch)
      return this.#refuse(member, 'the will asks for QoS or retain that the broker does not have')
    this.publishing.greet(member)
    this.handingOut.greet(member)
    member.opened({ type: 'connected', limits: this.#limits })
    if (this.#isCongested) member.later({ type: 'congestion', on: true })
  }

  #refuse(member: SharedMember, detail: string): void {
    if (member.isWaiting) member.refused(detail)
  }

  leave(member: SharedMember, isFinal: boolean): void {
    this.publishing.leave(member, isFinal)
    this.handingOut.leave(member)
  }

  wipe(member: SharedMember): void {
    this.publishing.leave(member, true)
    this.filters.wipe(member)
  }

  forget(member: SharedMember): void {
    const { clientId } = member.sensor
    if (this.#members.get(clientId) === member) this.#members.delete(clientId)
  }

  stats(): SharedConnectionStats {
    return {
      clientId: this.#parts.clientId,
      connected: this.#state === 'up',
      sensors: this.#members.size,
      filters: this.filters.table.size,
      waiting: this.#turnstile.waiting,
      waitingSensors: this.#turnstile.lines.owners,
      underWay: this.#turnstile.flights.size,
      handingOut: this.handingOut.size,
      breaks: this.#breaks,
      refused: this.publishing.refused,
    }
  }

  close(): void {
    this.#state = 'closed'
    this.#retries.stop()
    this.#turnstile.close()
    this.#lower.close(false, false)
  }

  #connect(): void {
    if (this.#state === 'closed') return
    this.#state = 'connecting'
    const { clientId, pool, keeper } = this.#parts
    const clean = !keeper.isLasting || this.#isForeign
    const identity = { ...pool().identity, clientId }
    this.#lower.connect({ identity, clean, mend: false, will: undefined })
  }

  #take(event: UpstreamEvent): void {
    switch (event.type) {
      case 'published':
        return this.publishing.published(event)
      case 'received':
        return this.publishing.received(event.token)
      case 'message':
        return this.handingOut.take(event)
      case 'releasing':
        return this.handingOut.release(event)
      case 'subscribed':
        return this.filters.subscribed(event)
      case 'unsubscribed':
        return this.filters.unsubscribed(event.token)
      case 'connected':
        return this.#opened(event)
      case 'refused':
        return this.#failed(event)
      case 'closed':
        return this.#broke(event)
      case 'congestion':
        this.#isCongested = event.on
        this.filters.congested(event.on)
        for (const member of this.#members.values()) if (member.isOpen) member.tell(event)
    }
  }

  #opened({ sessionPresent, limits, means }: Reported<'connected'>): void {
    if (this.#isForeign) {
      // the broker has an empty session now: the next connection keeps it
      this.#isForeign = false
      return this.#connect()
    }
    this.#parts.keeper.keepSession()
    this.#state = 'up'
    this.#limits = limits
    this.#isCongested = false
    this.#retries.opened()
    this.#turnstile.open(means?.window ?? 1)
    this.handingOut.connected(sessionPresent)
    this.publishing.connected(sessionPresent)
    this.filters.connected(sessionPresent, means?.identifiers ?? false)
    for (const member of [...this.#members.values()]) this.#welcome(member)
  }

  #failed({ detail, unreachable = false, answered = false }: Reported<'refused'>): void {
    this.#state = 'pausing'
    if (unreachable) this.#doubts.clear() // the last break was the broker's own
    this.#retries.failed(this.#parts.clientId, detail, answered)
    for (const member of [...this.#members.values()]) {
      if (member.isWaiting && !member.isPatient) member.refused(detail)
    }
  }

  #broke({ why, detail, moved }: Reported<'closed'>): void {
    if (this.#state !== 'up') return this.#retries.broke(this.#parts.clientId, why) // it had just been made
    this.#state = 'pausing'
    this.#limits = undefined
    this.#breaks += 1
    const { clientId, now } = this.#parts
    const isRefusal = this.#refusals.takeBreak(now()) // what was sent behind it is innocent
    const alone = moved || isRefusal || why === 'taken-over' ? undefined : this.#turnstile.break()
    this.#turnstile.close()
    const accused = accusedOf(alone)
    const tellRequests = this.filters.break(alone?.flight)
    this.handingOut.break()
    const { log } = this.#parts.options()
    log.warn(
      { clientId, detail, sensors: this.#members.size },
      'lost a connection to the broker that sensors share',
    )
    if (alone !== undefined) this.#retries.progressed()
    for (const { sensor } of accused.keys()) this.publishing.offenders.note(sensor.clientId, now())
    this.#retries.broke(clientId, why)
    for (const member of [...this.#members.values()]) {
      if (member.isOpen) member.closed(detail, accused.get(member))
    }
    tellRequests()
  }
}
