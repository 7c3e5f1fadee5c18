// What waits of a sensor, either way, and why: the answer to "where is my message?".

import type { Waiting } from '../../console/contract/sensors.ts'
import { queuedSize } from '../../session/downlink/queue.ts'
import type { Session } from '../../session/session.ts'
import { isEnded, isLive } from '../../session/states.ts'

type Why = Waiting['why']

/** The reasons in words. */
const WORDS: Readonly<Record<Why, string>> = {
  disconnected: 'It is not connected.',
  connecting: 'It is still connecting.',
  asleep: 'It is asleep: messages wait until it wakes up and asks for them.',
  paused: 'It did not acknowledge the last message: nothing more is sent until it says something.',
  congested: 'It reported congestion and is left alone for a while.',
  'link-full': 'Its line carries no more at the moment: they go on as it takes them.',
  unanswered: 'It has not answered the last message yet.',
  subscribing: 'The broker has not answered its SUBSCRIBE yet.',
  withheld: 'They are kept back at the broker until those before them are delivered.',
  'broker-away': 'The broker is away, or its connection to it: they go on when it is back.',
  broker: 'They are on their way to the broker, which has not acknowledged them yet.',
}

/** All that waits; `held`: why nothing is delivered to it right now, whether something waits or not. */
export function waitingOf(session: Session, now: number): { held: string | undefined; all: Waiting[] } {
  const { downlink, uplink } = session
  const why = whyHeld(session, now)
  const held = why === 'unanswered' ? unanswered(session) : why && WORDS[why]
  const all: Waiting[] = []
  const add = (
    direction: Waiting['direction'],
    reason: Why,
    text: string,
    messages: number,
    octets: number,
  ) => {
    if (messages > 0) all.push({ direction, why: reason, text, messages, octets })
  }
  add(
    'toSensor',
    why ?? 'unanswered',
    held ?? 'They are being delivered.',
    downlink.queue.length,
    downlink.octets,
  )
  const withheld = downlink.withheld ?? []
  const octets = withheld.reduce((sum, { message }) => sum + queuedSize(message), 0)
  add('toSensor', 'withheld', WORDS.withheld, withheld.length, octets)
  const up = session.link.state === 'up' ? 'broker' : 'broker-away'
  const open = { messages: 0, octets: 0 }
  for (const { stored, data, topic, broker } of uplink.outgoing.values()) {
    if (stored || broker === 'done' || broker === 'dead') continue
    open.messages += 1
    open.octets += data.length + topic.length
  }
  const { spooled } = uplink
  add('toBroker', up, WORDS[up], spooled.messages + open.messages, spooled.octets + open.octets)
  return { held, all }
}

function unanswered({ downlink: { outstanding } }: Session): string {
  return `It has not answered ${outstanding?.packet.type.toUpperCase() ?? 'the last message'} yet.`
}

function whyHeld(session: Session, now: number): Why | undefined {
  const { state, subscribing } = session
  const { outstanding, paused, holdUntil = 0 } = session.downlink
  if (isEnded(session)) return 'disconnected'
  if (state === 'asleep') return 'asleep'
  if (!isLive(session)) return 'connecting'
  if (paused) return 'paused'
  if (holdUntil > now) return session.peer?.listener.room?.(session.peer) === 0 ? 'link-full' : 'congested'
  if (outstanding !== undefined) return 'unanswered'
  if ([...subscribing.requests.values()].some(({ type }) => type === 'subscribe')) return 'subscribing'
  return undefined
}
