// What datagrams go through before they are handled: who may send at all and how often, and a queue that is fair to sources. They are read as fast as they come, so that under overload the gateway decides
// what is handled first, what is refused and what is dropped, and counts it; the system's buffer would drop any of them.

import { peekMsgType, unwrapMessage } from '../../codec/envelope.ts'
import { MsgType } from '../../codec/v1/messages.ts'
import type { Config } from '../../config/schema.ts'
import { allow, createThrottle } from '../../sessions/throttle.ts'
import type { Remote } from '../../transport/transport.ts'
import { countDiscard, type DiscardReason } from '../counters.ts'
import { createFairQueue } from './fair-queue.ts'
import type { BoundListener } from './listener.ts'
import { admitDatagram, type ReceptionBooks } from './reception.ts'

/** Datagrams of one socket that libuv reads before others get their turn: so many at once mean that there are more. */
const FULL_BATCH = 32

/**
 * New work that is handled before the sockets are looked at again: little while the system holds more than was read, so that
 * reading overtakes handling. A time would not do: much of the work follows later in the turn, such as writing to the broker.
 */
const FEW = 4
const MANY = 64

/**
 * So few are handled within one turn of the event loop: until more wait, urgent ones keep their order too. Of a crowd, each
 * source is served in its turn.
 */
const CROWD = 32

/** Milliseconds after which an answer would come too late: the sensor is about to repeat itself. */
const TOO_OLD = 1000

/** The queue is longer by this factor for what finishes something, and for sources of which little waits. */
const RESERVE = 1.25

/** "Little" is less than this part of the queue. */
const LITTLE = 1 / 16

/** These keep sensors alive or answer what the gateway asked, and may overtake what a sensor asks for itself. */
const URGENT: ReadonlySet<number | undefined> = new Set([
  MsgType.pingreq, MsgType.puback, MsgType.pubrec, MsgType.pubcomp, MsgType.regack,
]) // biome-ignore format: one line reads better

/**
 * These finish something or make room for others, but keep their place: a PUBREL before the repetition of its PUBLISH would make
 * that a new message, a DISCONNECT before a PUBLISH would lose it, a will before the repetition of its CONNECT would be asked
 * for again.
 */
const RELIEF: ReadonlySet<number | undefined> = new Set([
  MsgType.pubrel, MsgType.disconnect, MsgType.willtopic, MsgType.willmsg,
]) // biome-ignore format: one line reads better

/** A datagram: where it came in, its octets, and who sent it. */
export type Datagram = [BoundListener, Uint8Array, Remote]

type Handle = (...datagram: Datagram) => void

interface Waiting {
  readonly bound: BoundListener
  readonly bytes: Uint8Array
  readonly remote: Remote
  /** when it gets too old */
  until: number
  /** its share of `FEW`: a CONNECT costs a connection to the broker, and what it displaces */
  readonly cost: number
}

/** Who takes datagrams out of an intake. */
export interface DatagramHandler {
  readonly handle: Handle
  /** takes what cannot be handled, so that its sender is told */
  readonly turnAway: Handle
  /** whether so much waits behind the gateway that nothing new may come */
  isBehind(): boolean
}

/** Until the intake is opened. */
const nobody: DatagramHandler = { handle() {}, turnAway() {}, isBehind: () => false }

/** What an intake works with. */
export interface IntakeParts extends ReceptionBooks {
  limits(): Pick<Config['limits'], 'waitingDatagrams' | 'waitingOctets'> & {
    readonly connectsPerAddress?: number
  }
  /** monotonic milliseconds */
  now?(): number
  /** calls `step` once when all sockets have been read, and before they are read again */
  afterReading?(step: () => void): void
}

export interface Intake {
  readonly receive: Handle
  /** Begins to hand over. Until now everything has waited, because the gateway did not know its sensors. */
  open(handler: DatagramHandler): void
  /** Drops everything from now on. */
  close(): void
  /** datagrams that wait */
  readonly waiting: number
  /** whether something from before `open` waits: a sensor that was heard then may not be given up */
  readonly isCatchingUp: boolean
}

/** An intake that keeps what comes until it is opened. */
export function createIntake(parts: IntakeParts): Intake {
  const { now = () => performance.now(), afterReading = setImmediate } = parts
  const connects = createThrottle()
  let state: 'starting' | 'open' | 'closed' = 'starting'
  let handler = nobody
  let urgent: Waiting[] = []
  let queue = createFairQueue<Waiting>()
  let octets = 0
  /** datagrams that have waited for the start, and still do */
  let early = 0
  let isDue = false
  /** the time when this batch is read */
  let readAt: number | undefined
  /** who sent the last datagrams of this batch, and how many */
  let source: BoundListener | undefined
  let inRow = 0
  let isMore = false

  function isRoom(bytes: Uint8Array, address: string, isRelief: boolean): boolean {
    const { waitingDatagrams, waitingOctets } = parts.limits()
    const fits = (reserve: number): boolean =>
      queue.length < waitingDatagrams * reserve && octets + bytes.length <= waitingOctets * reserve
    if (fits(1)) return true
    return (isRelief || queue.countOf(address) < Math.floor(waitingDatagrams * LITTLE)) && fits(RESERVE)
  }

  /** A source that wants to connect too often must not take places in the queue; nodes behind a forwarder are told apart later. */
  function isTooOften(bytes: Uint8Array, address: string): boolean {
    const { connectsPerAddress: rate } = parts.limits()
    if (rate === undefined || unwrapMessage(bytes)?.nodeId !== undefined) return false
    return !allow(connects, address, rate, rate, readAt ?? now())
  }

  const discard = (reason: DiscardReason, { listener }: BoundListener, { address, port }: Remote): void =>
    countDiscard(parts, reason, { address, port, listener })

  function schedule(): void {
    if (isDue) return
    isDue = true
    afterReading(work)
  }

  function receive(bound: BoundListener, bytes: Uint8Array, remote: Remote): void {
    if (!admitDatagram(bound, bytes, remote, parts)) return
    if (state === 'closed') return discard('not-serving', bound, remote)
    readAt ??= now()
    inRow = bound === source ? inRow + 1 : 1
    source = bound
    if (inRow >= (bound.transport.atOnce ?? FULL_BATCH)) isMore = true
    const type = peekMsgType(bytes)
    if (type === MsgType.connect && state === 'open' && isTooOften(bytes, remote.address)) {
      parts.onRefused?.({ reason: 'too-many-connects', peer: { ...remote, listener: bound.listener } })
      return discard('rate-limited', bound, remote)
    }
    // before the start it is the gateway, not the sensors, that makes them wait
    const until = state === 'open' ? readAt + TOO_OLD : Number.POSITIVE_INFINITY
    const one = { bound, bytes, remote, until, cost: type === MsgType.connect ? FEW : 1 }
    const [isUrgent, isRelief] = [URGENT.has(type), RELIEF.has(type)]
    const fits = isRoom(bytes, remote.address, isRelief) && (isUrgent || isRelief || !handler.isBehind())
    if (state === 'open' && isUrgent && !(fits && queue.length < CROWD)) urgent.push(one)
    else if (fits) {
      if (isUrgent || isRelief) one.until = Number.POSITIVE_INFINITY
      // before the start, what comes first is also what has to be done first
      const plain = Math.min(CROWD, parts.limits().waitingDatagrams / 2)
      queue.push(one, state === 'open' ? plain : Number.POSITIVE_INFINITY)
      octets += bytes.length
    } else if (state !== 'open') return discard('not-serving', bound, remote)
    else if (type === MsgType.publish) handler.turnAway(bound, bytes, remote)
    // no refusal: a copy of the same message may wait inside and be accepted later
    else discard('overloaded', bound, remote)
    if (state === 'open') schedule()
  }

  function next(): Waiting | undefined {
    const one = queue.shift()
    if (one === undefined) return undefined
    early = Math.max(0, early - 1)
    octets -= one.bytes.length
    return one
  }

  function work(): void {
    isDue = false
    if (state !== 'open') return
    const begun = now()
    const most = isMore ? FEW : MANY
    readAt = source = undefined
    isMore = false
    const first = urgent
    urgent = []
    for (const { bound, bytes, remote } of first) handler.handle(bound, bytes, remote)
    for (let done = 0; done < most; ) {
      const one = next()
      if (one === undefined) break
      done += most === FEW ? one.cost : 1
      if (one.until < begun) handler.turnAway(one.bound, one.bytes, one.remote)
      else handler.handle(one.bound, one.bytes, one.remote)
    }
    if (queue.length > 0) schedule()
  }

  return {
    receive,
    open(taker) {
      if (state === 'closed') return
      handler = taker
      state = 'open'
      early = queue.length
      readAt = undefined
      if (queue.length > 0) schedule()
    },
    close() {
      state = 'closed'
      for (const { bound, remote } of urgent) discard('not-serving', bound, remote)
      for (let one = queue.shift(); one !== undefined; one = queue.shift())
        discard('not-serving', one.bound, one.remote)
      urgent = []
      queue = createFairQueue()
      octets = 0
    },
    get waiting() {
      return urgent.length + queue.length
    },
    get isCatchingUp() {
      return early > 0
    },
  }
}
