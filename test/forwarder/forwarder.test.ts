// The core of the forwarder: octets of the encapsulation both ways, ids of nodes, what is dropped, what is held.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeFrame, encode, encodeFrame, type Packet } from '../../src/codec/v1/frame.ts'
import { addressOfId, idOfAddress } from '../../src/forwarder/node-ids.ts'
import { NodeTable } from '../../src/forwarder/node-table.ts'
import { fromHex, toHex } from '../codec/vectors.ts'
import { many, Rig, wire } from './rig.ts'

/** CONNECT, clean session, 60 s, "m135" */
const M1 = '0a040401003c6d313335'
const publish = (qos: -1 | 0 | 1, data = 'x'): string =>
  toHex(
    encode({
      type: 'publish',
      dup: false,
      qos,
      retain: false,
      topicIdType: 'short',
      topicId: 0x6162,
      msgId: qos > 0 ? 1 : 0,
      data: Buffer.from(data),
    }),
  )

describe('messages to the gateway', () => {
  it.each([
    ['an XBee', many(), 'xbee/0013a20012345678:0', '0bfe000013a20012345678'],
    ['a LoRaLink modem', many(), 'lora/5:0', '04fe0005'],
    ['an Aquila bridge', many(), 'aquila/2:0', '05fe000200'],
    ['an Aquila bridge on TCP', many(), 'aquila/10.0.0.9/258:0', '05fe000201'],
    ['a wire', wire('01'), '/dev/ttyUSB0:0', '04fe0001'],
    ['a wire with an id of its own', wire('a1b2'), '/dev/ttyUSB0:0', '05fe00a1b2'],
    ['UDP on IPv4', many(), '10.0.0.1:5000', '09fe000a0000011388'],
    ['UDP on IPv6', many(), '2001:db8::1:65535', '15fe0020010db8000000000000000000000001ffff'],
    ['UDP, IPv4 in IPv6', many(), '::ffff:10.0.0.1:1884', '15fe0000000000000000000000ffff0a000001075c'],
    ['UDP behind octets of its link', many({ node: fromHex('aa') }), '10.0.0.1:5000', '0afe00aa0a0000011388'],
    ['a link of any other kind', many(), 'moon/base:0', '0cfe006d6f6f6e2f62617365'],
  ])('from %s have its address as their node id [LINK-FW-1]', (_, link, from, envelope) => {
    expect(Rig.serving([link]).node(M1, from)).toEqual([`gateway ${envelope}${M1}`])
  })

  it('that come encapsulated from a line of many keep their ids, behind what the line puts before [LINK-FW-1]', () => {
    const rig = Rig.serving([wire('', { kind: 'encap' }), wire('09', { kind: 'encap' })])
    expect(rig.node(`05feff3031${M1}`)).toEqual([`gateway 05fe003031${M1}`])
    expect(rig.node(`05fe003031${M1}`, '/dev/b:0', 1)).toEqual([`gateway 06fe00093031${M1}`])
    expect(rig.hear('05fe013031030500')).toEqual(['node 0 /dev/01:0 05fe013031030500'])
    expect(rig.hear('06fe00093031030500')).toEqual(['node 1 /dev/b:0 05fe003031030500'])
  })

  it.each([
    ['an encapsulation on a wire', wire(), `04fe0001${M1}`, 'malformed: encapsulation'],
    ['one without a message', wire(), '04fe0001', 'malformed: encapsulation'],
    ['none on a line of many', wire('', { kind: 'encap' }), M1, 'malformed: encapsulation'],
    [
      'one in another on a line of many',
      wire('', { kind: 'encap' }),
      `04fe000104fe0002${M1}`,
      'malformed: encapsulation',
    ],
    ['a Length that is too long', wire(), '0b16', 'malformed: length'],
    ['a Length that is too short', wire(), '02160000', 'malformed: length'],
    ['a Length of three octets that is too short', wire(), '01000316', 'malformed: length'],
    ['a Length of nothing', wire(), '0016', 'malformed: length'],
    ['nothing', wire(), '', 'malformed: empty'],
    ['an inner Length that is wrong', wire('', { kind: 'encap' }), '04fe00010b16', 'malformed: length'],
  ])('are dropped and counted for %s [LINK-FW-2]', (_, link, hex, reason) => {
    const rig = Rig.serving([link])
    expect(rig.node(hex)).toEqual([])
    expect(rig.core.books.dropped).toEqual({ [reason]: 1 })
  })

  it('of unknown types pass: what they mean is between node and gateway', () => {
    expect(Rig.serving([wire()]).node('03f001')).toEqual(['gateway 04fe000103f001'])
  })

  it('that are encapsulated already are encapsulated again where that is wanted, and come back so [LINK-FW-1]', () => {
    const rig = Rig.serving([wire()], { nested: true })
    expect(rig.node(`05fe00a1b2${M1}`)).toEqual([`gateway 04fe000105fe00a1b2${M1}`])
    expect(rig.hear('04fe000105fe00a1b2030500')).toEqual(['node 0 /dev/01:0 05fe00a1b2030500'])
    expect(rig.node('05fe00a1b2')).toEqual([])
    expect(rig.core.books.dropped).toEqual({ 'malformed: encapsulation': 1 })
  })

  it('longer than the gateway takes are dropped, encapsulation counted', () => {
    const rig = Rig.serving([wire()], { longest: 14 })
    expect(rig.node(M1)).toHaveLength(1)
    expect(rig.node(`0b${M1.slice(2)}36`)).toEqual([])
    expect(rig.core.books.dropped).toEqual({ oversized: 1 })
  })

  it('are dropped while there is no way to it, and pass again once there is one', () => {
    const rig = new Rig([wire()])
    expect(rig.node(M1)).toEqual([])
    expect(rig.core.books.dropped).toEqual({ 'upstream-down': 1 })
    rig.open()
    expect(rig.node(M1)).toHaveLength(1)
  })

  it('hold what the gateway takes out of them: any node, any message', () => {
    const packets: Packet[] = [
      { type: 'pingreq', clientId: 'node' },
      { type: 'puback', topicId: 7, msgId: 9, returnCode: 0 },
    ]
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 32 }),
        fc.constantFrom(...packets),
        (node, packet) => {
          const rig = Rig.serving([wire(toHex(node))])
          const [said = ''] = rig.node(toHex(encode(packet)))
          expect(decodeFrame(fromHex(said.replace('gateway ', '')))).toEqual({
            packet,
            nodeId: node,
            radius: 0,
          })
          expect(rig.hear(toHex(encodeFrame(packet, node, 2)))).toEqual(
            toHex(node) === '006677' ? [] : [`node 0 /dev/01:0 ${toHex(encode(packet))}`],
          )
        },
      ),
    )
  })
})

describe('messages of the gateway', () => {
  it('go to the node that was heard with this id, out of their encapsulation [LINK-FW-1]', () => {
    const rig = Rig.serving([wire(), many()])
    rig.node(M1)
    rig.node(M1, '10.0.0.1:5000', 1)
    rig.node(M1, 'xbee/0013a20012345678:0', 1)
    expect(rig.hear('04fe0001030500')).toEqual(['node 0 /dev/01:0 030500'])
    expect(rig.hear('09fe000a0000011388030500')).toEqual(['node 1 10.0.0.1:5000 030500'])
    expect(rig.hear('0bfe000013a20012345678030500')).toEqual(['node 1 xbee/0013a20012345678:0 030500'])
  })

  it('follow a node to the link where it was heard last', () => {
    const rig = Rig.serving([many(), many()])
    rig.node(M1, 'xbee/0013a20012345678:0', 0)
    rig.node(M1, 'xbee/0013a20012345678:0', 1)
    expect(rig.hear('0bfe000013a20012345678030500')).toEqual(['node 1 xbee/0013a20012345678:0 030500'])
  })

  it('for a node that was never heard are sent by radios and lines that know their nodes, and dropped elsewhere [LINK-FW-2]', () => {
    const rig = Rig.serving([
      wire('01'),
      many({ node: fromHex('aa') }),
      many({ unheard: 'xbee' }),
      many({ unheard: 'lora', node: fromHex('bb') }),
      many({ unheard: 'aquila' }),
      wire('cc', { kind: 'encap' }),
    ])
    expect(rig.hear('04fe0001030500')).toEqual(['node 0 /dev/01:0 030500'])
    expect(rig.hear('0bfe000013a20012345678030500')).toEqual(['node 2 xbee/0013a20012345678:0 030500'])
    expect(rig.hear('05fe00bb05030500')).toEqual(['node 3 lora/5:0 030500'])
    expect(rig.hear('05fe000201030500')).toEqual(['node 4 aquila/258:0 030500'])
    expect(rig.hear('06fe02cc3031030500')).toEqual(['node 5 /dev/cc:0 05fe023031030500'])
    expect(rig.core.books.dropped).toEqual({})
    for (const hex of ['04fe0002030500', '0afe00aa0a0000011388030500', '06fe00010203030500'])
      expect(rig.hear(hex), hex).toEqual([])
    expect(rig.core.books.dropped).toEqual({ 'unknown-node': 3 })
  })

  it.each([
    ['an XBee network', many({ unheard: 'xbee' }), '0bfe02000000000000ffff'],
    ['LoRaLink modems', many({ unheard: 'lora' }), '04fe02ff'],
    ['UDP with a group', many(), '09fe02ffffffffffff'],
  ])('with a radius for all nodes of %s are broadcast [LINK-FW-1]', (_, link, envelope) => {
    const rig = Rig.serving([link])
    expect(rig.hear(`${envelope}030207`)).toEqual(['all 0 r2 030207'])
  })

  it('with a radius for one node go to that node alone', () => {
    const rig = Rig.serving([many()])
    rig.node(M1, 'lora/5:0')
    expect(rig.hear('04fe0305030207')).toEqual(['node 0 lora/5:0 030207'])
  })

  it.each([
    ['without a message', '04fe0001', 'malformed: encapsulation'],
    ['without a node', `03fe00${M1}`, 'malformed: encapsulation'],
    ['with a Length of three octets', `010005fe01${M1}`, 'malformed: encapsulation'],
    ['with another inside', `04fe000104fe0002${M1}`, 'malformed: encapsulation'],
    ['with a message that is cut off', '04fe00010a0404', 'malformed: length'],
    ['that are none, for no node', M1, 'unasked'],
    ['that are nothing', '', 'malformed: empty'],
    ['that are noise', 'ffffffff', 'malformed: length'],
  ])('encapsulations %s are dropped and counted [LINK-FW-2]', (_, hex, reason) => {
    const rig = Rig.serving([wire()])
    expect(rig.hear(hex)).toEqual([])
    expect(rig.core.books.dropped).toEqual({ [reason]: 1 })
  })

  it('longer than the link takes are dropped and counted', () => {
    const rig = Rig.serving([wire('01', { longest: () => 9 })])
    expect(rig.hear(`04fe0001${M1}`)).toEqual([])
    expect(rig.core.books.dropped).toEqual({ 'too-long': 1 })
  })

  it('never lead to an exception, whatever they are', () => {
    const rig = Rig.serving([wire(), many({ unheard: 'xbee' }), wire('', { kind: 'encap' })])
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.integer({ min: 0, max: 2 }), (octets, link) => {
        rig.hear(toHex(octets))
        rig.node(toHex(octets), '10.0.0.1:5000', link)
      }),
    )
  })
})

describe('a link that is full', () => {
  it('lets what nobody repeats wait in its order, and everything else through to its own queue', () => {
    let room = 0
    const rig = Rig.serving([wire('01', { room: () => room })])
    expect(rig.hear(`04fe0001${publish(0, 'first')}`)).toEqual([])
    expect(rig.hear(`04fe0001${publish(0, 'second')}`)).toEqual([])
    expect(rig.hear('04fe0001030500')).toEqual(['node 0 /dev/01:0 030500'])
    expect(rig.hear(`04fe0001${publish(1)}`)).toHaveLength(1)
    expect(rig.pass(1000).filter((what) => what.startsWith('node'))).toEqual([])
    room = 1
    expect(rig.hear(`04fe0001${publish(0, 'third')}`)).toEqual([])
    expect(rig.core.heldFor(0)).toBe(3)
    const left = rig.pass(1000).filter((what) => what.startsWith('node'))
    expect(left).toEqual(['first', 'second', 'third'].map((text) => `node 0 /dev/01:0 ${publish(0, text)}`))
    expect(rig.core.heldFor(0)).toBe(0)
    expect(rig.hear(`04fe0001${publish(0, 'fourth')}`)).toHaveLength(1)
  })

  it('holds no more than its bound; what is above is dropped and counted', () => {
    const rig = Rig.serving([wire('01', { room: () => 0 })])
    for (let i = 0; i < 1000; i++) rig.hear(`04fe0001${publish(0)}`)
    expect(rig.core.heldFor(0)).toBe(256)
    expect(rig.core.books.dropped).toEqual({ 'queue-full': 744 })
    const large = Rig.serving([wire('01', { room: () => 0 })])
    for (let i = 0; i < 100; i++) large.hear(`04fe0001${publish(0, 'x'.repeat(1000))}`)
    expect(large.core.heldFor(0)).toBe(64)
  })
})

describe('ids of nodes', () => {
  it('are told back as the address that radios had [LINK-FW-1]', () => {
    for (const [radio, address] of [
      ['xbee', 'xbee/0013a20012345678'],
      ['lora', 'lora/5'],
      ['lora', 'lora/254'],
      ['aquila', 'aquila/2'],
      ['aquila', 'aquila/65534'],
    ] as const)
      expect(addressOfId(radio, idOfAddress(address, 0))).toBe(address)
    expect(addressOfId('xbee', fromHex('0102'))).toBeUndefined()
    expect(addressOfId('lora', fromHex('0102'))).toBeUndefined()
    expect(addressOfId('aquila', fromHex('01'))).toBeUndefined()
  })

  it('differ for addresses that differ', () => {
    const addresses = [
      ['10.0.0.1', 1],
      ['10.0.0.1', 256],
      ['10.0.1.0', 1],
      ['::1', 1],
      ['::', 1],
      ['1::', 1],
      ['2001:db8::1:0', 1],
      ['2001:db8::1', 1],
      ['fe80::1%eth0', 1],
      ['lora/1', 0],
      ['aquila/1', 0],
      ['xbee/0013a20012345678', 0],
      ['tcp/10.0.0.1:4001', 0],
    ] as const
    const ids = addresses.map(([address, port]) => toHex(idOfAddress(address, port)))
    expect(new Set(ids).size).toBe(ids.length)
  })

  it('are remembered within a bound: who is silent longest makes room', () => {
    const table = new NodeTable(3)
    const remote = { address: 'here', port: 0 }
    for (const [i, key] of ['a', 'b', 'c'].entries()) table.note(key, 0, remote, i)
    table.note('a', 0, remote, 5000)
    table.note('d', 0, remote, 5001)
    expect([table.size, ...['a', 'b', 'c', 'd'].map((key) => table.find(key) !== undefined)]).toEqual([
      3,
      true,
      false,
      true,
      true,
    ])
  })
})
