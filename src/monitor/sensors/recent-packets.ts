// The last messages of one sensor, packed into numbers, since they are remembered for thousands of sensors.

import { MsgType, type Packet, type PacketType } from '../../codec/v1/messages.ts'
import type { RecentEntry } from '../../console/contract/sensors.ts'

/** Messages remembered per sensor: at first, and at most while memory lasts. */
const STEPS = [16, 64, 200] as const

/** Messages beyond the first sixteen that are remembered of all sensors together: some 16 octets each. */
const MOST_OF_ALL = 1_000_000

/** Characters of a topic name or filter that are remembered. */
const LONGEST_NAME = 200

/** What may be remembered of all sensors together. */
export interface RecentBudget {
  left: number
}

export const createRecentBudget = (): RecentBudget => ({ left: MOST_OF_ALL })

/** A ring of times and packed messages, which grows with the messages to its full length, or to what is left. */
export interface Recent {
  /** plain numbers: for so few, an array buffer would take more memory than its contents */
  cells: number[]
  /** names that messages carried themselves, by place; most carry none */
  names: (string | undefined)[]
  next: number
  /** places in the ring */
  most: number
}

export const createRecentPackets = (): Recent => ({ cells: [], names: [], next: 0, most: STEPS[0] })

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
  budget?: RecentBudget,
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
  recent.next = next + 1
  if (recent.next === recent.most && !grow(recent, budget)) recent.next = 0
}

/** More places while the ring has not gone round yet, so that its order stays. */
function grow(recent: Recent, budget: RecentBudget | undefined): boolean {
  const most = STEPS.find((step) => step > recent.most)
  if (budget === undefined || most === undefined || recent.cells.length > 2 * recent.most) return false
  const more = most - recent.most
  if (budget.left < more) return false
  budget.left -= more
  recent.most = most
  return true
}

/** Takes the places back that were granted, keeping the last messages that still have one. */
export function shrinkRecentPackets(recent: Recent, budget: RecentBudget): void {
  const [least] = STEPS
  if (recent.most === least) return
  budget.left += recent.most - least
  const count = recent.cells.length / 2
  const order = Array.from({ length: count }, (_, i) => (recent.next + i) % count).slice(-least)
  recent.cells = order.flatMap((place) => [recent.cells[2 * place] ?? 0, recent.cells[2 * place + 1] ?? 0])
  recent.names = order.map((place) => recent.names[place])
  recent.next = order.length % least
  recent.most = least
}

/** The topic name or filter that stands in a message itself: REGISTER, SUBSCRIBE, UNSUBSCRIBE, WILLTOPIC. */
function nameIn(packet: Packet): string | undefined {
  if ('topicName' in packet) return packet.topicName
  return 'willTopic' in packet ? (packet.willTopic ?? undefined) : undefined
}

/** The name of a normal or predefined topic id, as far as it is known. */
export type NameOf = (topicId: number, type: 'normal' | 'predefined') => string | undefined

/** One remembered message, unpacked. */
export interface RecentPacket {
  readonly at: number
  readonly direction: RecentEntry['direction']
  readonly type: PacketType
  /** in words, or the id; '' where the message has none */
  readonly topic: string
  readonly topicId: number
  readonly qos: -1 | 0 | 1 | 2
  readonly dup: boolean
  readonly octets: number
  readonly returnCode: number | undefined
}

/** What is remembered, oldest first. */
export function unpackRecentPackets({ cells, names, next }: Recent, nameOf: NameOf): RecentPacket[] {
  const packets: RecentPacket[] = []
  const count = cells.length / 2
  for (let i = 0; i < count; i++) {
    const place = (next + i) % count
    const [at = 0, packed = 0] = [cells[2 * place], cells[2 * place + 1]]
    const low = packed % 2 ** 23
    const topicId = Math.floor(packed / 2 ** 23) % 2 ** 16
    const type = typeOf.get((low >> 7) & 0xff) ?? 'pingreq'
    packets.push({
      at,
      direction: (low & 1) === 1 ? 'sent' : 'received',
      type,
      topic: names[place] ?? topicText(low, topicId, type, nameOf),
      topicId,
      qos: (((low >> 3) & 3) - 1) as RecentPacket['qos'],
      dup: (low & 4) !== 0,
      octets: Math.floor(packed / 2 ** 39),
      returnCode: (low & 2) === 0 ? undefined : (low >> 15) & 0xff,
    })
  }
  return packets
}

function topicText(low: number, topicId: number, type: PacketType, nameOf: NameOf): string {
  const topicType = topicTypes[(low >> 5) & 3] ?? 'normal'
  if (topicId === 0 && type !== 'publish') return ''
  const short = String.fromCharCode(topicId >> 8, topicId & 0xff)
  const known = topicType === 'normal' || topicType === 'predefined' ? nameOf(topicId, topicType) : short
  return known ?? `topic id ${topicId}`
}

/** Return codes in words. */
export const codeText = (code: number): string => codes[code] ?? 'rejected'

/** Remembered messages in the words of the console. */
export const entriesOf = (packets: readonly RecentPacket[]): RecentEntry[] =>
  packets.map((packet) => ({
    at: packet.at,
    direction: packet.direction,
    type: packet.type.toUpperCase(),
    text: textOf(packet),
    refused: packet.returnCode === 0 ? undefined : packet.returnCode,
  }))

function textOf({ type, topic, qos, dup, octets, returnCode }: RecentPacket): string {
  if (type === 'publish') {
    const size = octets === 1 ? '1 octet' : `${octets} octets${octets === LARGEST ? ' or more' : ''}`
    return `QoS ${qos} ${topic}, ${size}${dup ? ', again' : ''}`
  }
  return [topic, returnCode === undefined ? '' : codeText(returnCode)].filter(Boolean).join(', ')
}

/** What is remembered, oldest first, in words. */
export const listRecentPackets = (recent: Recent, nameOf: NameOf): RecentEntry[] =>
  entriesOf(unpackRecentPackets(recent, nameOf))

/** One message in the same words as when it is remembered. */
export function describePacket(
  direction: RecentEntry['direction'],
  packet: Packet,
  nameOf: NameOf,
): Pick<RecentEntry, 'text' | 'refused'> {
  const one = createRecentPackets()
  addRecentPacket(one, 1, direction, packet)
  const [entry] = listRecentPackets(one, nameOf)
  return { text: entry?.text ?? '', refused: entry?.refused }
}
