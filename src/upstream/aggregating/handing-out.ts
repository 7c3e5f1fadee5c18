// From the broker to sensors that share a connection: one message for as many as want it, acknowledged when the last of them has it.

import type { UpstreamEvent } from '../../session/events.ts'
import type { Message } from '../../session/message.ts'
import type { LowerConnection } from './connection-parts.ts'
import type { Member } from './port.ts'
import type { ConnectionKeeper, ConnectionRecords, MessageNumbers } from './records.ts'
import { Deliveries, type Held } from './routing/deliveries.ts'
import { type Entry, lowerOf, type Qos } from './routing/entry.ts'
import type { FilterTable } from './routing/filter-table.ts'
import { audienceOf, subscribersOf } from './routing/recipients.ts'

type Came = Extract<UpstreamEvent, { type: 'message' }>
type Releasing = Extract<UpstreamEvent, { type: 'releasing' }>

/** What this works with. */
export interface HandingOutParts {
  readonly lower: LowerConnection
  readonly table: FilterTable<Member>
  readonly keeper: ConnectionKeeper
  readonly numbers: MessageNumbers
  readonly now: () => number
  memberOf(clientId: string): Member | undefined
}

const isOpen = ({ isOpen: open }: Member): boolean => open
const none: readonly number[] = []

/** One per shared connection, over all its network connections. */
export class HandingOut {
  readonly #parts: HandingOutParts
  readonly #deliveries = new Deliveries<Member>()
  /** names messages of QoS 1, which nobody keeps: below zero, so that they are not taken for others */
  #lastOfQos1 = 0

  constructor(parts: HandingOutParts) {
    this.#parts = parts
  }

  /** messages that not all their sensors have taken */
  get size(): number {
    return this.#deliveries.size
  }

  restore({ taken }: ConnectionRecords): void {
    for (const [packetId, { number, clientIds }] of taken)
      this.#deliveries.restore(packetId, number, clientIds)
  }

  /** A message of the broker. */
  take({ message, ack, packetId, origin }: Came): void {
    const { table, now } = this.#parts
    const { dup = false, identifiers = none } = origin ?? {}
    const entries = table.entriesFor(message.topic, identifiers)
    const answered = message.retain ? audienceOf(entries, now()) : undefined
    const recipients = answered ?? subscribersOf(entries, isOpen)
    if (ack === undefined) {
      for (const [member] of recipients) if (member.isOpen) member.tell(unacknowledged(message))
      return
    }
    this.#takeLasting({ message, ack, packetId, dup, entries, recipients })
  }

  #takeLasting({ message, ack, packetId, dup, entries, recipients }: Lasting): void {
    const held = packetId === 0 ? undefined : this.#deliveries.heldOf(packetId)
    const takers = this.#chosenBefore(held) ?? keepersOf(recipients)
    if (takers.size > 0) {
      const { number } = held ?? this.#nameMessage(packetId, entries, takers)
      this.#deliveries.begin(number, ack, takers.keys())
      for (const [member, qos] of takers) {
        const event = { type: 'message', message: atQos(message, qos), ack: number } as const
        this.#deliveries.noteHolder(packetId, member)
        member.tell({ ...event, packetId: packetId === 0 ? 0 : number })
      }
    } else this.#parts.lower.acknowledge(ack)
    if (dup || held !== undefined) return // whoever wants it at QoS 0 gets it once at most
    for (const [member, qos] of recipients) {
      if (qos === 0 && member.isOpen) member.tell(unacknowledged(message))
    }
  }

  /** Who has taken a message of QoS 2 before it was repeated, where it matters: of a shared subscription it is not for others. */
  #chosenBefore(held: Held<Member> | undefined): ReadonlyMap<Member, Qos> | undefined {
    if (held?.clientIds === undefined) return undefined
    const members = held.clientIds.flatMap((clientId) => this.#parts.memberOf(clientId) ?? [])
    return new Map(members.map((member) => [member, 2]))
  }

  #nameMessage(
    packetId: number,
    entries: readonly Entry<Member>[],
    takers: ReadonlyMap<Member, Qos>,
  ): { readonly number: number } {
    if (packetId === 0) {
      this.#lastOfQos1 -= 1
      return { number: this.#lastOfQos1 }
    }
    const { keeper, numbers } = this.#parts
    const isChosen = entries.some(({ isShared }) => isShared)
    const clientIds = isChosen ? [...takers.keys()].map(({ sensor }) => sensor.clientId) : undefined
    const held = this.#deliveries.hold(packetId, numbers.take(), clientIds)
    // written before what the sensors' sessions write now, or with it
    keeper.keepTaken(packetId, { number: held.number, ...(clientIds !== undefined && { clientIds }) })
    return held
  }

  /** A sensor has it durably. */
  acknowledge(member: Member, number: number): void {
    const ack = this.#deliveries.complete(number, member)
    if (ack !== undefined) this.#parts.lower.acknowledge(ack)
  }

  /** The broker releases a message of QoS 2: its identifier means another one as soon as that is answered. */
  release({ packetId, ack }: Releasing): void {
    const { keeper, lower } = this.#parts
    const held = this.#deliveries.release(packetId)
    if (held === undefined) return lower.acknowledge(ack)
    keeper.keepTaken(packetId, undefined)
    this.#tellReleased(held)
    keeper.whenDurable(() => lower.acknowledge(ack))
  }

  /** A sensor is connected: it needs not know numbers any more that mean nothing. */
  greet(member: Member): void {
    for (const number of [...member.sensor.received()]) {
      if (!this.#deliveries.isActive(number)) member.tell({ type: 'releasing', packetId: number, ack: 0 })
    }
  }

  /** A sensor does not answer any more. */
  leave(member: Member): void {
    for (const ack of this.#deliveries.leave(member)) this.#parts.lower.acknowledge(ack)
  }

  /** A connection is there. `isPresent`: the broker has kept what it knew. */
  connected(isPresent: boolean): void {
    if (isPresent) return
    for (const [packetId, held] of this.#deliveries.clear()) {
      this.#parts.keeper.keepTaken(packetId, undefined)
      this.#tellReleased(held)
    }
  }

  break(): void {
    this.#deliveries.disconnected()
  }

  #tellReleased({ number, holders }: Held<Member>): void {
    for (const member of holders) member.tell({ type: 'releasing', packetId: number, ack: 0 })
  }
}

interface Lasting extends Pick<Came, 'message' | 'packetId'> {
  readonly ack: number
  readonly dup: boolean
  readonly entries: readonly Entry<Member>[]
  readonly recipients: ReadonlyMap<Member, Qos>
}

/** Those who are to have it durably. */
function keepersOf(recipients: ReadonlyMap<Member, Qos>): ReadonlyMap<Member, Qos> {
  for (const qos of recipients.values())
    if (qos === 0) return new Map([...recipients].filter(([, wanted]) => wanted > 0))
  return new Map(recipients) // they may change while they are told
}

const atQos = (message: Message, asked: Qos): Message => {
  const qos = lowerOf(message.qos, asked)
  return qos === message.qos ? message : { ...message, qos }
}

const unacknowledged = (message: Message): Came => ({
  type: 'message',
  message: atQos(message, 0),
  ack: undefined,
  packetId: 0,
})
