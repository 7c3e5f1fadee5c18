// Header, types, flags, fields and encapsulation, requirement by requirement [5.2, 5.3, 5.5].

import { describe, expect, it } from 'vitest'
import {
  decode,
  decodeFrame,
  encapsulationLength,
  encode,
  encodeFrame,
  MsgType,
  type Packet,
  type Publish,
  publishLength,
  registerLength,
} from '../../src/codec/v1/frame.ts'
import { fromHex, malformed, packetOf, toHex, vectors } from './vectors.ts'

const pingresp: Packet = { type: 'pingresp' }
const publish: Publish = {
  type: 'publish',
  dup: false,
  qos: 0,
  retain: false,
  topicIdType: 'normal',
  topicId: 1,
  msgId: 0,
  data: new Uint8Array(),
}

function named(name: string): string {
  const found = [...vectors, ...malformed].find((vector) => vector.name === name)
  if (found === undefined) throw new Error(`no vector ${name}`)
  return found.hex
}

/** A message with the 3-octet Length. */
function long(code: number, body: string): Uint8Array {
  const total = 4 + body.length / 2
  return fromHex(`01${total.toString(16).padStart(4, '0')}${code.toString(16).padStart(2, '0')}${body}`)
}

describe('the length', () => {
  it('counts all octets, its own included [SN-LEN-1]', () => {
    expect(toHex(encode(pingresp))).toBe('0217')
    expect(decode(fromHex('0217'))).toEqual(pingresp)
    expect(decode(fromHex('0117')).type).toBe('malformed')
    for (const { hex } of vectors.filter((vector) => !vector.type.startsWith('ENCAP'))) {
      const bytes = encode(decode(fromHex(hex)) as Packet)
      expect(bytes[0] === 1 ? ((bytes[1] ?? 0) << 8) | (bytes[2] ?? 0) : bytes[0]).toBe(bytes.length)
    }
  })

  it('has three octets after a first octet 0x01 [SN-LEN-2]', () => {
    const bytes = fromHex(named('publish-len-258-3octet-min-canonical'))
    expect(toHex(bytes.subarray(0, 4))).toBe('0101020c')
    expect(decode(bytes)).toMatchObject({ type: 'publish' })
    expect((decode(bytes) as Publish).data.length).toBe(249)
  })

  it.each(malformed.filter(({ name }) => /^length-(zero|01)/.test(name)))(
    'refuses the impossible $name [SN-LEN-3]',
    ({ hex }) => {
      expect(decode(fromHex(hex))).toEqual({ type: 'malformed', reason: 'length' })
    },
  )

  it('accepts the 3-octet form for any total from 4 up [SN-LEN-4]', () => {
    expect(decode(fromHex('01000416'))).toEqual({ type: 'pingreq', clientId: null })
    for (let size = 0; size <= 300; size++) {
      expect(decode(long(MsgType.willmsg, '5a'.repeat(size)))).toEqual({
        type: 'willmsg',
        willMsg: new Uint8Array(size).fill(0x5a),
      })
    }
  })

  it('is sent in its shortest form: one octet up to 255, three from 258 on [SN-LEN-5]', () => {
    for (let size = 0; size <= 248; size++) {
      expect(encode({ ...publish, data: new Uint8Array(size) })[0]).toBe(7 + size)
    }
    expect(toHex(encode({ ...publish, data: new Uint8Array(249) })).slice(0, 8)).toBe('0101020c')
  })

  it('is known before a message is built, so that none is sent that a link cannot carry [SN-LEN-6 in part]', () => {
    for (const size of [0, 1, 247, 248, 249, 250, 251, 252, 1000, 65526]) {
      expect(publishLength(size)).toBe(encode({ ...publish, data: new Uint8Array(size) }).length)
      const register: Packet = { type: 'register', topicId: 1, msgId: 1, topicName: 'x'.repeat(size) }
      expect(registerLength(size)).toBe(encode(register).length)
    }
  })

  it('must equal what was received: one message per datagram [SN-LEN-7]', () => {
    for (const name of [
      'length-shorter-than-datagram',
      'length-longer-than-datagram',
      'two-messages-in-one-datagram',
    ]) {
      expect(decode(fromHex(named(name)))).toEqual({ type: 'malformed', reason: 'length' })
    }
  })
})

describe('the message type', () => {
  it('has exactly these codes [SN-TYP-1]', () => {
    const names =
      'advertise searchgw gwinfo - connect connack willtopicreq willtopic willmsgreq willmsg register regack publish ' +
      'puback pubcomp pubrec pubrel - subscribe suback unsubscribe unsuback pingreq pingresp disconnect - ' +
      'willtopicupd willtopicresp willmsgupd willmsgresp'
    const expected = names.split(' ').map((name, code) => [name, code])
    expect(Object.entries(MsgType)).toEqual(expected.filter(([name]) => name !== '-'))
    for (const vector of vectors) {
      const bytes = encode(packetOf(vector))
      expect(bytes[bytes[0] === 1 ? 3 : 1]).toBe(MsgType[packetOf(vector).type])
    }
  })

  it('is refused when it is reserved, encapsulated or not [SN-TYP-2]', () => {
    const known: number[] = Object.values(MsgType)
    let reserved = 0
    for (let code = 0; code < 256; code++) {
      if (known.includes(code) || code === 0xfe) continue
      reserved++
      const expected = { type: 'malformed', reason: 'unknown-type' }
      expect(decode(Uint8Array.of(2, code))).toEqual(expected)
      expect(decode(long(code, '000000'))).toEqual(expected)
      expect(decodeFrame(Uint8Array.of(4, 0xfe, 0, 7, 2, code)).packet).toEqual(expected)
    }
    expect(reserved).toBe(228)
  })
})

describe('the size of a message', () => {
  // Octets after the header: the least, and whether that is also the most.
  const sizes: Record<keyof typeof MsgType, [number, 'exactly' | 'at least']> = {
    advertise: [3, 'exactly'],
    searchgw: [1, 'exactly'],
    gwinfo: [1, 'at least'],
    connect: [4, 'at least'],
    connack: [1, 'exactly'],
    willtopicreq: [0, 'exactly'],
    willtopic: [1, 'at least'],
    willmsgreq: [0, 'exactly'],
    willmsg: [0, 'at least'],
    register: [4, 'at least'],
    regack: [5, 'exactly'],
    publish: [5, 'at least'],
    puback: [5, 'exactly'],
    pubcomp: [2, 'exactly'],
    pubrec: [2, 'exactly'],
    pubrel: [2, 'exactly'],
    subscribe: [3, 'at least'],
    suback: [6, 'exactly'],
    unsubscribe: [3, 'at least'],
    unsuback: [2, 'exactly'],
    pingreq: [0, 'at least'],
    pingresp: [0, 'exactly'],
    disconnect: [2, 'exactly'],
    willtopicupd: [1, 'at least'],
    willtopicresp: [1, 'exactly'],
    willmsgupd: [0, 'at least'],
    willmsgresp: [1, 'exactly'],
  }
  const mayBeAbsent = ['willtopic', 'willtopicupd', 'pingreq', 'disconnect']

  it.each(Object.entries(sizes))(
    'of type %s is %j octets after the header [SN-COD-3]',
    (name, [least, kind]) => {
      const code = MsgType[name as keyof typeof MsgType]
      for (let size = 0; size <= least + 4; size++) {
        for (const bytes of [
          Uint8Array.of(2 + size, code, ...new Uint8Array(size)),
          long(code, '00'.repeat(size)),
        ]) {
          const packet = decode(bytes)
          if (size === 0 && mayBeAbsent.includes(name)) expect(packet.type).toBe(name)
          else if (size < least) expect(packet).toEqual({ type: 'malformed', reason: 'truncated' })
          else if (size > least && kind === 'exactly')
            expect(packet).toEqual({ type: 'malformed', reason: 'surplus' })
          else expect(packet.type).toBe(name)
        }
      }
    },
  )

  it.each(['subscribe', 'unsubscribe'] as const)(
    'of %s with a topic id or short name is exactly 7 [SN-COD-3]',
    (name) => {
      for (const type of ['01', '02', '03']) {
        for (let size = 0; size < 5; size++) {
          const packet = decode(long(MsgType[name], `${type}0001${'61'.repeat(size)}`))
          if (size === 2) expect(packet).toMatchObject({ type: name, topicId: 0x6161 })
          else expect(packet).toEqual({ type: 'malformed', reason: size < 2 ? 'truncated' : 'surplus' })
        }
      }
    },
  )
})

describe('the flags', () => {
  it('are read only where they are used, and the rest is sent as 0 [SN-FLG-1]', () => {
    const used = {
      connect: 0x0c,
      willtopic: 0x70,
      publish: 0xf3,
      subscribe: 0xe3,
      suback: 0x60,
      unsubscribe: 0x03,
    }
    const bodies = {
      connect: '01003c61',
      willtopic: '77',
      publish: '0001000041',
      subscribe: '00016162',
      suback: '0001000100',
      unsubscribe: '00016162',
    }
    for (const name of Object.keys(used) as (keyof typeof used)[]) {
      for (let octet = 0; octet < 256; octet++) {
        const withFlags = (flags: number) =>
          long(MsgType[name], flags.toString(16).padStart(2, '0') + bodies[name])
        const packet = decode(withFlags(octet))
        expect(packet).toEqual(decode(withFlags(octet & used[name])))
        expect(encode(packet as Packet)[2]).toBe(octet & used[name])
      }
    }
  })

  it('carry DUP with both values in PUBLISH and SUBSCRIBE [SN-FLG-4 in part]', () => {
    expect(decode(fromHex(named('publish-qos1-normal')))).toMatchObject({ dup: false })
    expect(decode(fromHex(named('publish-qos1-normal-dup')))).toMatchObject({ dup: true })
    expect(decode(fromHex(named('subscribe-name-qos1')))).toMatchObject({ dup: false })
    expect(decode(fromHex(named('subscribe-name-qos2-dup')))).toMatchObject({ dup: true })
    expect(encode({ ...publish, qos: 1, dup: true })[2]).toBe(0xa0)
  })

  it('give QoS -1 for the bits 11', () => {
    for (const [qos, bits] of [
      [0, 0x00],
      [1, 0x20],
      [2, 0x40],
      [-1, 0x60],
    ] as const) {
      const bytes = encode({ ...publish, qos })
      expect(bytes[2]).toBe(bits)
      expect(decode(bytes)).toMatchObject({ qos })
    }
  })
})

describe('fields', () => {
  it('take every ReturnCode, the reserved ones too [SN-FLD-1 in part]', () => {
    for (let returnCode = 0; returnCode < 256; returnCode++) {
      expect(decode(Uint8Array.of(7, 0x0b, 0, 1, 0, 1, returnCode))).toMatchObject({ returnCode })
    }
  })

  it('pass payload through octet for octet [SN-FLD-4 in part]', () => {
    const data = Uint8Array.from({ length: 256 }, (_, i) => i)
    const decoded = decode(encode({ ...publish, data }))
    expect((decoded as Publish).data).toEqual(data)
  })

  it('take MsgId 0 in REGISTER, SUBSCRIBE and QoS 1 PUBLISH [SN-FLD-5 in part]', () => {
    for (const name of ['register-from-client-msgid-0', 'subscribe-msgid-0', 'publish-qos1-msgid-0']) {
      expect(decode(fromHex(named(name)))).toMatchObject({ msgId: 0 })
    }
    expect(decode(fromHex(named('publish-qos0-nonzero-msgid')))).toMatchObject({ qos: 0, msgId: 0x1234 })
  })

  it('are views into the datagram, not copies', () => {
    const bytes = fromHex(named('publish-qos1-normal'))
    const { packet } = decodeFrame(bytes)
    expect((packet as Publish).data.buffer).toBe(bytes.buffer)
  })

  it('are absent in the messages that a gateway sends short [SN-COD-6, SN-COD-7, SN-COD-8 in part]', () => {
    expect(toHex(encode({ type: 'disconnect', duration: null }))).toBe('0218')
    expect(toHex(encode({ type: 'pingreq', clientId: null }))).toBe('0216')
    expect(toHex(encode({ type: 'gwinfo', gwId: 1, gwAdd: new Uint8Array() }))).toBe('030201')
  })

  it('tell an empty WILLTOPIC from one with flags only', () => {
    expect(decode(fromHex('0207'))).toEqual({ type: 'willtopic', qos: 0, retain: false, willTopic: null })
    expect(decode(fromHex('030730'))).toEqual({ type: 'willtopic', qos: 1, retain: true, willTopic: '' })
    expect(toHex(encode({ type: 'willtopicupd', qos: 1, retain: true, willTopic: '' }))).toBe('031a30')
  })
})

describe('encode', () => {
  it('returns octets of its own', () => {
    const first = encode(pingresp)
    encode({ ...publish, data: new Uint8Array(1000).fill(0xff) })
    expect(toHex(first)).toBe('0217')
    expect(first.buffer.byteLength).toBe(2)
  })

  it.each<[string, Packet]>([
    ['topicId', { ...publish, topicId: 65536 }],
    ['msgId', { ...publish, msgId: -1 }],
    ['msgId', { ...publish, msgId: 1.5 }],
    ['duration', { type: 'disconnect', duration: Number.NaN }],
    ['returnCode', { type: 'connack', returnCode: 256 }],
    ['gwId', { type: 'advertise', gwId: 256, duration: 1 }],
    ['none of 0, 1, 2, -1', { ...publish, qos: 3 as never }],
    ['too long', { ...publish, data: new Uint8Array(65527) }],
    ['too long', { type: 'register', topicId: 0, msgId: 1, topicName: 'é'.repeat(32764) }],
    ['lone surrogate U+D800', { type: 'pingreq', clientId: 'a\uD800b' }],
  ])('throws RangeError that names %s', (text, packet) => {
    expect(() => encode(packet)).toThrow(RangeError)
    expect(() => encode(packet)).toThrow(text)
    expect(toHex(encode(pingresp))).toBe('0217')
  })
})

describe('forwarder encapsulation', () => {
  it('holds one complete message whose own Length is the rest [SN-FWD-1]', () => {
    for (const { name, hex } of vectors.filter((vector) => vector.name.startsWith('encap-'))) {
      expect(decodeFrame(fromHex(hex)).packet.type, name).not.toBe('malformed')
    }
    expect(decodeFrame(fromHex(named('encap-length-counts-inner'))).packet.type).toBe('malformed')
    expect(decodeFrame(fromHex(named('encap-inner-length-mismatch'))).packet.type).toBe('malformed')
  })

  it('has node ids of 1 to 252 octets [SN-FWD-2]', () => {
    for (let size = 0; size <= 253; size++) {
      const nodeId = Uint8Array.from({ length: size }, (_, i) => 255 - i)
      const bytes = Uint8Array.of(3 + size, 0xfe, 0, ...nodeId, 2, 0x17)
      if (size === 0 || size === 253) {
        expect(decodeFrame(bytes).packet.type).toBe('malformed')
        expect(() => encodeFrame(pingresp, nodeId)).toThrow(RangeError)
      } else {
        expect(decodeFrame(bytes)).toEqual({ packet: pingresp, nodeId, radius: 0 })
        expect(encodeFrame(pingresp, nodeId)).toEqual(bytes)
      }
    }
  })

  it('is sent with reserved Ctrl bits 0, which are ignored when received [SN-FWD-6]', () => {
    const node = fromHex('1234')
    expect(decodeFrame(fromHex(named('encap-ctrl-reserved-bits-set')))).toMatchObject({
      nodeId: node,
      radius: 0,
    })
    expect(toHex(encodeFrame(pingresp, node))).toBe('05fe0012340217')
    expect(toHex(encodeFrame(pingresp, node, 3))).toBe('05fe0312340217')
    expect(() => encodeFrame(pingresp, node, 4)).toThrow(RangeError)
    expect(() => encodeFrame(pingresp, node, 0.5)).toThrow(RangeError)
  })

  it('is refused when nested or with a 3-octet Length [SN-FWD-8]', () => {
    const refused = { type: 'malformed', reason: 'encapsulation' }
    expect(decodeFrame(fromHex(named('encap-nested'))).packet).toEqual(refused)
    expect(decodeFrame(fromHex('05fe00123404fe000702ff')).packet).toEqual(refused)
    expect(decodeFrame(fromHex(named('encap-3octet-length'))).packet).toEqual(refused)
    expect(decode(fromHex(named('encap-connect-2octet-node')))).toEqual(refused)
  })

  it('takes 3 octets and the node id from the size of a message [SN-FWD-10 in part]', () => {
    expect(encapsulationLength(2)).toBe(5)
    const longest = { ...publish, data: new Uint8Array(65526) }
    expect(encodeFrame(longest, new Uint8Array(252)).length).toBe(encapsulationLength(252) + 65535)
  })

  it('tells a length of 0xFE from the type 0xFE', () => {
    expect(decodeFrame(fromHex(named('publish-len-254-1octet')))).toMatchObject({
      packet: { type: 'publish' },
    })
    const bytes = Uint8Array.of(1, 0xfe, 0x01, MsgType.willmsg, ...new Uint8Array(0xfe01 - 4))
    expect(decodeFrame(bytes)).toMatchObject({ packet: { type: 'willmsg' }, nodeId: undefined })
  })
})
