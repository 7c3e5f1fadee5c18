// What a sensor does with messages that the gateway starts: REGISTER, PUBLISH, PUBREL, PINGREQ [6.5, 6.6, 6.10, 6.11].

import { type Packet, type Publish, ReturnCode } from '../codec/v1/messages.ts'
import type { ReceivedMessage } from './options.ts'
import type { Topics } from './topics.ts'

/** What receiving needs of the sensor. */
export interface InboundPort {
  readonly topics: Topics
  send(packet: Packet): void
  deliver(message: ReceivedMessage): void
}

/** Receiver side of one sensor. */
export class Inbound {
  readonly #port: InboundPort
  /** MsgIds of QoS 2 messages that were delivered and wait for their PUBREL; at most 65,535 by their range */
  readonly #delivered = new Set<number>()

  constructor(port: InboundPort) {
    this.#port = port
  }

  /** Forgets unfinished QoS 2 exchanges: a clean session began. */
  reset(): void {
    this.#delivered.clear()
  }

  /** Handles a message that the gateway started; false if it is none. */
  receive(packet: Packet): boolean {
    switch (packet.type) {
      case 'register': {
        const { topicId, msgId } = packet
        this.#port.topics.learn(topicId, packet.topicName)
        this.#port.send({ type: 'regack', topicId, msgId, returnCode: ReturnCode.accepted })
        return true
      }
      case 'publish':
        this.#onPublish(packet)
        return true
      case 'pubrel':
        this.#delivered.delete(packet.msgId)
        this.#port.send({ type: 'pubcomp', msgId: packet.msgId })
        return true
      case 'pingreq':
        this.#port.send({ type: 'pingresp' })
        return true
      default:
        return false
    }
  }

  #onPublish(packet: Publish): void {
    const { qos, msgId, topicId, topicIdType, retain, dup } = packet
    const topic = this.#port.topics.nameOf(topicIdType, topicId)
    if (topic === undefined) {
      // At every QoS: only so does the gateway learn that the id must be registered [6.10].
      this.#port.send({ type: 'puback', topicId, msgId, returnCode: ReturnCode.invalidTopicId })
      return
    }
    // Delivered at the first PUBLISH of its MsgId, so a repetition before PUBREL is not delivered again.
    const repeated = qos === 2 && this.#delivered.has(msgId)
    if (qos === 1) this.#port.send({ type: 'puback', topicId, msgId, returnCode: ReturnCode.accepted })
    if (qos === 2) {
      this.#delivered.add(msgId)
      this.#port.send({ type: 'pubrec', msgId })
    }
    if (!repeated) {
      this.#port.deliver({ topic, payload: packet.data, qos, retain, dup, topicIdType, topicId })
    }
  }
}
