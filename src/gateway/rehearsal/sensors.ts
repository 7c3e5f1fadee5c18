// Sensors of a rehearsal: they do what sensors do, one message after the other, as fast as they are answered.

import { decode, encode } from '../../codec/v1/frame.ts'
import type { Packet } from '../../codec/v1/messages.ts'
import { openUdp } from '../../transport/udp/udp.ts'

/** QoS of the messages, again and again. */
const PATTERN = [1, 0, 1, 2, 0] as const
const DATA = new Uint8Array(32)
/** Messages after which a sensor says goodbye and comes again. */
const VISIT = 40

const LOOPBACK = '127.0.0.1'
const RECEIVE_BUFFER = 65_536

/** Starts one that publishes, and gets what it publishes back; `stop` ends it. What is lost ends it, too. */
export async function startSensor(port: number, clientId: string): Promise<{ stop(): Promise<void> }> {
  const topicName = `rehearsal/${clientId}`
  let lastId = 0
  let published = 0
  let topicId = 0
  const send = (packet: Packet): void => link.send(encode(packet), { address: LOOPBACK, port })
  const nextId = (): number => {
    lastId = (lastId % 0xffff) + 1
    return lastId
  }

  const connect = (): void =>
    send({ type: 'connect', will: false, cleanSession: true, protocolId: 1, duration: 60, clientId })

  function publish(): void {
    if (published % VISIT === VISIT - 1) {
      published += 1
      return send({ type: 'disconnect', duration: null })
    }
    const qos = PATTERN[published % PATTERN.length] ?? 0
    published += 1
    const flags = { dup: false, retain: false, topicIdType: 'normal' } as const
    send({ type: 'publish', ...flags, qos, topicId, msgId: qos === 0 ? 0 : nextId(), data: DATA })
    if (qos === 0) send({ type: 'pingreq', clientId: null }) // its answer is what asks for the next
  }

  function answer(packet: ReturnType<typeof decode>): void {
    switch (packet.type) {
      case 'connack':
        return send({ type: 'register', topicId: 0, msgId: nextId(), topicName })
      case 'regack':
        topicId = packet.topicId
        return send({
          type: 'subscribe',
          dup: false,
          qos: 2,
          msgId: nextId(),
          topicIdType: 'normal',
          topicName,
        })
      case 'suback':
      case 'puback':
      case 'pubcomp':
      case 'pingresp':
        return publish()
      case 'disconnect':
        return connect()
      case 'pubrec':
        return send({ type: 'pubrel', msgId: packet.msgId })
      case 'pubrel':
        return send({ type: 'pubcomp', msgId: packet.msgId })
      case 'publish': {
        const { qos, msgId } = packet
        if (qos === 1) send({ type: 'puback', topicId: packet.topicId, msgId, returnCode: 0 })
        if (qos === 2) send({ type: 'pubrec', msgId })
      }
    }
  }

  const own = { url: `udp://${LOOPBACK}:0`, receiveBuffer: RECEIVE_BUFFER }
  const link = await openUdp(own, (bytes) => answer(decode(bytes)))
  connect()
  return { stop: () => link.close() }
}
