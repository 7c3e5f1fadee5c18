// A line whose stream takes nothing, fails, or comes back, in virtual time: what is held, what is counted, what is opened anew.

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createDialogue } from '../../../src/transport/dialogue/kinds.ts'
import type { LineEvent } from '../../../src/transport/line/options.ts'
import { Line, type LineParts } from '../../../src/transport/line/paced-line.ts'
import type { ByteStream, StreamListener } from '../../../src/transport/stream/stream.ts'
import type { OnDatagram } from '../../../src/transport/transport.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const ANYWHERE = { address: 'somewhere', port: 0 }
const M1 = Uint8Array.from(Buffer.from('0a040401003c6d313335', 'hex'))
const FRAMED = Uint8Array.of(0xc0, ...M1, 0xc0)

/** A stream that takes what it is told to take. */
class Held implements ByteStream {
  waiting = 0
  most = 0
  isClosed = false
  readonly listener: StreamListener
  constructor(listener: StreamListener) {
    this.listener = listener
  }
  write(bytes: Uint8Array): void {
    this.waiting += bytes.length
    this.most = Math.max(this.most, this.waiting)
  }
  take(octets = this.waiting): void {
    this.waiting -= octets
    this.listener.onTaken()
  }
  close(): void {
    this.isClosed = true
  }
}

async function opened(more: Partial<LineParts> = {}, onDatagram: OnDatagram = () => {}) {
  const streams: Held[] = []
  const events: LineEvent[] = []
  const line = new Line(
    {
      ...{ url: 'serial:///dev/ttyS1?framing=slip', address: '/dev/ttyS1', longest: 300 },
      dialogue: createDialogue({ framing: 'slip', crc: undefined }, { longest: 300 }),
      limits: { octetsPerSecond: undefined, messages: 1000, octets: 1_000_000 },
      reopen: { min: 1000, max: 30_000 },
      onLine: (event) => events.push(event),
      open: async (listener) => {
        const stream = new Held(listener)
        streams.push(stream)
        return stream
      },
      ...more,
    },
    onDatagram,
  )
  await line.open()
  return { line, streams, events, last: () => streams.at(-1) as Held }
}

const types = (events: readonly LineEvent[]) => events.map(({ type }) => type)

describe('a line whose stream', () => {
  it('takes nothing gives it 4 KiB and what was begun, and holds the rest itself [LINK-ST-4]', async () => {
    const { line, last } = await opened()
    const long = new Uint8Array(255).fill(1)
    long[0] = 255
    for (let i = 0; i < 100; i++) line.send(long, ANYWHERE)
    expect(last().most).toBeGreaterThanOrEqual(4096)
    expect(last().most).toBeLessThan(4096 + 258)
    for (let i = 0; i < 200 && last().waiting > 0; i++) last().take(Math.min(1000, last().waiting))
    expect(last().most).toBeLessThan(4096 + 258)
    expect(line.stats().link).toMatchObject({
      frames: { sent: 100 },
      queue: 0,
      errors: { full: 0, stuck: 0 },
    })
  })

  it('takes nothing for 30 s is stuck: it is counted, told and opened anew [LINK-ST-2]', async () => {
    const { line, events, streams } = await opened()
    line.send(M1, ANYWHERE)
    await vi.advanceTimersByTimeAsync(29_900)
    expect(types(events)).toEqual(['up'])
    await vi.advanceTimersByTimeAsync(200)
    expect(events.at(-1)).toMatchObject({
      type: 'away',
      error: { message: expect.stringMatching(/nothing for 30 s; look at "flow"/) },
    })
    expect(line.stats().link).toMatchObject({ up: false, errors: { stuck: 1 } })
    expect(streams[0]?.isClosed).toBe(true)
    await vi.advanceTimersByTimeAsync(1000)
    expect(types(events)).toEqual(['up', 'away', 'up'])
  })

  it('takes a little again and again is not stuck, and neither is one that has nothing to take', async () => {
    const { line, events, last } = await opened()
    for (let i = 0; i < 100; i++) {
      line.send(M1, ANYWHERE)
      await vi.advanceTimersByTimeAsync(20_000)
      last().take(1)
    }
    last().take()
    await vi.advanceTimersByTimeAsync(100_000)
    expect(types(events)).toEqual(['up'])
  })

  it('brings an exception to light, here or in who takes its messages, is closed and opened anew, and throws nothing [LINK-ST-8]', async () => {
    let isBroken = true
    const heard: number[] = []
    const { line, events, streams, last } = await opened({}, (bytes) => {
      if (isBroken) throw new Error('a bug of the gateway')
      heard.push(bytes.length)
    })
    last().listener.onOctets(FRAMED)
    expect(types(events)).toEqual(['up', 'away'])
    expect(streams[0]?.isClosed).toBe(true)
    isBroken = false
    await vi.advanceTimersByTimeAsync(1000)
    last().listener.onOctets(FRAMED)
    expect(heard).toEqual([10])
    const dialogue = createDialogue({ framing: 'slip', crc: undefined }, { longest: 300 })
    const broken = new Proxy(dialogue, {
      get(whole, name) {
        if (name === 'push') throw new Error('a bug of the framing')
        const found: unknown = Reflect.get(whole, name)
        return typeof found === 'function' ? found.bind(whole) : found
      },
    })
    const other = await opened({ dialogue: broken })
    other.last().listener.onOctets(FRAMED)
    expect(types(other.events)).toEqual(['up', 'away'])
    await vi.advanceTimersByTimeAsync(1000)
    expect(types(other.events)).toEqual(['up', 'away', 'up'])
    await line.close()
  })

  it('is unplugged in the middle of a frame takes nothing of it into the next [LINK-ST-3]', async () => {
    const heard: string[] = []
    const { last } = await opened({}, (bytes) => heard.push(Buffer.from(bytes).toString('hex')))
    last().listener.onOctets(FRAMED.subarray(0, 6))
    last().listener.onEnd('unplugged')
    await vi.advanceTimersByTimeAsync(1000)
    last().listener.onOctets(FRAMED.subarray(6))
    last().listener.onOctets(FRAMED)
    expect(heard).toEqual([Buffer.from(M1).toString('hex')])
  })

  it('takes for ever to be opened is given up after 15 s and tried again, and closed if it comes late [LINK-ST-1]', async () => {
    const late: ((stream: ByteStream) => void)[] = []
    const streams: Held[] = []
    const events: LineEvent[] = []
    const parts: Partial<LineParts> = {
      onLine: (event) => events.push(event),
      open: (listener) =>
        new Promise((resolve) => {
          streams.push(new Held(listener))
          late.push(resolve)
        }),
    }
    void opened(parts)
    await vi.advanceTimersByTimeAsync(15_000)
    expect(events).toMatchObject([
      { type: 'away', error: { message: expect.stringContaining('within 15 s') } },
    ])
    await vi.advanceTimersByTimeAsync(1000)
    for (const [index, settle] of late.entries()) settle(streams[index] as Held)
    await vi.advanceTimersByTimeAsync(0)
    expect(types(events)).toEqual(['away', 'up'])
    expect(streams.map(({ isClosed }) => isClosed)).toEqual([true, false])
  })

  it('cannot be opened is tried after 1, 2, 4 .. 30 s, and told of once [LINK-ST-1, LINK-ST-2]', async () => {
    const tries: number[] = []
    const begun = performance.now()
    const { events } = await opened({
      open: async () => {
        tries.push(Math.round((performance.now() - begun) / 1000))
        throw new Error('there is no such device')
      },
    })
    await vi.advanceTimersByTimeAsync(130_000)
    expect(tries).toEqual([0, 1, 3, 7, 15, 31, 61, 91, 121])
    expect(types(events)).toEqual(['away'])
  })
})
