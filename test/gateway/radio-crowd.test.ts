// Ten minutes of two hundred XBee nodes at 9,600 baud with losses, in virtual time: the real session core, the real line, dialogue and
// pace, and real sensors; only clock, air and broker are simulated.

import { setMaxListeners } from 'node:events'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { CrowdBooks, liveAsCrowd } from '../../lab/radio/crowd.ts'
import { decodeFrame, encodeFrame } from '../../src/codec/v1/frame.ts'
import { type Peer, peerKey } from '../../src/session/peers.ts'
import { runAir } from '../../src/simulation/radio/run-radio.ts'
import { XbeeNetwork } from '../../src/simulation/radio/xbee-network.ts'
import { createXbee } from '../../src/transport/dialogue/xbee/xbee.ts'
import { Line } from '../../src/transport/line/paced-line.ts'
import { text, World } from '../support/world.ts'

const MINUTE = 60_000
/** Virtual milliseconds that pass at once; world and line see each other at their ends. */
const STEP = 50

function chance(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'] })
})
afterEach(() => {
  vi.useRealTimers()
})

/** A network at a line at the core. */
async function setUp(seed: number, moves: number) {
  const network = new XbeeNetwork({
    ...{ clock: () => performance.now(), random: chance(seed), baud: 9600, loss: 0.05, moves },
  })
  const stopAir = runAir(network.air)
  const world = new World({ limits: { sensors: 10_000, connectsPerAddress: 10, repliesPerAddress: 10 } })
  const peers = new Map<string, Peer>()
  const line = new Line(
    {
      url: 'xbee:///virtual',
      address: '/virtual',
      reopen: { min: 1000, max: 1000 },
      longest: 84,
      limits: { octetsPerSecond: 864, messages: 32, octets: 8192 },
      dialogue: createXbee(2, { longest: 84, inFlight: 1, confirm: 5000 }),
      open: async (listener) => {
        network.uart.toGateway = (octets) => listener.onOctets(octets)
        return {
          waiting: 0,
          write: (octets) => {
            network.write(octets)
            listener.onTaken()
          },
          close: () => {},
        }
      },
    },
    (bytes, { address, port }) => {
      let peer = peers.get(address)
      if (peer === undefined) {
        const key = peerKey(0, address, port, undefined)
        peer = { key, listener: world.listener, address, port }
        peers.set(address, peer)
        world.ears.set(key, (packet) => line.send(encodeFrame(packet), { address, port }))
      }
      const { packet } = decodeFrame(bytes)
      if (packet.type !== 'malformed') world.receive(packet, peer)
    },
  )
  Object.assign(world.listener, { maxMessage: 84, room: () => line.room() })
  await line.open()
  const link = () => line.stats().link
  const most = { queue: 0, unconfirmed: 0, waiting: 0 }
  /** Lets time pass for sensors, air, line and core alike. */
  const pass = async (ms: number) => {
    for (let left = ms; left > 0; left -= STEP) {
      await vi.advanceTimersByTimeAsync(STEP)
      world.advance(STEP)
      most.queue = Math.max(most.queue, link().queue)
      most.unconfirmed = Math.max(most.unconfirmed, link().unconfirmed)
    }
    for (const { downlink } of world.sessions.byClientId.values())
      most.waiting = Math.max(most.waiting, downlink.queue.length)
  }
  const books = new CrowdBooks()
  const noteArrivals = () => {
    for (const effect of world.effects.splice(0))
      if (effect.type === 'publish' && effect.topic === 'crowd') books.arrive(text(effect.payload))
    world.transcript.length = 0
  }
  return { network, world, line, link, most, pass, books, noteArrivals, stopAir }
}

const addressOf = (n: number): string => `0013a20041${n.toString(16).padStart(6, '0')}`

describe('two hundred XBee nodes on one line, in virtual time', () => {
  it('bring every QoS 1 home in ten minutes at 9,600 baud through 5 % loss, and nothing grows without bound [LINK-PC-2, LINK-PC-3, LINK-DL-1]', async () => {
    const { network, world, link, most, pass, books, noteArrivals, stopAir } = await setUp(7, 0.01)
    const end = new AbortController()
    setMaxListeners(0, end.signal) // every node listens to it
    const random = chance(3)
    const crowd = { count: 200, interval: 25_000, spread: MINUTE, signal: end.signal, tRetry: 10_000, random }
    const ended = liveAsCrowd({ ...crowd, transportOf: (n) => network.node(addressOf(n)) }, books)
    for (let i = 0; i < 60; i++) {
      await pass(MINUTE / 6)
      noteArrivals()
      const n = Math.floor(random() * 200)
      world.publish(`radio/${n}`, `${i}`, 1)
    }
    end.abort()
    for (let i = 0; i < 12; i++) {
      await pass(MINUTE / 6)
      noteArrivals()
    }
    await ended
    stopAir()
    expect(books.begun.size).toBeGreaterThan(4000)
    expect(books.acknowledged.size).toBe(books.begun.size)
    expect(books.lost).toEqual([])
    expect(network.uart.overrun).toBe(0)
    expect(most.unconfirmed).toBe(1)
    expect(most.queue).toBeLessThanOrEqual(32)
    expect(most.waiting).toBeLessThanOrEqual(10)
    expect(link().errors).toMatchObject({ noise: 0, checksum: 0, full: 0 })
    expect(link().errors.undelivered).toBeGreaterThan(100)
  }, 240_000)

  it('where all come at once, newcomers are told of congestion while the line is full, and come in later', async () => {
    const { network, world, most, pass, books, noteArrivals, stopAir } = await setUp(5, 0)
    const end = new AbortController()
    setMaxListeners(0, end.signal) // every node listens to it
    const random = chance(4)
    const crowd = { count: 200, interval: 10 * MINUTE, spread: 1, signal: end.signal, tRetry: 10_000, random }
    const ended = liveAsCrowd({ ...crowd, transportOf: (n) => network.node(addressOf(n)) }, books)
    for (let i = 0; i < 40; i++) {
      await pass(MINUTE / 12)
      noteArrivals()
    }
    end.abort()
    for (let i = 0; i < 24 && books.acknowledged.size < 200; i++) {
      await pass(MINUTE / 12)
      noteArrivals()
    }
    await ended
    stopAir()
    expect(books.failures.get('rejected 1')).toBeGreaterThan(5)
    expect(books.acknowledged.size).toBe(200)
    expect(world.sessions.byClientId.size).toBe(200)
    expect(most.queue).toBeLessThanOrEqual(32)
  }, 240_000)
})
