// One source that sends more than can be handled must not make the others wait, or lose what they send [SN-ROB-1, SN-ROB-4].

import { describe, expect, it } from 'vitest'
import { encodeFrame } from '../../../src/codec/v1/frame.ts'
import type { Packet } from '../../../src/codec/v1/messages.ts'
import { createCounters } from '../../../src/gateway/counters.ts'
import { createFairQueue } from '../../../src/gateway/datagrams/fair-queue.ts'
import { createIntake } from '../../../src/gateway/datagrams/intake.ts'
import type { BoundListener } from '../../../src/gateway/datagrams/listener.ts'
import type { Refusal } from '../../../src/session/refusal.ts'

const listener: BoundListener = {
  index: 0,
  listener: { name: 'test', maxMessage: 1000, roaming: 'port' },
  transport: {
    url: 'udp://127.0.0.1:1884',
    send() {},
    broadcast() {},
    stats: () => ({ receiveBuffer: 0, receiveBufferAsked: 0, kernelDrops: undefined, sendErrors: 0 }),
    close: async () => {},
  },
  discovery: undefined,
  admits: () => true,
  isForwarder: () => true,
}

const publish: Packet = {
  type: 'publish',
  dup: false,
  qos: 1,
  retain: false,
  topicIdType: 'predefined',
  topicId: 1,
  msgId: 1,
  data: new Uint8Array(1),
}
const connect: Packet = {
  type: 'connect',
  will: false,
  cleanSession: true,
  protocolId: 1,
  duration: 60,
  clientId: 'dev1',
}

/** An intake in virtual time, whose gateway handles so many datagrams per millisecond as `capacity` says. */
function openSite(limits: { waitingDatagrams?: number; connectsPerAddress?: number } = {}) {
  const site = {
    now: 0,
    handled: new Map<string, number>(),
    turnedAway: new Map<string, number>(),
    refusals: [] as Refusal[],
    counters: createCounters(),
    step: undefined as (() => void) | undefined,
  }
  const add = (table: Map<string, number>, address: string) =>
    table.set(address, (table.get(address) ?? 0) + 1)
  const intake = createIntake({
    counters: site.counters,
    limits: () => ({ waitingDatagrams: 1000, waitingOctets: 1e6, connectsPerAddress: 100, ...limits }),
    now: () => site.now,
    afterReading: (step) => {
      site.step = step
    },
    onRefused: (refusal) => void site.refusals.push(refusal),
  })
  intake.open({
    isBehind: () => false,
    handle: (_, __, { address }) => void add(site.handled, address),
    turnAway: (_, __, { address }) => void add(site.turnedAway, address),
  })
  const send = (address: string, packet: Packet, nodeId?: Uint8Array) =>
    intake.receive(listener, encodeFrame(packet, nodeId), { address, port: 5000 })
  const turn = () => {
    const { step } = site
    site.step = undefined
    step?.()
  }
  return { site, intake, send, turn }
}

describe('under a flood', () => {
  it.each([
    ['CONNECTs', connect, 100_000],
    ['PUBLISHes', publish, 100_000],
  ])('of %s from one address, what others send is handled, and in time', (_, packet, connectsPerAddress) => {
    const { site, send, turn } = openSite({ connectsPerAddress })
    let sent = 0
    // each round takes 10 milliseconds: the flood is 30 times what can be handled, the others need a part of that
    for (let round = 0; round < 300; round++) {
      for (let i = 0; i < 120; i++) send('10.6.6.6', packet)
      if (round % 2 === 0) {
        send(`10.0.0.${round % 40}`, publish)
        sent += 1
      }
      turn()
      site.now += 10
    }
    const [lost, handled] = ['turnedAway', 'handled'].map((table) =>
      [...site[table as 'handled']].reduce(
        (sum, [address, n]) => (address === '10.6.6.6' ? sum : sum + n),
        0,
      ),
    )
    expect([lost, handled]).toEqual([0, sent])
  })

  it('the sources of a crowd are served in turn, each in order', () => {
    const queue = createFairQueue<{ remote: { address: string }; n: number }>()
    for (let n = 0; n < 600; n++) queue.push({ remote: { address: 'a' }, n }, 2)
    for (let n = 0; n < 3; n++) for (const address of ['b', 'c']) queue.push({ remote: { address }, n }, 2)
    expect([queue.length, queue.countOf('a'), queue.countOf('b'), queue.countOf('d')]).toEqual([
      606, 598, 3, 0,
    ])
    const order = Array.from({ length: 606 }, () => queue.shift()).map(
      (one) => `${one?.remote.address}${one?.n}`,
    )
    expect(order.slice(0, 12)).toEqual([
      'a0',
      'a1',
      'a2',
      'b0',
      'c0',
      'a3',
      'b1',
      'c1',
      'a4',
      'b2',
      'c2',
      'a5',
    ])
    expect(order.slice(11)).toEqual(Array.from({ length: 595 }, (_, i) => `a${i + 5}`))
    expect([queue.length, queue.shift()]).toEqual([0, undefined])
  })

  it('a source of which little waits has room although another one has filled the queue', () => {
    const { site, send, intake } = openSite({ waitingDatagrams: 320 })
    for (let i = 0; i < 1000; i++) send('10.6.6.6', publish)
    expect(site.turnedAway.get('10.6.6.6')).toBe(680)
    for (let i = 0; i < 20; i++) send('10.0.0.1', publish)
    expect(site.turnedAway.get('10.0.0.1')).toBeUndefined()
    for (let i = 0; i < 200; i++) send('10.0.0.2', publish)
    expect(site.turnedAway.get('10.0.0.2')).toBeGreaterThan(150)
    for (let i = 0; i < 500; i++) send(`10.1.0.${i % 250}`, publish)
    expect(intake.waiting).toBeLessThanOrEqual(400)
  })
})

describe('CONNECTs above the rate of their address', () => {
  it('take no place in the queue, and are told of [SN-ROB-1]', () => {
    const { site, send, intake } = openSite({ connectsPerAddress: 50 })
    for (let i = 0; i < 500; i++) send('10.6.6.6', connect)
    expect(intake.waiting).toBe(50)
    expect(site.counters.dropped).toEqual({ 'rate-limited': 450 })
    expect(site.refusals).toHaveLength(450)
    expect(site.refusals[0]).toMatchObject({
      reason: 'too-many-connects',
      peer: { address: '10.6.6.6', port: 5000, listener: { name: 'test' } },
    })
    send('10.0.0.1', connect)
    expect(intake.waiting).toBe(51)
  })

  it('are counted for each node behind a forwarder by itself, once it is known which one speaks [SN-FWD-4]', () => {
    const { site, send, intake } = openSite({ connectsPerAddress: 50 })
    for (let i = 0; i < 200; i++) send('10.0.0.1', connect, Uint8Array.of(i))
    expect(intake.waiting).toBe(200)
    expect(site.refusals).toEqual([])
  })
})
