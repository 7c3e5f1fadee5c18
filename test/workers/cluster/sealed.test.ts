// Datagrams of DTLS among nodes: records find the node that has their session, and what is inside them the node that serves the sensor.

import { afterEach, describe, expect, it, vi } from 'vitest'
import { numberInSlot } from '../../../src/dtls/slots.ts'
import { type Association, peerKey } from '../../../src/session/peers.ts'
import { slotOfName } from '../../../src/sessions/slots.ts'
import type { Remote } from '../../../src/transport/transport.ts'
import { Batch } from '../../../src/workers/between/batch.ts'
import { octets, VirtualCluster, type VirtualFront } from './virtual-fronts.ts'

afterEach(() => void vi.useRealTimers())

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

/** A protected record with the connection id of a session in this slot, or with none. */
const record = (slot?: number, number = 1): Uint8Array => {
  const id = slot === undefined ? [] : [slot >> 2, (slot & 3) << 6, 9, 9, 9, 9]
  return Uint8Array.of(id.length > 0 ? 25 : 23, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, number, ...id, 0, 1, 7)
}
const hello = Uint8Array.of(22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1)

/** A front whose listener has sessions of its own; `heard`: records, with their way in. */
class SecureFront {
  readonly heard: string[] = []
  readonly remotes: Remote[] = []
  /** ports where another node has a newer session */
  readonly displaced: number[] = []
  readonly front: VirtualFront

  constructor(front: VirtualFront) {
    this.front = front
    const hear = (bytes: Uint8Array, from: Remote) => {
      this.heard.push(hex(bytes))
      this.remotes.push(from)
    }
    const sendSealed = (bytes: Uint8Array, { address, port, local = '' }: Remote) =>
      void front.sent.push(`sealed ${address}:${port} ${local} ${hex(bytes)}`)
    const displace = ({ port }: Remote) => void this.displaced.push(port)
    const about = () => undefined
    Object.assign(front.listener.transport, { secure: { hear, sendSealed, displace, about } })
  }

  /** A record comes in by the socket, of a session that is not here. */
  pass(bytes: Uint8Array, port = 5000): void {
    const { router, listener } = this.front
    router.passSealed(listener, bytes, router.sealed.wayIn({ address: '10.0.0.9', port, local: '10.0.0.1' }))
  }
}

const [SLOT_A, SLOT_B] = [3, 4] // of the first node, and of the second

function scene() {
  const cluster = new VirtualCluster(3)
  const [a, b, c] = [0, 1, 2].map((i) => new SecureFront(cluster.front(i)))
  if (!a || !b || !c) throw new Error('three fronts')
  cluster.pass(100)
  return { cluster, a, b, c }
}

const association = (slot: number): Association => ({
  number: numberInSlot(slot, 1),
  identity: 'meter-1',
  kind: 'psk',
})
const keyOf = (one: Association) => peerKey(0, '', 0, undefined, one)

describe('a record', () => {
  it('goes to the node that serves the slot in its connection id, unasked, and what that answers leaves where it came in', () => {
    const { cluster, a, b } = scene()
    a.pass(record(SLOT_B))
    cluster.pass(50)
    expect([b.heard, a.front.router.asked]).toEqual([[hex(record(SLOT_B))], 0])
    const [to] = b.remotes
    if (to === undefined) throw new Error('it was not heard')
    expect(b.front.router.wayOut(0, to, record())).toBeUndefined()
    cluster.pass(50)
    expect(a.front.sent).toEqual([`sealed 10.0.0.9:5000 10.0.0.1 ${hex(record())}`])
    // by the own socket, if nothing else is left
    cluster.cut(0, 1)
    expect(b.front.router.wayOut(0, to, record())).toEqual({
      address: '10.0.0.9',
      port: 5000,
      local: undefined,
    })
  })

  it('waits while the slot is on its way, and goes to who has it then, in order', () => {
    const { cluster, a, b, c } = scene()
    b.front.states.enter('leaving', [SLOT_B])
    a.pass(record(SLOT_B, 1))
    a.pass(record(SLOT_B, 2))
    cluster.pass(50)
    expect(b.heard).toEqual([])
    b.front.states.enter('absent', [SLOT_B])
    vi.spyOn(cluster.owners, 'ownerOf').mockReturnValue({ node: 'gw-3', incarnation: 1, epoch: 2 })
    c.front.states.enter('served', [SLOT_B])
    b.front.router.settle()
    cluster.pass(50)
    expect(c.heard).toEqual([hex(record(SLOT_B, 1)), hex(record(SLOT_B, 2))])
  })

  it('without connection id goes where the session is that is known by its address, which is asked for once', () => {
    const { cluster, a, b } = scene()
    const session = numberInSlot(SLOT_B, 1)
    b.front.router.sealed.note(0, { address: '10.0.0.9', port: 5000 }, session, false)
    for (const number of [1, 2]) {
      a.pass(record(undefined, number))
      cluster.pass(50)
    }
    expect([b.heard.length, a.front.router.asked]).toEqual([2, 1])
    b.front.router.sealed.forget(0, { address: '10.0.0.9', port: 5000 }, session)
    a.pass(record(undefined, 3))
    cluster.pass(50)
    a.pass(record(undefined, 4))
    cluster.pass(50)
    // nobody's: the link counts it where it came in, and tells nobody anything
    expect(a.heard).toEqual([hex(record(undefined, 4))])
    expect([a.front.given, a.front.sent]).toEqual([[], []])
  })

  it('goes to the newer of two sessions at its address, also at the node that has the older one: that ends', () => {
    const { cluster, a, b, c } = scene()
    const at = { address: '10.0.0.9', port: 5000 }
    a.front.router.sealed.note(0, at, numberInSlot(SLOT_A, 1), false)
    cluster.pass(1000)
    b.front.router.sealed.note(0, at, numberInSlot(SLOT_B, 1), false)
    cluster.pass(50)
    expect([a, b, c].map(({ displaced }) => displaced)).toEqual([[5000], [], []])
    for (const [i, one] of [a, c].entries()) one.pass(record(undefined, i + 1))
    cluster.pass(50)
    expect([a.heard, b.heard.length]).toEqual([[], 2])
  })

  it('has to wait where others of its address do, also when its session is here', () => {
    const { cluster, b } = scene()
    const isWaiting = (port: number) => b.front.router.sealed.isWaiting(0, { address: '10.0.0.9', port })
    b.front.states.enter('leaving', [SLOT_B])
    b.pass(record(SLOT_B, 1))
    expect([isWaiting(5000), isWaiting(5001)]).toEqual([true, false])
    b.front.states.enter('absent', [SLOT_B])
    b.front.states.enter('served', [SLOT_B])
    b.front.router.settle()
    cluster.pass(50)
    expect([isWaiting(5000), b.heard.length]).toEqual([false, 1])
  })

  it('of a handshake goes to a node that serves something, where this one does not yet', () => {
    const { cluster, a, b, c } = scene()
    const index = slotOfName('10.0.0.9') % 3
    const others = [a, b, c].filter((_, i) => i !== index)
    for (const [i, one] of others.entries()) one.pass(hello, 6000 + i)
    cluster.pass(50)
    expect([a, b, c][index]?.heard).toEqual([hex(hello), hex(hello)])
  })
})

describe('what is in a record', () => {
  it('goes from the node with the session to the one that serves the sensor; its answer goes back the same way', () => {
    const { cluster, a, c } = scene()
    const clientId = cluster.nameOf(2)
    const sensor = association(SLOT_A)
    const from: Remote = { address: '10.0.0.9', port: 5000, local: ' gw-2', association: sensor }
    const connect = octets({
      ...{ type: 'connect', will: false, cleanSession: true, protocolId: 1, duration: 60 },
      clientId,
    })
    a.front.router.admits(a.front.listener, connect, from)
    cluster.pass(50)
    expect(c.front.given).toEqual([`${slotOfName(clientId)} ${hex(connect)}`])
    const [heard] = c.front.remotes
    expect(heard?.association).toEqual(sensor)
    if (heard === undefined) throw new Error('it was not given')
    const connack = octets({ type: 'connack', returnCode: 0 })
    expect(c.front.router.wayOut(0, heard, connack)).toBeUndefined()
    cluster.pass(50)
    expect(a.front.sent).toEqual([`10.0.0.9:5000  ${hex(connack)}`])
    // and with a session that is here it needs no link
    expect(a.front.router.wayOut(0, heard, connack)).toBe(heard)
  })

  it('finds its sensor also when the session has just come from another node: it is asked for', () => {
    const { cluster, a, c } = scene()
    const clientId = cluster.nameOf(2)
    const sensor = association(SLOT_A)
    const key = keyOf(sensor)
    c.front.bound.set(key, slotOfName(clientId))
    c.front.router.noteBound({ key, clientId, slot: slotOfName(clientId), local: ' gw-2' }, true)
    const pingreq = octets({ type: 'pingreq', clientId: null })
    a.front.router.admits(a.front.listener, pingreq, { address: '10.0.0.9', port: 1, association: sensor })
    cluster.pass(50)
    expect([c.front.given, a.front.router.asked]).toEqual([[`${slotOfName(clientId)} ${hex(pingreq)}`], 1])
  })

  it('keeps its session in use, wherever the sensor is served, until that says so no more', () => {
    const { cluster, a, c } = scene()
    const sensor = association(SLOT_A)
    const key = keyOf(sensor)
    const isUsed = () => a.front.use.has(0, sensor.number)
    // the sensor connects through the node with the session, which is told at once
    c.front.use.add(key)
    c.front.router.noteBound({ key, clientId: 'meter-1', slot: 5, local: ' gw-1' }, false)
    c.front.router.tellBound()
    cluster.pass(50)
    expect(isUsed()).toBe(true)
    cluster.pass(400_000)
    expect(isUsed()).toBe(true)
    c.front.use.remove(key)
    cluster.pass(400_000)
    expect(isUsed()).toBe(false)
  })

  it('is answered also while its session is on its way from one node to another: the answer waits, or goes after it', () => {
    const { cluster, a, b, c } = scene()
    const sensor = association(SLOT_A)
    const to: Remote = { address: '10.0.0.9', port: 5000, association: sensor }
    const answer = (number: number) => octets({ type: 'puback', topicId: 1, msgId: number, returnCode: 0 })
    const sentOf = ({ front }: SecureFront) => front.sent.map((text) => text.replace(/.* /, ''))
    a.front.states.enter('leaving', [SLOT_A]) // and its session has left
    expect(c.front.router.wayOut(0, to, answer(1))).toBeUndefined()
    expect(a.front.router.wayOut(0, to, answer(2))).toBeUndefined()
    cluster.pass(50)
    expect([a, b, c].map(sentOf)).toEqual([[], [], []])
    a.front.states.enter('absent', [SLOT_A])
    cluster.giveSlot(SLOT_A, 1)
    b.front.states.enter('loading', [SLOT_A])
    for (const { front } of [a, b, c]) front.router.settle()
    // who does not know it yet sends it to the one that had it
    const batch = new Batch()
    batch.add(0, to, answer(3))
    const late = { kind: 'answer', octets: batch.take(), count: 1, since: performance.now() } as const
    a.front.router.takeBatch('gw-3', late)
    cluster.pass(50)
    expect([a, b, c].map(sentOf)).toEqual([[], [], []])
    b.front.states.enter('served', [SLOT_A])
    b.front.router.settle()
    cluster.pass(50)
    expect([a, b, c].map((one) => sentOf(one).sort())).toEqual([[], [1, 2, 3].map((n) => hex(answer(n))), []])
    expect(a.front.router.holding + b.front.router.holding).toBe(0)
  })

  it('is answered at once by who has its session still, and by nobody who never gets it: no node sends it to and fro', () => {
    const { cluster, a, b, c } = scene()
    const to: Remote = { address: '10.0.0.9', port: 5000, association: association(SLOT_A) }
    const answer = octets({ type: 'pingresp' })
    Object.assign(a.front.listener.transport.secure ?? {}, { about: () => ({}) })
    a.front.states.enter('leaving', [SLOT_A])
    expect(a.front.router.wayOut(0, to, answer)).toBe(to)
    a.front.states.enter('absent', [SLOT_A])
    // nobody serves it: it is dropped in the end, wherever it waits
    expect(c.front.router.wayOut(0, to, answer)).toBeUndefined()
    cluster.pass(2500)
    expect([a, b, c].map(({ front }) => front.router.holding)).toEqual([0, 0, 0])
    expect([a, b, c].map(({ front }) => front.dropped['held-too-long'] ?? 0)).toEqual([1, 0, 0])
  })
})
