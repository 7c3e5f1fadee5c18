// The topics that messages pass on, either way, with their last message: recorded while somebody looks, since it costs a little for
// every message.

import type { LiveTopic, LiveTopicList, LiveTopicQuery } from '../console/contract/topics.ts'
import type { Gateway } from '../gateway/gateway.ts'
import type { Effect } from '../session/events.ts'
import { compareNatural, topicFinder } from './sensors/sensor-query.ts'
import { rateOf } from './sensors/topic-uses.ts'
import { topicOf } from './watch-packets.ts'

/** Topics that are recorded: those that were used last. */
const MOST = 5000

/** Milliseconds without a look after which recording ends, and what was recorded is forgotten. */
const PATIENCE = 600_000

/** Octets of a message that are kept, where contents may be shown. */
const MOST_OCTETS = 256

interface Recorded {
  readonly topic: string
  readonly direction: LiveTopic['direction']
  readonly firstAt: number
  lastAt: number
  times: number
  clientId: string | undefined
  qos: LiveTopic['qos']
  retain: boolean
  octets: number
  payload: Uint8Array | undefined
}

type Passing = Pick<Recorded, 'topic' | 'direction' | 'clientId' | 'qos' | 'retain'> & { payload: Uint8Array }

export interface LiveTopics {
  list(query: LiveTopicQuery): LiveTopicList
  close(): void
}

/** Records nothing until it is asked; `mayShow`: whether contents may be shown. */
export function createLiveTopics(
  gateway: Pick<Gateway, 'observe'>,
  mayShow: () => boolean,
  now: () => number = Date.now,
): LiveTopics {
  const all = new Map<string, Recorded>()
  let unlisted = 0
  let since = 0
  let stop: (() => void) | undefined
  let timer: NodeJS.Timeout | undefined

  function record({ topic, direction, clientId, qos, retain, payload }: Passing): void {
    const key = `${direction} ${topic}`
    const at = now()
    const known = all.get(key)
    const entry = known ?? { topic, direction, firstAt: at, times: 0 }
    const shown = mayShow() ? payload.slice(0, MOST_OCTETS) : undefined
    const last = { lastAt: at, clientId, qos, retain, octets: payload.length, payload: shown }
    const recorded: Recorded = Object.assign(entry, last)
    recorded.times += 1
    all.delete(key) // the latest come last
    all.set(key, recorded)
    if (all.size <= MOST) return
    unlisted += 1
    for (const oldest of all.keys()) {
      all.delete(oldest)
      return
    }
  }

  function end(): void {
    stop?.()
    stop = undefined
    clearTimeout(timer)
    all.clear()
    unlisted = 0
  }

  function begin(): void {
    clearTimeout(timer)
    timer = setTimeout(end, PATIENCE).unref()
    if (stop !== undefined) return
    since = now()
    stop = gateway.observe({
      effect(effect) {
        const passing = upwards(effect)
        if (passing !== undefined) record(passing)
      },
      sent(packet, _peer, session, _bytes, repeated) {
        if (packet.type !== 'publish' || repeated || packet.dup) return
        const { qos, retain, data: payload, topicId, topicIdType } = packet
        const short = String.fromCharCode(topicId >> 8, topicId & 0xff)
        const topic = topicIdType === 'short' ? short : topicOf(packet, session)
        if (topic === undefined) return
        record({ topic, direction: 'down', clientId: session?.clientId, qos, retain, payload })
      },
    })
  }

  return {
    list(query) {
      begin()
      const { search = '', direction, offset, limit } = query
      const fits = search === '' ? () => true : topicFinder(search)
      const found = [...all.values()].filter(
        (one) => (direction === undefined || one.direction === direction) && fits(one.topic),
      )
      found.sort(liveTopicOrder(query))
      const items = found.slice(offset, offset + limit).map(shownOf)
      return { since, payloads: mayShow(), unlisted, total: found.length, items }
    },
    close: end,
  }
}

function upwards(effect: Effect): Passing | undefined {
  if (effect.type === 'publish' && !effect.repeated) {
    const { topic, session, qos, retain, payload } = effect
    return { topic, direction: 'up', clientId: session.clientId, qos, retain, payload }
  }
  if (effect.type !== 'publishAnonymous') return undefined
  const { topic, retain, payload } = effect
  return { topic, direction: 'up', clientId: undefined, qos: -1, retain, payload }
}

const shownOf = ({ payload, ...rest }: Recorded): LiveTopic => ({
  ...rest,
  perMinute: rateOf(rest),
  payload: payload && Buffer.from(payload).toString('hex'),
})

/** The order that the query asks for, and by name where that does not decide. */
function liveTopicOrder({ sort = 'topic', descending = false }: LiveTopicQuery) {
  const sign = descending ? -1 : 1
  return (
    a: Pick<LiveTopic, 'topic' | 'lastAt' | 'times'>,
    b: Pick<LiveTopic, 'topic' | 'lastAt' | 'times'>,
  ) => {
    const order = sort === 'topic' ? compareNatural(a.topic, b.topic) : a[sort] - b[sort]
    return sign * order || compareNatural(a.topic, b.topic)
  }
}

/** One list of those of several gateways, each asked from the beginning to the end of what is wanted. */
export function mergeLiveTopics(lists: readonly LiveTopicList[], query: LiveTopicQuery): LiveTopicList {
  const byName = new Map<string, LiveTopic>()
  for (const one of lists.flatMap(({ items }) => items)) {
    const key = `${one.direction} ${one.topic}`
    const other = byName.get(key)
    byName.set(key, other === undefined ? one : joined(one, other))
  }
  const items = [...byName.values()].sort(liveTopicOrder(query))
  const doubled = lists.reduce((sum, list) => sum + list.items.length, 0) - items.length
  return {
    since: Math.max(0, ...lists.map(({ since }) => since)),
    payloads: lists.some(({ payloads }) => payloads),
    unlisted: lists.reduce((sum, list) => sum + list.unlisted, 0),
    total: lists.reduce((sum, list) => sum + list.total, 0) - doubled,
    items: items.slice(query.offset, query.offset + query.limit),
  }
}

function joined(a: LiveTopic, b: LiveTopic): LiveTopic {
  const last = a.lastAt >= b.lastAt ? a : b
  const whole = { ...last, times: a.times + b.times, firstAt: Math.min(a.firstAt, b.firstAt) }
  return { ...whole, perMinute: rateOf(whole) }
}
