// Where datagrams wait for their turn. They are read as fast as they come, so that under overload what cannot be handled is
// told apart, bounded, counted and refused here, while the system's buffer would lose just anything.

import { peekMsgType } from '../../codec/envelope.ts'
import { MsgType } from '../../codec/v1/messages.ts'
import type { Config } from '../../config/schema.ts'
import type { Remote } from '../../transport/transport.ts'
import { type Counters, count } from '../counters.ts'
import type { Link } from './listener.ts'
import { admit } from './reception.ts'

/** Datagrams of one socket that libuv reads before others get their turn: so many at once mean that there are more. */
const FULL_BATCH = 32

/**
 * New work that is handled before the sockets are looked at again: little while the system holds more than was read, so that
 * reading overtakes handling. A time would not do: much of the work follows later in the turn, such as writing to the broker.
 */
const FEW = 4
const MANY = 64

/** So few that wait are done within a turn: until there are more, everything keeps its order. */
const CROWD = 32

/** Milliseconds after which an answer would come too late: the sensor is about to repeat itself. */
const TOO_OLD = 1000

/** What is needed to finish something may wait when nothing else may: so much more, as a factor. */
const RESERVE = 1.25

/** Keeps sensors alive, or answers what the gateway asked: may overtake what a sensor asks for itself. */
const URGENT: ReadonlySet<number | undefined> = new Set([
  MsgType.pingreq, MsgType.puback, MsgType.pubrec, MsgType.pubcomp, MsgType.regack,
]) // biome-ignore format: one line reads better

/**
 * Finishes something or makes room for others, but keeps its place: a PUBREL before the repetition of its PUBLISH would make
 * that a new message, a DISCONNECT before a PUBLISH would lose it, a will before the repetition of its CONNECT would be asked
 * for again.
 */
const RELIEF: ReadonlySet<number | undefined> = new Set([
  MsgType.pubrel, MsgType.disconnect, MsgType.willtopic, MsgType.willmsg,
]) // biome-ignore format: one line reads better

type Handle = (link: Link, bytes: Uint8Array, remote: Remote) => void

interface Waiting {
  readonly link: Link
  readonly bytes: Uint8Array
  readonly remote: Remote
  /** when it gets too old */
  until: number
}

/** What an intake works with. */
export interface IntakeParts {
  readonly counters: Counters
  limits(): Pick<Config['limits'], 'waitingDatagrams' | 'waitingOctets'>
  readonly handle: Handle
  /** takes what cannot be handled, so that its sender is told */
  readonly turnAway: Handle
  /** whether so much waits behind the gateway that nothing new may come */
  isBehind(): boolean
  /** monotonic milliseconds */
  now?(): number
  /** calls `step` once when all sockets have been read, and before they are read again */
  afterReading?(step: () => void): void
}

export interface Intake {
  readonly receive: Handle
  /** Until now everything has waited: the gateway did not know its sensors. */
  open(): void
  /** Drops everything from now on. */
  close(): void
  /** datagrams that wait */
  readonly waiting: number
  /** whether something from before `open` waits: a sensor that was heard then may not be given up */
  readonly isCatchingUp: boolean
}

/** An intake that keeps what comes until it is opened. */
export function createIntake(parts: IntakeParts): Intake {
  const { counters, handle, turnAway, now = () => performance.now(), afterReading = setImmediate } = parts
  let state: 'starting' | 'open' | 'closed' = 'starting'
  let urgent: Waiting[] = []
  /** in order of arrival; those before `head` are done */
  let queue: Waiting[] = []
  let head = 0
  let octets = 0
  /** datagrams that have waited for the start, and still do */
  let early = 0
  let isDue = false
  /** the time when this batch is read */
  let readAt: number | undefined
  /** who sent the last datagrams of this batch, and how many */
  let source: Link | undefined
  let inRow = 0
  let isMore = false

  function isRoom(bytes: Uint8Array, reserve: number): boolean {
    const { waitingDatagrams, waitingOctets } = parts.limits()
    return (
      queue.length - head < waitingDatagrams * reserve && octets + bytes.length <= waitingOctets * reserve
    )
  }

  function schedule(): void {
    if (isDue) return
    isDue = true
    afterReading(work)
  }

  function receive(link: Link, bytes: Uint8Array, remote: Remote): void {
    if (!admit(link, bytes, remote.address, counters)) return
    if (state === 'closed') return count(counters.dropped, 'not-serving')
    readAt ??= now()
    inRow = link === source ? inRow + 1 : 1
    source = link
    if (inRow >= FULL_BATCH) isMore = true
    const one = { link, bytes, remote, until: readAt + TOO_OLD }
    const type = peekMsgType(bytes)
    const [isUrgent, isRelief] = [URGENT.has(type), RELIEF.has(type)]
    const fits = isRoom(bytes, isRelief ? RESERVE : 1) && (isUrgent || isRelief || !parts.isBehind())
    if (state === 'open' && isUrgent && !(fits && queue.length - head < CROWD)) urgent.push(one)
    else if (fits) {
      if (isUrgent || isRelief) one.until = Number.POSITIVE_INFINITY
      queue.push(one)
      octets += bytes.length
    } else if (state !== 'open') return count(counters.dropped, 'not-serving')
    else if (type === MsgType.publish) turnAway(link, bytes, remote)
    else count(counters.dropped, 'overloaded') // a copy of it may wait inside, and be accepted: silence is no lie
    if (state === 'open') schedule()
  }

  function next(): Waiting | undefined {
    const one = queue[head]
    if (one === undefined) return undefined
    head += 1
    early = Math.max(0, early - 1)
    octets -= one.bytes.length
    if (head === queue.length || head >= 256) {
      queue = queue.slice(head)
      head = 0
    }
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
    for (const { link, bytes, remote } of first) handle(link, bytes, remote)
    for (let done = 0; done < most; done += 1) {
      const one = next()
      if (one === undefined) break
      if (one.until < begun) turnAway(one.link, one.bytes, one.remote)
      else handle(one.link, one.bytes, one.remote)
    }
    if (queue.length > 0) schedule()
  }

  return {
    receive,
    open() {
      if (state === 'closed') return
      state = 'open'
      early = queue.length
      for (const one of queue) one.until = Number.POSITIVE_INFINITY // it is not the sensors' fault
      readAt = undefined
      if (queue.length > 0) schedule()
    },
    close() {
      state = 'closed'
      for (let left = urgent.length + queue.length - head; left > 0; left -= 1)
        count(counters.dropped, 'not-serving')
      urgent = []
      queue = []
      head = octets = 0
    },
    get waiting() {
      return urgent.length + queue.length - head
    },
    get isCatchingUp() {
      return early > 0
    },
  }
}
