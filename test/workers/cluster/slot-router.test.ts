// Where datagrams go among the nodes of a cluster, in virtual time.

import { afterEach, describe, expect, it, vi } from 'vitest'
import type { Packet } from '../../../src/codec/v1/messages.ts'
import { slotOfName } from '../../../src/sessions/slots.ts'
import { Batch } from '../../../src/workers/between/batch.ts'
import { keyAt, octets, VirtualCluster, type VirtualFront } from './virtual-fronts.ts'

afterEach(() => void vi.useRealTimers())

const connectAs = (clientId: string): Packet => ({
  ...{ type: 'connect', will: false, cleanSession: true, protocolId: 1, duration: 60, clientId },
})
const publish = (msgId: number, qos: -1 | 1 | 2 = 1): Packet => ({
  ...{ type: 'publish', dup: false, qos, retain: false, topicIdType: 'normal', topicId: 1, msgId },
  data: Buffer.from('x'),
})
const hex = (packet: Packet): string => Buffer.from(octets(packet)).toString('hex')
const given = (clientId: string, packet: Packet): string => `${slotOfName(clientId)} ${hex(packet)}`

/** Three nodes, and a sensor of the second one that has come through the first. */
function scene() {
  const cluster = new VirtualCluster(3)
  const [a, b, c] = [cluster.front(0), cluster.front(1), cluster.front(2)]
  cluster.pass(100)
  const clientId = cluster.nameOf(1)
  a.hear(connectAs(clientId))
  cluster.pass(50)
  b.bind(clientId, 5000, b.remotes[0]?.local)
  cluster.pass(50)
  for (const front of [a, b, c]) front.given.length = 0
  return { cluster, a, b, c, clientId }
}

/** A worker answers the last of what it was given. */
function answer(front: VirtualFront, octet: number): void {
  const remote = front.remotes.at(-1)
  if (remote === undefined) throw new Error('nothing was given')
  const bytes = Uint8Array.of(2, octet)
  const to = front.router.wayOut(0, remote, bytes)
  if (to !== undefined) front.listener.transport.send(bytes, to)
}

describe('a datagram', () => {
  it('goes to the node that serves its sensor, and the answer back through the way in, without a question', () => {
    const { cluster, a, b, clientId } = scene()
    a.hear(publish(1))
    cluster.pass(50)
    expect(b.given).toEqual([given(clientId, publish(1))])
    answer(b, 0x18)
    cluster.pass(50)
    expect([a.sent, b.sent]).toEqual([['10.0.0.9:5000  0218'], []])
    expect([a.router.asked, a.router.counts.forwarded, b.router.counts.answered]).toEqual([0, 2, 1])
  })

  it('that comes by another way is held until that is known, with all that follows, in order and once (R2)', () => {
    const { cluster, b, c, clientId } = scene()
    c.hear(publish(1, 2))
    c.hear({ type: 'pubrel', msgId: 1 })
    c.hear(publish(1, 2))
    expect(b.given).toEqual([])
    cluster.pass(50)
    expect(b.given).toEqual([given(clientId, publish(1, 2)), given(clientId, { type: 'pubrel', msgId: 1 })])
    answer(b, 0x16)
    cluster.pass(50)
    expect(c.sent).toHaveLength(1)
    expect([c.router.asked, c.router.counts.held]).toEqual([1, 2])
    c.hear(publish(2))
    cluster.pass(50)
    expect([b.given.length, c.router.asked]).toEqual([3, 1])
  })

  it('leaves by the own socket when the way in is gone (R5)', () => {
    const { cluster, a, b } = scene()
    a.hear(publish(1))
    cluster.pass(50)
    cluster.cut(0, 1)
    answer(b, 0x18)
    expect([a.sent, b.sent]).toEqual([[], ['10.0.0.9:5000  0218']])
  })

  it('for an owner without a link is held, and dropped before anybody could have repeated it (R3)', () => {
    const { cluster, a, b } = scene()
    cluster.cut(0, 1)
    a.hear(publish(1))
    cluster.pass(1900)
    a.hear(publish(2))
    cluster.pass(200)
    expect(a.dropped).toEqual({ 'no-owner': 1 })
    cluster.cut(0, 1, false)
    cluster.pass(50)
    expect(b.given.map((one) => one.split(' ')[1])).toEqual([hex(publish(2))])
  })

  it('that was under way between nodes for too long is not taken, nor any that somebody sends without a lease (R3)', () => {
    const { cluster, a, b } = scene()
    cluster.isSlow = true
    a.hear(publish(1))
    cluster.pass(2100)
    cluster.deliver()
    expect([b.given, b.dropped]).toEqual([[], { 'held-too-long': 1 }])
    cluster.isSlow = false
    b.holds = false
    a.hear(publish(2))
    cluster.pass(50)
    expect([b.given, b.dropped]).toEqual([[], { 'held-too-long': 1, 'no-owner': 1 }])
    a.holds = false
    a.hear(publish(3)) // its socket would not have taken it
    cluster.pass(50)
    expect([a.dropped, b.counters.dropped['no-owner']]).toEqual([{ 'no-owner': 1 }, 1])
    const { answered } = b.router.counts
    answer(b, 0x18)
    expect([b.router.counts.answered, b.sent.length]).toEqual([answered, 1]) // its socket does not let it go
  })

  it('that has waited for the start of a node is taken as old as it is: its sensor may have gone on by another one (R3)', () => {
    const { cluster, b, clientId } = scene()
    const since = performance.now()
    const late = (msgId: number, at: number) =>
      b.router.admits(b.listener, octets(publish(msgId, 2)), { address: '10.0.0.9', port: 5000 }, at)
    cluster.pass(2100)
    late(1, since)
    late(2, performance.now() - 100)
    expect(b.given).toEqual([given(clientId, publish(2, 2))])
    expect(b.dropped).toMatchObject({ 'held-too-long': 1 })
  })

  it('that waited at a node which stood still is thrown away by it before anything else (R4)', () => {
    const { cluster, a, b, c, clientId } = scene()
    b.states.enter('loading', [slotOfName(clientId)])
    a.hear(publish(1))
    cluster.pass(50) // held by the owner
    cluster.isSlow = true
    a.hear(publish(2))
    cluster.pass(600, [1]) // on the link when it stands still
    cluster.isSlow = false
    b.states.enter('served', [slotOfName(clientId)])
    cluster.deliver()
    b.router.settle()
    cluster.pass(50)
    expect([b.given, b.dropped]).toEqual([[], { stalled: 2 }])
    c.hear(publish(3))
    cluster.pass(100)
    expect(b.given).toEqual([given(clientId, publish(3))])
  })

  it('of a slot that changes hands goes on to the new owner, once, and its answer to the way in', () => {
    const { cluster, a, b, c, clientId } = scene()
    const slot = slotOfName(clientId)
    b.states.enter('leaving', [slot])
    a.hear(publish(1))
    cluster.pass(50)
    expect(b.given).toEqual([])
    b.unbind()
    b.states.enter('absent', [slot])
    c.states.enter('loading', [slot])
    cluster.give(clientId, 2)
    b.router.settle()
    cluster.pass(50)
    c.bind(clientId, 5000, undefined, true)
    c.states.enter('served', [slot])
    c.router.settle()
    cluster.pass(50)
    expect(c.given).toEqual([given(clientId, publish(1))])
    answer(c, 0x18)
    b.hear(publish(2)) // it gave the sensor away, and knows where it is
    cluster.pass(50)
    expect([a.sent.length, c.given.length, b.router.asked, a.router.asked]).toEqual([1, 2, 0, 0])
  })

  it('that a worker has held for a slot that leaves is not given to it again: it goes on to the new owner', () => {
    const { cluster, b, c, clientId } = scene()
    const slot = slotOfName(clientId)
    const remote = { address: '10.0.0.9', port: 5000, local: b.remotes[0]?.local }
    b.states.enter('leaving', [slot])
    b.hear({ type: 'pubrel', msgId: 1 }) // it goes on with something
    expect(b.given).toHaveLength(1)
    b.unbind()
    const batch = new Batch()
    batch.add(0, remote, octets({ type: 'pubrel', msgId: 1 }))
    const since = performance.now()
    b.router.takeBatch(undefined, { kind: 'forward', octets: batch.take(), count: 1, since })
    b.states.enter('absent', [slot])
    cluster.give(clientId, 2)
    c.bind(clientId, 5000, undefined, true)
    c.states.enter('served', [slot])
    for (const { router } of [b, c]) router.settle()
    cluster.pass(50)
    expect([b.given.length, c.given]).toEqual([1, [given(clientId, { type: 'pubrel', msgId: 1 })]])
  })

  it('that a worker has held goes before what has come for its sensor since, in order (R2)', () => {
    const { cluster, b, c, clientId } = scene()
    const slot = slotOfName(clientId)
    const remote = { address: '10.0.0.9', port: 5000, local: b.remotes[0]?.local }
    b.states.enter('leaving', [slot])
    b.hear({ type: 'disconnect', duration: null })
    b.unbind()
    for (const msgId of [1, 2]) {
      const batch = new Batch()
      batch.add(0, remote, octets(publish(msgId)))
      const since = performance.now() - 1000
      b.router.takeBatch(undefined, { kind: 'forward', octets: batch.take(), count: 1, since })
    }
    b.states.enter('absent', [slot])
    cluster.give(clientId, 2)
    c.bind(clientId, 5000, undefined, true)
    c.states.enter('served', [slot])
    for (const { router } of [b, c]) router.settle()
    cluster.pass(50)
    const expected: Packet[] = [publish(1), publish(2), { type: 'disconnect', duration: null }]
    expect(c.given).toEqual(expected.map((packet) => given(clientId, packet)))
  })

  it('that a worker gives back although its slot is served there is not sent round and round', () => {
    const { b } = scene()
    const remote = { address: '10.0.0.9', port: 5000, local: b.remotes[0]?.local }
    const batch = new Batch()
    batch.add(0, remote, octets(publish(1)))
    const since = performance.now()
    b.router.takeBatch(undefined, { kind: 'forward', octets: batch.take(), count: 1, since })
    expect([b.given, b.dropped]).toEqual([[], { 'no-owner': 1 }])
  })

  /** The second node has given the slot to the third one, which has not seen that yet, and hears the sensor. */
  function givenAway() {
    const { cluster, b, c, clientId } = scene()
    const slot = slotOfName(clientId)
    const pingreq: Packet = { type: 'pingreq', clientId }
    b.states.enter('absent', [slot])
    b.unbind()
    cluster.give(clientId, 2)
    c.lags.set(slot, b.name)
    b.hear(pingreq)
    return { cluster, b, c, clientId, slot, pingreq }
  }

  it('that comes back from a node which has not seen yet that it has the slot rests, and goes there again', () => {
    const { cluster, b, c, clientId, slot, pingreq } = givenAway()
    cluster.pass(20)
    expect([b.router.counts.forwarded, c.router.counts.forwarded, b.router.holding]).toEqual([1, 1, 1])
    c.lags.clear()
    c.bind(clientId, 5000, undefined, true)
    c.states.enter('served', [slot])
    cluster.pass(100)
    expect([c.given, b.router.holding]).toEqual([[given(clientId, pingreq)], 0])
  })

  it('goes round slowly, and not for long, between two nodes that believe in each other', () => {
    const { cluster, b, c } = givenAway()
    cluster.pass(2500)
    const sent = b.router.counts.forwarded + c.router.counts.forwarded
    expect(sent).toBeGreaterThan(10)
    expect(sent).toBeLessThanOrEqual(2 + 2000 / 50)
    expect([b.given, c.given, b.router.holding + c.router.holding]).toEqual([[], [], 0])
  })

  it('is not sent round in circles when the tables of two nodes differ', () => {
    const { cluster, a, b, clientId } = scene()
    const { owners } = cluster
    // a believes in b, and b in a
    vi.spyOn(owners, 'ownerOf').mockImplementation(() => ({ node: 'gw-1', incarnation: 1, epoch: 1 }))
    b.router.settle()
    a.states.enter('loading', [slotOfName(clientId)])
    b.hear(publish(1), 5000)
    cluster.pass(2500)
    expect(a.router.counts.forwarded + b.router.counts.forwarded).toBeLessThanOrEqual(3)
    expect([a.given, b.given, a.dropped]).toEqual([[], [], { 'held-too-long': 1 }])
  })

  it('about gateways, at QoS -1, or without a meaning is for the node that hears it', () => {
    const { cluster, c } = scene()
    c.hear({ type: 'searchgw', radius: 0 }, 6000)
    c.hear(publish(0, -1), 6000)
    c.router.admits(c.listener, Uint8Array.of(9, 9), { address: '10.0.0.9', port: 6000 })
    cluster.pass(50)
    expect([c.given.length, c.router.asked, c.router.counts.forwarded]).toEqual([3, 0, 0])
  })
})

describe('an address', () => {
  it("is nobody's when everybody has said so: its sender is told so once, by a worker that counts how often (R1)", () => {
    const { cluster, a, clientId } = scene()
    const pingreq: Packet = { type: 'pingreq', clientId: null }
    a.hear(pingreq, 6000)
    cluster.pass(50)
    a.hear(pingreq, 6000)
    expect(a.given).toEqual([`stranger ${hex(pingreq)}`, `stranger ${hex(pingreq)}`])
    expect(a.router.asked).toBe(1)
    cluster.front(1).states.enter('loading', [slotOfName(clientId)])
    a.hear(pingreq, 6001)
    cluster.pass(2100)
    expect([a.given.length, a.dropped]).toEqual([2, { 'held-too-long': 1 }])
  })

  it('where the owner knows nobody any more is forgotten by the way in', () => {
    const { cluster, a, b } = scene()
    b.unbind()
    a.hear(publish(1))
    cluster.pass(100)
    expect(b.given).toEqual([`stranger ${hex(publish(1))}`])
    a.hear(publish(2))
    cluster.pass(100)
    expect(a.given).toEqual([`stranger ${hex(publish(2))}`])
  })

  it('belongs to the sensor that has come last, wherever the one before is served (R6)', () => {
    const { cluster, a, b, c } = scene()
    const other = cluster.nameOf(2)
    a.hear(connectAs(other)) // the way in knows who was there
    cluster.pass(50)
    c.bind(other, 5000, c.remotes.at(-1)?.local)
    cluster.pass(50)
    expect([a.displaced, b.displaced, c.displaced]).toEqual([[], [keyAt(5000)], []])
  })

  it('that two nodes know is whose who has known it for the shortest time (R6)', () => {
    const cluster = new VirtualCluster(3)
    const [a, b, c] = [cluster.front(0), cluster.front(1), cluster.front(2)]
    cluster.pass(100)
    b.bind(cluster.nameOf(1))
    cluster.pass(500)
    c.bind(cluster.nameOf(2))
    a.hear(publish(1))
    cluster.pass(50)
    expect(c.given).toEqual([given(cluster.nameOf(2), publish(1))])
    expect([b.displaced, c.displaced]).toEqual([[keyAt(5000)], []])
  })

  it('that is asked for too often is not asked for', () => {
    const { cluster, a } = scene()
    for (let port = 1; port <= 1200; port += 1) a.hear(publish(1), port)
    expect(a.dropped).toEqual({ 'rate-limited': 200 })
    cluster.pass(50)
    expect(a.router.asked).toBe(1000)
  })
})
