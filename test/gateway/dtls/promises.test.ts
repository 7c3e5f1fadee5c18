// Which octets are messages that are acknowledged once for all, and which acknowledge: as the codec reads them.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeFrame, MsgType } from '../../../src/codec/v1/frame.ts'
import type { Packet, PacketType } from '../../../src/codec/v1/messages.ts'
import { isPromise, isPromised, isRefusal, promiseId } from '../../../src/gateway/dtls/promises.ts'
import { packetOfType } from '../../codec/packets.ts'

const types = Object.keys(MsgType) as PacketType[]
const anyPacket = fc.constantFrom(...types).chain((type) => packetOfType(type))

const publish = (qos: -1 | 0 | 1 | 2, length: number): Packet => ({
  type: 'publish',
  dup: false,
  qos,
  retain: true,
  topicIdType: 'normal',
  topicId: 7,
  msgId: qos > 0 ? 9 : 0,
  data: new Uint8Array(length),
})

describe('a message', () => {
  for (const nodeId of [undefined, Uint8Array.of(1, 2, 3)])
    for (const length of [0, 3, 300])
      it(`with ${length} octets${nodeId ? ' behind a forwarder' : ''} is promised an acknowledgement at QoS 1 and 2 alone`, () => {
        const promised = ([-1, 0, 1, 2] as const).map((qos) =>
          isPromised(encodeFrame(publish(qos, length), nodeId)),
        )
        expect(promised).toEqual([false, false, true, true])
      })

  it('of every other type is none, and PUBACK and PUBREC are those that acknowledge', () => {
    const nodeId = fc.option(fc.uint8Array({ minLength: 1, maxLength: 8 }), { nil: undefined })
    fc.assert(
      fc.property(anyPacket, nodeId, (packet, node) => {
        const bytes = encodeFrame(packet, node)
        const isAcknowledged = packet.type === 'publish' && (packet.qos === 1 || packet.qos === 2)
        expect(isPromised(bytes)).toBe(isAcknowledged)
        if (packet.type === 'publish' || packet.type === 'puback' || packet.type === 'pubrec')
          expect(promiseId(bytes)).toBe(packet.msgId)
        expect(isPromise(bytes)).toBe(packet.type === 'puback' || packet.type === 'pubrec')
        expect(isRefusal(bytes)).toBe(packet.type === 'puback' && packet.returnCode !== 0)
      }),
      { numRuns: 1000 },
    )
  })

  it('that is cut anywhere, or is none, is neither, and nothing is thrown', () => {
    const whole = encodeFrame(publish(1, 4), Uint8Array.of(1))
    for (let end = 0; end <= whole.length; end++) isPromised(whole.subarray(0, end))
    for (const octets of [[], [1], [1, 0], [3, 0xfe], [0xfe, 0xfe, 0xfe], [0, 0xfe]]) {
      expect(isPromised(Uint8Array.from(octets))).toBe(false)
      expect(isPromise(Uint8Array.from(octets))).toBe(false)
      expect(isRefusal(Uint8Array.from(octets))).toBe(false)
    }
  })
})
