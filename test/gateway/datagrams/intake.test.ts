// How datagrams wait for their turn when more come than can be handled.

import { describe, expect, it } from 'vitest'
import { encodeFrame } from '../../../src/codec/v1/frame.ts'
import type { Packet } from '../../../src/codec/v1/messages.ts'
import { createCounters } from '../../../src/gateway/counters.ts'
import { createIntake } from '../../../src/gateway/datagrams/intake.ts'
import type { BoundListener } from '../../../src/gateway/datagrams/listener.ts'

/** As many as are read at once when there are more. */
const BATCH = 32

/** A listener of which an intake needs no more than who may send there. */
const listenerOf = (admits: (address: string) => boolean = () => true): BoundListener => ({
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
  admits,
  isForwarder: () => false,
})

/** An intake without sockets, whose time stands still. Datagrams are told apart by the ports that they come from. */
class Site {
  now = 5000
  isBehind = false
  readonly counters = createCounters()
  /** ports of what was handled and of what was turned away, in order */
  readonly handled: number[] = []
  readonly refused: number[] = []
  readonly intake
  readonly #listener: BoundListener
  #step: (() => void) | undefined
  #port = 0

  constructor({
    waitingDatagrams = 10_000,
    waitingOctets = 1e6,
    listener = listenerOf(),
    isOpen = true,
  } = {}) {
    this.#listener = listener
    this.intake = createIntake({
      counters: this.counters,
      limits: () => ({ waitingDatagrams, waitingOctets }),
      now: () => this.now,
      afterReading: (step) => {
        expect(this.#step).toBeUndefined()
        this.#step = step
      },
    })
    if (isOpen) this.open()
  }

  open(): void {
    this.intake.open({
      isBehind: () => this.isBehind,
      handle: (_, __, { port }) => void this.handled.push(port),
      turnAway: (_, __, { port }) => void this.refused.push(port),
    })
  }

  /** Reads a datagram and returns its number; a PUBLISH of 8 octets unless told otherwise. */
  read(packet: Packet = publish, nodeId?: Uint8Array, address = '10.0.0.1'): number {
    this.#port += 1
    this.intake.receive(this.#listener, encodeFrame(packet, nodeId), { address, port: this.#port })
    return this.#port
  }

  /** Reads some of the same kind. */
  readMany(count: number, packet?: Packet): number[] {
    return Array.from({ length: count }, () => this.read(packet))
  }

  /** All sockets were read; false if that makes no difference. */
  turn(): boolean {
    const step = this.#step
    this.#step = undefined
    step?.()
    return step !== undefined
  }

  /** Turns until nothing is left to do. */
  finish(): void {
    while (this.turn());
  }
}

const data = new Uint8Array(1)
const publish: Packet = {
  type: 'publish',
  dup: false,
  qos: 0,
  retain: false,
  topicIdType: 'predefined',
  topicId: 1,
  msgId: 0,
  data,
}
const pingreq: Packet = { type: 'pingreq', clientId: null }
const pubrel: Packet = { type: 'pubrel', msgId: 1 }

const urgent: Packet[] = [
  pingreq,
  { type: 'pingreq', clientId: 'dev1' },
  { type: 'puback', topicId: 1, msgId: 1, returnCode: 0 },
  { type: 'pubrec', msgId: 1 },
  { type: 'pubcomp', msgId: 1 },
  { type: 'regack', topicId: 1, msgId: 1, returnCode: 0 },
]
const ordinary: Packet[] = [
  publish,
  { type: 'willtopic', qos: 0, retain: false, willTopic: 'a'.repeat(300) }, // a Length of 3 octets
  { type: 'willmsg', willMsg: data },
  pubrel,
  { type: 'disconnect', duration: null },
  { type: 'register', topicId: 0, msgId: 1, topicName: 'a' },
  { type: 'connect', will: false, cleanSession: true, protocolId: 1, duration: 1, clientId: 'dev1' },
]
const named = (packets: Packet[]) => packets.map((packet) => [packet.type, packet] as const)

describe('with time for everything', () => {
  it('what was read is handled in the same turn, in order', () => {
    const site = new Site()
    const all = [...urgent, ...ordinary, ...urgent].map((packet) => site.read(packet))
    expect(site.handled).toEqual([])
    site.turn()
    expect(site.handled).toEqual(all)
    expect(site.turn()).toBe(false)
  })

  it('what nobody may send does not even wait', () => {
    const site = new Site({ listener: listenerOf((address) => address === '10.0.0.1') })
    site.read(publish, undefined, '10.0.0.2')
    site.read({ ...publish, data: new Uint8Array(1000) })
    expect(site.intake.waiting).toBe(0)
    expect(site.counters.dropped).toEqual({ 'not-allowed': 1, oversized: 1 })
    expect(site.counters.receivedDatagrams).toBe(2)
  })
})

describe('while the system holds more than was read', () => {
  it('reading goes before new work, of which a little is always done', () => {
    const site = new Site()
    for (let turn = 0; turn < 10; turn++) {
      site.readMany(BATCH)
      const before = site.handled.length
      site.turn()
      expect(site.handled.length - before).toBeGreaterThan(0)
      expect(site.handled.length - before).toBeLessThan(BATCH / 2)
    }
    site.finish()
    expect(site.handled).toEqual(Array.from({ length: 10 * BATCH }, (_, i) => i + 1))
    expect(site.refused).toEqual([])
  })

  it('two sockets of which neither has more are no overload', () => {
    const [one, other] = [listenerOf(), listenerOf()]
    const site = new Site()
    for (let i = 0; i < BATCH; i++) {
      const listener = i < BATCH / 2 ? one : other
      site.intake.receive(listener, encodeFrame(publish), { address: '10.0.0.1', port: i })
    }
    site.turn()
    expect(site.handled).toHaveLength(BATCH)
  })

  it.each(named(urgent))('%s goes before what waits, also behind a forwarder [SN-ROB-4]', (_, packet) => {
    const site = new Site()
    site.readMany(3 * BATCH)
    const late = [site.read(packet), site.read(packet, Uint8Array.of(1, 2, 3))]
    site.turn()
    expect(site.handled.slice(0, 2)).toEqual(late)
  })

  it.each(named(ordinary))('%s keeps its place, also behind a forwarder', (_, packet) => {
    const site = new Site()
    const waiting = site.readMany(3 * BATCH)
    const late = [site.read(packet), site.read(packet, Uint8Array.of(1, 2, 3))]
    site.finish()
    expect(site.handled).toEqual([...waiting, ...late])
  })

  it('an impossible encapsulation or length does no harm', () => {
    const site = new Site()
    site.readMany(3 * BATCH)
    for (const octets of ['', '01', '0103', '05fe00', 'fffe', '03fe01', '00fe', '01ff', '04fe0001fe']) {
      const remote = { address: '10.0.0.1', port: 0 }
      site.intake.receive(listenerOf(), Buffer.from(octets, 'hex'), remote)
    }
    site.finish()
    expect(site.handled).toHaveLength(3 * BATCH + 9)
  })
})

describe('over the bounds', () => {
  it('the newest is turned away at once, and there is room again as soon as some are done [SN-ROB-1]', () => {
    const site = new Site({ waitingDatagrams: 100 })
    const all = site.readMany(110)
    expect(site.refused).toEqual(all.slice(100))
    expect(site.intake.waiting).toBe(100)
    site.turn()
    site.read()
    expect(site.refused).toHaveLength(10)
    site.finish()
    expect(site.handled).toEqual([...all.slice(0, 100), 111])
    expect(site.intake.waiting).toBe(0)
  })

  it('octets count as well [SN-ROB-1]', () => {
    const site = new Site({ waitingOctets: 1000 })
    const large: Packet = { ...publish, data: new Uint8Array(400) }
    expect(site.readMany(3, large)).toEqual([1, 2, 3])
    expect(site.refused).toEqual([3])
    site.finish()
    site.readMany(2, large)
    expect(site.refused).toEqual([3])
  })

  it('what keeps sensors alive is served all the same, however small the bound [SN-ROB-4]', () => {
    const site = new Site({ waitingDatagrams: 1 })
    const all = site.readMany(3)
    const ping = site.read(pingreq)
    site.turn()
    expect(site.handled).toEqual([ping, 1])
    expect(site.refused).toEqual(all.slice(1))
  })

  it.each(named([pubrel, { type: 'disconnect', duration: null }]))(
    '%s, which makes room, has a reserve, but not without end [SN-ROB-1]',
    (_, packet) => {
      const site = new Site({ waitingDatagrams: 100 })
      const first = site.readMany(100)
      const some = site.readMany(30, packet)
      expect(site.counters.dropped).toEqual({ overloaded: 5 })
      expect(site.intake.waiting).toBe(125)
      site.finish()
      expect(site.handled).toEqual([...first, ...some.slice(0, 25)])
    },
  )

  it('nothing new is taken while too much waits for the store, but what keeps alive or makes room [SN-ROB-1]', () => {
    const site = new Site()
    site.isBehind = true
    const taken = [site.read(pingreq), site.read(pubrel)]
    const refused = site.read()
    site.isBehind = false
    taken.push(site.read())
    site.finish()
    expect(site.handled).toEqual(taken)
    expect(site.refused).toEqual([refused])
  })

  it('over the bound only PUBLISH is refused at once: of another request a copy may wait, and be accepted [SN-ROB-1]', () => {
    const site = new Site({ waitingDatagrams: 1 })
    site.read()
    for (const packet of ordinary) if (packet !== publish && packet !== pubrel) site.readMany(3, packet)
    expect(site.refused).toEqual([])
    const refused = site.read()
    expect(site.refused).toEqual([refused])
  })

  it('what comes when the store has caught up is new, however long ago the last turn was', () => {
    const site = new Site()
    site.isBehind = true
    site.readMany(2)
    site.turn()
    site.now += 60_000
    site.isBehind = false
    const all = site.readMany(3)
    site.finish()
    expect(site.handled).toEqual(all)
  })

  it('what has waited for more than a second is turned away in its turn, but not what makes room', () => {
    const site = new Site()
    const old = [site.read(), site.read(pubrel), site.read()]
    site.now += 900
    site.turn()
    expect(site.handled).toEqual(old)
    site.read()
    const patient = site.read(pubrel)
    site.now += 1100
    const ping = site.read(pingreq)
    site.turn()
    expect(site.refused).toEqual([4])
    expect(site.handled).toEqual([...old, patient, ping])
    const fresh = site.read()
    site.turn()
    expect(site.handled.at(-1)).toBe(fresh)
  })
})

describe('before it is opened, and after it is closed', () => {
  it('everything waits for the start within the same bounds, in order and however long that takes', () => {
    const site = new Site({ waitingDatagrams: 200, isOpen: false })
    const all = [...site.readMany(100), site.read(pingreq), ...site.readMany(120)]
    expect(site.turn()).toBe(false)
    site.now += 10_000
    site.open()
    const fresh = site.read(pingreq)
    site.finish()
    expect(site.handled.filter((port) => port !== fresh)).toEqual(all.slice(0, 200))
    expect(site.handled).toContain(fresh)
    expect(site.refused).toEqual([])
    expect(site.counters.dropped).toEqual({ 'not-serving': 21 })
  })

  it('nothing is handled any more once it is closed', () => {
    const site = new Site()
    site.readMany(3)
    site.intake.close()
    site.read(pingreq)
    site.finish()
    expect(site.handled).toEqual([])
    expect(site.intake.waiting).toBe(0)
    expect(site.counters.dropped).toEqual({ 'not-serving': 4 })
    site.open()
    site.read()
    site.finish()
    expect(site.handled).toEqual([])
  })

  it('is catching up until all that has waited for it is done', () => {
    const site = new Site({ isOpen: false })
    site.readMany(100)
    expect(site.intake.isCatchingUp).toBe(false)
    site.open()
    site.readMany(10)
    let turns = 0
    for (; site.intake.isCatchingUp; turns += 1) site.turn()
    expect(turns).toBeGreaterThan(1)
    expect(site.handled.length).toBeGreaterThanOrEqual(100)
  })
})
