// What a message says in a trace: the fields that matter, with the topic's name in place of its id.

import { explainMalformed, hex } from '../../codec/v1/describe.ts'
import { decodeFrame } from '../../codec/v1/frame.ts'
import { absences, meaning } from '../../codec/v1/meaning.ts'
import type { Packet } from '../../codec/v1/messages.ts'
import type { WatchedPacket } from '../../console/contract/live.ts'
import { escapeControls } from '../running/api.ts'

/** One datagram as the API tells of it. */
export interface TracedPacket extends Omit<WatchedPacket, 'bytes' | 'lines' | 'text' | 'refused'> {
  readonly bytes: string
}

/** The fields of a datagram in one line, without the name of its type: `QoS 1, room/temp (id 5), msgId 7, "21"`. */
export function wordsOf(traced: TracedPacket, bytes: Uint8Array): string {
  const frame = decodeFrame(bytes)
  const { packet, nodeId } = frame
  const words =
    packet.type === 'malformed' ? [explainMalformed(bytes, frame) ?? ''] : fieldsOf(packet, traced)
  return [...words, ...(nodeId === undefined ? [] : [`node ${hex(nodeId)}`])].join(', ')
}

function fieldsOf(packet: Packet, { topic, direction }: TracedPacket): string[] {
  // Towards a sensor, a DISCONNECT without Duration may be the answer to one that begins a sleep [6.14].
  if (packet.type === 'disconnect' && direction === 'sent') return []
  const words: string[] = []
  for (const [name, value] of Object.entries(packet)) {
    if (value === null) return [absences[packet.type] ?? '']
    const says = meaning(packet, name)
    if (says !== undefined) words.push(...fieldInWords(packet, name, Number(value), says, topic))
  }
  return words
}

/** Nothing for a field that has the value it always has, or whose meaning another field tells better. */
function fieldInWords(
  packet: Packet,
  name: string,
  value: number,
  says: string,
  topic: string | undefined,
): string[] {
  switch (name) {
    case 'type':
    case 'topicIdType':
      return []
    case 'protocolId':
      return value === 1 ? [] : [`protocolId ${says}`]
    case 'msgId':
      return value === 0 && packet.type === 'publish' ? [] : [`msgId ${says}`]
    case 'returnCode':
      return [value <= 3 ? says.replace(/^\d \((.*)\)$/, '$1') : `returnCode ${says}`]
    case 'topicId': {
      const id = says.replace(' (normal)', '')
      if (topic === undefined || 'topicName' in packet) {
        return value === 0 ? [] : [id.endsWith('(short)') ? id : `topicId ${id}`]
      }
      return [`${topicName(topic)} (id ${id.replace(' (predefined)', ', predefined')})`]
    }
    case 'gwId':
    case 'gwAdd':
    case 'radius':
      return [`${name} ${says}`]
    default:
      return [says]
  }
}

const topicName = (topic: string): string =>
  /^[^\p{C}\s,]+$/u.test(topic) ? topic : escapeControls(JSON.stringify(topic))
