// The requests of a sensor as data: the first message, and what each answer means [6.2-6.6, 6.9, 6.11, 6.12].

import type { Connect, Filter, Packet, Publish, Qos, Subscribe } from '../codec/v1/messages.ts'
import { rejection } from './failure.ts'
import type { Request, Step } from './lane.ts'
import type { SensorWill } from './options.ts'

const encoder = new TextEncoder()

/** Text becomes UTF-8, octets stay. */
export function octets(data: string | Uint8Array): Uint8Array {
  return typeof data === 'string' ? encoder.encode(data) : data
}

/** What a SUBACK grants; `topicId` is 0 under a wildcard. */
export interface Granted {
  topicId: number
  qos: Qos
}

function answer<T>(what: string, returnCode: number, value: T): Step<T> {
  return returnCode === 0 ? { done: value } : { failed: rejection(what, returnCode) }
}

/** CONNECT, with WILLTOPIC and WILLMSG when the gateway asks; `onAccepted` runs the moment CONNACK arrives. */
export function connectRequest(
  packet: Connect,
  will: SensorWill | undefined,
  onAccepted: () => void,
): Request<void> {
  return {
    packet,
    onReply(reply) {
      if (reply.type === 'willtopicreq') return { next: willTopicPacket('willtopic', will) }
      if (reply.type === 'willmsgreq')
        return { next: { type: 'willmsg', willMsg: octets(will?.message ?? '') } }
      if (reply.type !== 'connack') return undefined
      if (reply.returnCode === 0) onAccepted()
      return answer('CONNECT', reply.returnCode, undefined)
    },
  }
}

function willTopicPacket(
  type: 'willtopic' | 'willtopicupd',
  will: Omit<SensorWill, 'message'> | undefined,
): Packet {
  return { type, qos: will?.qos ?? 0, retain: will?.retain ?? false, willTopic: will?.topic ?? null }
}

/** WILLTOPICUPD; without a will it deletes the will [5.4.22]. */
export function willTopicRequest(will: Omit<SensorWill, 'message'> | undefined): Request<void> {
  return {
    packet: willTopicPacket('willtopicupd', will),
    onReply: (reply) =>
      reply.type === 'willtopicresp' ? answer('WILLTOPICUPD', reply.returnCode, undefined) : undefined,
  }
}

/** WILLMSGUPD [5.4.23]. */
export function willMessageRequest(message: string | Uint8Array): Request<void> {
  return {
    packet: { type: 'willmsgupd', willMsg: octets(message) },
    onReply: (reply) =>
      reply.type === 'willmsgresp' ? answer('WILLMSGUPD', reply.returnCode, undefined) : undefined,
  }
}

/** REGISTER; `onAnswer` learns the id the moment REGACK arrives. */
export function registerRequest(
  topicName: string,
  msgId: number,
  onAccepted: (topicId: number) => void,
): Request<number> {
  return {
    packet: { type: 'register', topicId: 0, msgId, topicName },
    onReply(reply) {
      if (reply.type !== 'regack' || reply.msgId !== msgId) return undefined
      if (reply.returnCode === 0) onAccepted(reply.topicId)
      return answer(`REGISTER ${topicName}`, reply.returnCode, reply.topicId)
    },
  }
}

/** PUBLISH of QoS 1, or of QoS 2 with PUBREC, PUBREL, PUBCOMP; an error is a PUBACK at both [6.6]. */
export function publishRequest(packet: Publish): Request<void> {
  return {
    packet,
    onReply(reply) {
      if (!('msgId' in reply) || reply.msgId !== packet.msgId) return undefined
      if (reply.type === 'puback') {
        if (reply.returnCode === 0 && packet.qos === 2) return undefined
        return answer('PUBLISH', reply.returnCode, undefined)
      }
      if (packet.qos !== 2) return undefined
      if (reply.type === 'pubrec') return { next: { type: 'pubrel', msgId: packet.msgId } }
      return reply.type === 'pubcomp' ? { done: undefined } : undefined
    },
  }
}

/** SUBSCRIBE; `onAccepted` runs the moment SUBACK arrives, before a message that may follow it. */
export function subscribeRequest(
  packet: Subscribe,
  onAccepted: (granted: Granted) => void,
): Request<Granted> {
  return {
    packet,
    onReply(reply) {
      if (reply.type !== 'suback' || reply.msgId !== packet.msgId) return undefined
      const granted = { topicId: reply.topicId, qos: reply.qos }
      if (reply.returnCode === 0) onAccepted(granted)
      return answer('SUBSCRIBE', reply.returnCode, granted)
    },
  }
}

/** UNSUBSCRIBE. */
export function unsubscribeRequest(filter: Filter, msgId: number): Request<void> {
  return {
    packet: { type: 'unsubscribe', msgId, ...filter },
    onReply: (reply) =>
      reply.type === 'unsuback' && reply.msgId === msgId ? { done: undefined } : undefined,
  }
}

/** PINGREQ; with a ClientId it fetches what waits for a sleeper [6.14]. */
export function pingRequest(clientId: string | null, onAnswer: () => void): Request<void> {
  return {
    packet: { type: 'pingreq', clientId },
    onReply(reply) {
      if (reply.type !== 'pingresp') return undefined
      onAnswer()
      return { done: undefined }
    },
  }
}

/** DISCONNECT; with a duration in seconds it announces sleep. */
export function disconnectRequest(duration: number | null, onAnswer: () => void): Request<void> {
  return {
    packet: { type: 'disconnect', duration },
    onReply(reply) {
      if (reply.type !== 'disconnect') return undefined
      onAnswer()
      return { done: undefined }
    },
  }
}
