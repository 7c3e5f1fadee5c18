// What a sensor published lately, and what was delivered to it: made of its last messages when somebody asks, so that it costs nothing until then.

import type { TopicUse } from '../../console/contract/topics.ts'
import { codeText, type RecentPacket } from './recent-packets.ts'

/** Topics that are listed each way. */
const MOST = 50

type Use = { -readonly [Field in keyof TopicUse]: TopicUse[Field] }

/** By topic, latest first; `direction` is that of the PUBLISH. An answer that refuses counts for the last PUBLISH of its topic id. */
export function topicUses(packets: readonly RecentPacket[], direction: 'received' | 'sent'): TopicUse[] {
  const uses = new Map<string, Use>()
  const lastOfId = new Map<number, Use>()
  for (const { type, topic, topicId, at, qos, octets, dup, returnCode, ...packet } of packets) {
    if (type === 'publish' && packet.direction === direction) {
      const known = uses.get(topic)
      const use = known ?? newUse(topic, at)
      if (!dup || known === undefined) use.times += 1
      Object.assign(use, { lastAt: at, octets, qos })
      uses.set(topic, use)
      lastOfId.set(topicId, use)
    } else if (
      type === 'puback' &&
      packet.direction !== direction &&
      returnCode !== undefined &&
      returnCode > 0
    ) {
      const use = lastOfId.get(topicId)
      if (use === undefined) continue
      use.refused += 1
      use.lastCode = returnCode
      use.lastRefusal = codeText(returnCode)
    }
  }
  const all = [...uses.values()].sort((a, b) => b.lastAt - a.lastAt).slice(0, MOST)
  return all.map((use) => ({ ...use, perMinute: rateOf(use) }))
}

const newUse = (topic: string, at: number): Use => ({
  topic,
  times: 0,
  firstAt: at,
  lastAt: at,
  perMinute: undefined,
  octets: 0,
  qos: 0,
  refused: 0,
  lastCode: undefined,
  lastRefusal: undefined,
})

/** Per minute, by the time from the first to the last; undefined for a single one. */
export function rateOf({
  times,
  firstAt,
  lastAt,
}: Pick<TopicUse, 'times' | 'firstAt' | 'lastAt'>): number | undefined {
  const minutes = (lastAt - firstAt) / 60_000
  return times < 2 || minutes <= 0 ? undefined : (times - 1) / minutes
}
