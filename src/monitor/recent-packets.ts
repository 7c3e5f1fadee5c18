// The last messages of one sensor, packed into numbers, since they are remembered for thousands of sensors.

import { MsgType, type Packet, type PacketType } from '../codec/v1/messages.ts'
import type { RecentEntry } from '../console/view.ts'

/** Messages remembered per sensor. */
const MOST = 16

/** Characters of a topic name or filter that are remembered. */
const LONGEST_NAME = 200

/** A ring of times and packed messages, which grows to its full length with the messages. */
export interface Recent {
  /** plain numbers: for so few, an array buffer would take more memory than its contents */
  readonly cells: number[]
  /** names that messages carried themselves, by place; most carry none */
  readonly names: (string | undefined)[]
  next: number
}

export const createRecentPackets = (): Recent => ({ cells: [], names: [], next: 0 })

const typeOf = new Map(Object.entries(MsgType).map(([name, code]) => [code as number, name as PacketType]))
const topicTypes = ['normal', 'predefined', 'short', 'reserved'] as const
const codes = ['accepted', 'rejected: congestion', 'rejected: invalid topic id', 'rejected: not supported']

// From the lowest: direction 1 bit, has code 1, dup 1, QoS + 1 2, topic id type 2, type 8, return code 8, topic id 16,
// octets 14: 53 bits, what a number holds exactly.
const LARGEST = 2 ** 14 - 1

/** Remembers a message, without its contents. `at`: milliseconds since 1970. */
export function addRecentPacket(
  recent: Recent,
  at: number,
  direction: RecentEntry['direction'],
  packet: Packet,
): void {
  const { cells, names, next } = recent
  const publish = packet.type === 'publish' ? packet : undefined
  const returnCode = 'returnCode' in packet ? packet.returnCode : undefined
  const topicId = 'topicId' in packet ? packet.topicId : 0
  const octets = publish === undefined ? 0 : Math.min(publish.data.length, LARGEST)
  const low =
    (direction === 'sent' ? 1 : 0) |
    (returnCode === undefined ? 0 : 2) |
    (publish?.dup ? 4 : 0) |
    ((publish === undefined ? 0 : publish.qos + 1) << 3) |
    (('topicIdType' in packet ? topicTypes.indexOf(packet.topicIdType) : 0) << 5) |
    (MsgType[packet.type] << 7) |
    ((returnCode ?? 0) << 15)
  cells[2 * next] = at
  cells[2 * next + 1] = low + topicId * 2 ** 23 + octets * 2 ** 39
  const name = nameIn(packet)
  if (name !== undefined || names[next] !== undefined) names[next] = name?.slice(0, LONGEST_NAME)
  recent.next = (next + 1) % MOST
}

/** The topic name or filter that stands in a message itself: REGISTER, SUBSCRIBE, UNSUBSCRIBE, WILLTOPIC. */
function nameIn(packet: Packet): string | undefined {
  if ('topicName' in packet) return packet.topicName
  return 'willTopic' in packet ? (packet.willTopic ?? undefined) : undefined
}

/** What is remembered, oldest first; `nameOf` finds the name of a normal or predefined topic id. */
export function listRecentPackets(
  { cells, names, next }: Recent,
  nameOf: (topicId: number, type: 'normal' | 'predefined') => string | undefined,
): RecentEntry[] {
  const entries: RecentEntry[] = []
  for (let i = 0; i < MOST; i++) {
    const place = (next + i) % MOST
    const [at = 0, packed = 0] = [cells[2 * place], cells[2 * place + 1]]
    if (at === 0) continue
    const low = packed % 2 ** 23
    const topicId = Math.floor(packed / 2 ** 23) % 2 ** 16
    const octets = Math.floor(packed / 2 ** 39)
    const type = typeOf.get((low >> 7) & 0xff) ?? 'pingreq'
    entries.push({
      at,
      direction: (low & 1) === 1 ? 'sent' : 'received',
      type: type.toUpperCase(),
      text: names[place] ?? textOf(type, low, topicId, octets, nameOf),
    })
  }
  return entries
}

function textOf(
  type: PacketType,
  low: number,
  topicId: number,
  octets: number,
  nameOf: (topicId: number, type: 'normal' | 'predefined') => string | undefined,
): string {
  const topicType = topicTypes[(low >> 5) & 3] ?? 'normal'
  const short = String.fromCharCode(topicId >> 8, topicId & 0xff)
  const known = topicType === 'normal' || topicType === 'predefined' ? nameOf(topicId, topicType) : short
  const topic = known ?? `topic id ${topicId}`
  if (type === 'publish') {
    const size = octets === 1 ? '1 octet' : `${octets} octets${octets === LARGEST ? ' or more' : ''}`
    return `QoS ${((low >> 3) & 3) - 1} ${topic}, ${size}${(low & 4) === 0 ? '' : ', again'}`
  }
  const code = (low & 2) === 0 ? '' : (codes[(low >> 15) & 0xff] ?? 'rejected')
  return [topicId === 0 ? '' : topic, code].filter(Boolean).join(', ')
}
