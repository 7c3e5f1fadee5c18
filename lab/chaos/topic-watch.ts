// Watches, at the sensor's end, that a topic id keeps its meaning for a life, and that no name has to be registered twice.

import type { Malformed, Packet } from '../../src/codec/v1/frame.ts'

/** What one life of a sensor was told about topic ids. Each packet yields what is wrong with it. */
export class TopicWatch {
  /** topic names by id */
  readonly #names = new Map<number, string>()
  readonly #ids = new Map<string, number>()
  /** MsgIds of requests whose answer carries a topic id */
  readonly #asked = new Map<number, string>()
  readonly #registered = new Map<string, number>()
  /** REGISTERs for a name that was registered already */
  registersAgain = 0

  /** A packet comes from the gateway. */
  fromGateway(packet: Packet | Malformed): string[] {
    if (packet.type === 'malformed') return [`malformed datagram: ${packet.reason}`]
    if (packet.type === 'register') return this.#learn(packet.topicId, packet.topicName)
    if (packet.type !== 'regack' && packet.type !== 'suback') return []
    const name = this.#asked.get(packet.msgId)
    if (packet.returnCode !== 0) {
      // what was refused for now is asked for again
      if (name !== undefined && this.#registered.get(name) === packet.msgId) this.#registered.delete(name)
      return []
    }
    return name !== undefined && packet.topicId !== 0 ? this.#learn(packet.topicId, name) : []
  }

  /** A packet leaves for the gateway. */
  toGateway(packet: Packet | Malformed): string[] {
    if (packet.type === 'register') {
      this.#asked.set(packet.msgId, packet.topicName)
      const first = this.#registered.get(packet.topicName) ?? packet.msgId
      this.#registered.set(packet.topicName, first)
      if (first === packet.msgId) return []
      this.registersAgain += 1
      return [`had to register ${packet.topicName} again`]
    }
    if (packet.type === 'subscribe' && packet.topicIdType === 'normal')
      this.#asked.set(packet.msgId, packet.topicName)
    else if (packet.type === 'puback' && packet.returnCode !== 0)
      return [`got a PUBLISH with topic id ${packet.topicId}, which it was never told`]
    return []
  }

  /** An id of this life keeps its name, and a name its id. */
  #learn(topicId: number, name: string): string[] {
    const faults: string[] = []
    const known = this.#names.get(topicId)
    if (known !== undefined && known !== name) faults.push(`topic id ${topicId} was ${known}, now is ${name}`)
    const id = this.#ids.get(name)
    if (id !== undefined && id !== topicId) faults.push(`${name} had topic id ${id}, now has ${topicId}`)
    this.#names.set(topicId, name)
    this.#ids.set(name, topicId)
    return faults
  }
}
