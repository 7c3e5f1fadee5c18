// Subscriptions on a connection that sensors share: what the broker is asked, and who is told of its answers.

import { isShared } from '../../mqtt-topics.ts'
import type { UpstreamEvent } from '../../session/events.ts'
import type { LowerConnection } from './connection-parts.ts'
import { createFlight, type Flight } from './flight.ts'
import type { Member } from './port.ts'
import type { ConnectionKeeper, ConnectionRecords } from './records.ts'
import type { ClosingRefusals } from './routing/closing-refusals.ts'
import type { Entry } from './routing/entry.ts'
import { FilterTable } from './routing/filter-table.ts'
import {
  breakSubscribing,
  leaveFilter,
  nextStep,
  requestFilter,
  resumeSubscribing,
  type SubscribeAnswer,
  takeSatisfied,
  takeSuback,
  takeUnsuback,
  wipeMember,
} from './routing/subscribing.ts'
import type { Turnstile } from './turnstile.ts'

/** Breaks with the same SUBSCRIBE alone under way after which the gateway does not ask for it again. */
const BREAKS = 2

/** What this works with. */
export interface SharedFiltersParts {
  readonly lower: LowerConnection
  readonly turnstile: Turnstile
  readonly refusals: ClosingRefusals<Member>
  readonly keeper: ConnectionKeeper
  readonly now: () => number
  newId(): number
}

type Subscribed = Extract<UpstreamEvent, { type: 'subscribed' }>

/** One per shared connection, over all its network connections. */
export class SharedFilters {
  readonly table = new FilterTable<Member>()
  readonly #parts: SharedFiltersParts
  readonly #breaks = new Map<string, number>()
  #isUp = false
  #isCongested = false
  #identifies = false

  constructor(parts: SharedFiltersParts) {
    this.#parts = parts
  }

  /** The broker knows these filters since an earlier process. */
  restore({ filters }: ConnectionRecords): void {
    for (const [ordinal, { filter, qos }] of filters) {
      this.#parts.keeper.noteFilter(ordinal, filter)
      const entry = this.table.open(filter)
      entry.asked = qos
      entry.granted = qos
    }
  }

  attach(member: Member, subscriptions: Iterable<readonly [string, 0 | 1 | 2]>): void {
    for (const [filter, qos] of subscriptions) {
      const entry = this.table.open(filter)
      this.table.join(entry, member, qos)
      this.#sync(entry)
    }
  }

  /** Like `UpstreamConnection.subscribe`, for one that is connected. */
  subscribe(member: Member, token: number, filter: string, qos: 0 | 1 | 2, replay: boolean): void {
    const { refusals, now } = this.#parts
    // of a share, nothing would tell its messages from those of others
    const isImpossible = isShared(filter) && !this.#identifies
    if (
      isImpossible ||
      refusals.isBarred({ kind: 'subscribe', member, topic: filter, retain: false }, now())
    ) {
      return member.later({ type: 'subscribed', token, outcome: 3, qos })
    }
    this.#sync(requestFilter(this.table, filter, { member, token, qos, replay }))
  }

  unsubscribe(member: Member, token: number, filter: string): void {
    const entry = leaveFilter(this.table, filter, member)
    member.later({ type: 'unsubscribed', token })
    if (entry !== undefined) this.#sync(entry)
  }

  /** A sensor is gone for good, or begins anew. */
  wipe(member: Member): void {
    for (const entry of wipeMember(this.table, member)) this.#sync(entry)
  }

  /** What the turnstile lets through. */
  send(flight: Flight): void {
    const { lower, turnstile, keeper, newId } = this.#parts
    const { entry } = flight
    if (entry === undefined) return
    flight.packetId = newId()
    turnstile.flights.set(flight.packetId, flight)
    if (entry.busy === 'unsubscribe' && this.#isCongested) return this.#postpone(flight, entry)
    if (entry.busy === 'unsubscribe') return lower.unsubscribe(flight.packetId, entry.filter)
    const { filter, asked = 0, quietUntil, identifier } = entry
    keeper.keepFilter(filter, asked)
    lower.subscribe(flight.packetId, filter, asked, quietUntil !== Number.POSITIVE_INFINITY, identifier)
  }

  /** It could not be sent, and would never be answered. */
  #postpone(flight: Flight, entry: Entry<Member>): void {
    entry.busy = undefined
    this.#parts.turnstile.flights.delete(flight.packetId)
  }

  /** The connection's write buffer passed its limit, or drained again: what was postponed is asked now. */
  congested(on: boolean): void {
    this.#isCongested = on
    if (!on) for (const entry of this.table.all) if (entry.subscribers.size === 0) this.#sync(entry)
  }

  /** SUBACK. */
  subscribed({ token: packetId, outcome, qos }: Subscribed): void {
    const { turnstile, keeper, refusals, now } = this.#parts
    const flight = turnstile.flights.get(packetId)
    const entry = flight?.entry
    if (flight === undefined || entry === undefined) return
    const { answers, ended } = takeSuback(this.table, entry, { outcome, qos }, now())
    if (outcome !== 0) {
      refusals.noteRefused(flight, now())
      keeper.keepFilter(entry.filter, entry.asked)
    } else this.#breaks.delete(entry.filter)
    turnstile.settle(flight)
    tellAnswers(answers, (member, event) => member.tell(event))
    for (const member of ended)
      member.tell({ type: 'subscriptionEnded', filter: entry.filter, why: 'refused' })
    if (outcome === 0 && !this.#identifies) for (const other of this.table.toRaise(entry)) this.#sync(other)
    this.#sync(entry)
  }

  /** UNSUBACK. */
  unsubscribed(packetId: number): void {
    const { turnstile, keeper } = this.#parts
    const flight = turnstile.flights.get(packetId)
    const entry = flight?.entry
    if (flight === undefined || entry === undefined) return
    takeUnsuback(entry)
    keeper.keepFilter(entry.filter, undefined)
    turnstile.settle(flight)
    this.#sync(entry)
  }

  /** A connection is there. `identifies`: messages tell which subscriptions they come for. */
  connected(isPresent: boolean, identifies: boolean): void {
    this.#isUp = true
    this.#isCongested = false
    this.#identifies = identifies
    const before = this.table.all
    resumeSubscribing(this.table, isPresent)
    for (const entry of before) {
      const { filter, isShared: shares, subscribers } = entry
      if (!isPresent) this.#parts.keeper.keepFilter(filter, undefined)
      if (shares && !identifies) {
        for (const member of [...subscribers.keys()]) this.#end(entry, member, 'refused')
      }
      this.#sync(entry)
    }
  }

  /** The connection broke; `alone`: a SUBSCRIBE that was alone under way. Returns what tells the members concerned. */
  break(alone: Flight | undefined): () => void {
    this.#isUp = false
    const entry = alone?.entry
    const asking = entry?.underWay ?? []
    const requests = breakSubscribing(this.table)
    if (entry !== undefined && asking.length === 0) this.#blame(entry)
    return () => {
      for (const { member, token, qos } of requests)
        member.later({ type: 'subscribed', token, outcome: 1, qos })
    }
  }

  /** It was given back to the broker, which hangs up at it, for nobody who waits. */
  #blame(entry: Entry<Member>): void {
    const breaks = (this.#breaks.get(entry.filter) ?? 0) + 1
    this.#breaks.set(entry.filter, breaks)
    if (breaks < BREAKS) return
    this.#breaks.delete(entry.filter)
    for (const member of [...entry.subscribers.keys()]) this.#end(entry, member, 'hung-up')
    entry.asked = undefined
    entry.isUnsure = false
    this.#parts.keeper.keepFilter(entry.filter, undefined)
    this.table.prune(entry)
  }

  #end(entry: Entry<Member>, member: Member, why: 'hung-up' | 'refused'): void {
    this.table.part(entry, member)
    member.later({ type: 'subscriptionEnded', filter: entry.filter, why })
  }

  /** Asks the broker for what is to be asked, and answers what needs nothing of it. */
  #sync(entry: Entry<Member>): void {
    if (!this.#isUp) return void this.table.prune(entry)
    const step = nextStep(this.table, entry, !this.#identifies)
    if (step === undefined) {
      const answers = takeSatisfied(entry)
      tellAnswers(answers, (member, event) => member.later(event))
      if (answers.length > 0) return this.#sync(entry) // who was answered may have left meanwhile
      this.table.prune(entry)
      return
    }
    const member = step.type === 'subscribe' ? entry.underWay[0]?.member : undefined
    this.#parts.turnstile.submit(
      createFlight({ kind: 'subscribe', member, topic: entry.filter, qos: 0, entry }),
    )
  }
}

function tellAnswers(
  answers: readonly SubscribeAnswer<Member>[],
  tell: (member: Member, event: UpstreamEvent) => void,
): void {
  for (const { request, outcome, qos } of answers)
    tell(request.member, { type: 'subscribed', token: request.token, outcome, qos })
}
