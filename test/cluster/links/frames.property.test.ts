// Frames on links between nodes, and what is said of time: random streams, random cuts, random nonsense.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ClockOffset } from '../../../src/cluster/links/clock-offset.ts'
import { FrameReader, FrameType, frameHeader, LONGEST_BODY } from '../../../src/cluster/links/frames.ts'

const frame = fc.record({
  type: fc.constantFrom(...Object.values(FrameType)),
  body: fc.oneof(fc.uint8Array({ maxLength: 12 }), fc.uint8Array({ maxLength: 3000 })),
})

const streamOf = (frames: readonly { type: FrameType; body: Uint8Array }[]): Uint8Array =>
  Uint8Array.from(frames.flatMap(({ type, body }) => [...frameHeader(type, body.length), ...body]))

/** The stream in pieces of these lengths, over and over. */
function* pieces(stream: Uint8Array, lengths: readonly number[]): Generator<Uint8Array> {
  for (let at = 0, i = 0; at < stream.length; i += 1) {
    const length = lengths[i % lengths.length] ?? 1
    yield stream.subarray(at, at + length)
    at += length
  }
}

describe('a stream of frames', () => {
  it('gives the same frames, however it is cut', () => {
    fc.assert(
      fc.property(
        fc.array(frame, { maxLength: 8 }),
        fc.array(fc.integer({ min: 1, max: 2000 }), { minLength: 1, maxLength: 20 }),
        (frames, lengths) => {
          const read: { type: number; body: number[] }[] = []
          const reader = new FrameReader(LONGEST_BODY, (type, body) => read.push({ type, body: [...body] }))
          for (const piece of pieces(streamOf(frames), lengths)) expect(reader.push(piece)).toBe(true)
          expect(read).toEqual(frames.map(({ type, body }) => ({ type, body: [...body] })))
        },
      ),
    )
  })

  it('is over with a frame that is longer than any may be, before any memory is taken for it', () => {
    fc.assert(
      fc.property(
        fc.array(frame, { maxLength: 3 }),
        fc.integer({ min: 3001, max: 0xffffffff }),
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }),
        (frames, length, lengths) => {
          let read = 0
          const reader = new FrameReader(3000, () => {
            read += 1
          })
          const tooLong = new Uint8Array(5)
          new DataView(tooLong.buffer).setUint32(0, length)
          const stream = Uint8Array.from([...streamOf(frames), ...tooLong])
          const taken = [...pieces(stream, lengths)].map((piece) => reader.push(piece))
          expect(read).toBe(frames.length)
          expect(taken.at(-1)).toBe(false)
          expect(taken.slice(0, -1)).not.toContain(false)
        },
      ),
    )
  })

  it('never throws, whatever comes', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40 })), (chunks) => {
        const reader = new FrameReader(1000, () => {})
        for (const chunk of chunks) if (!reader.push(chunk)) break
      }),
    )
  })

  it('may have longer frames from one frame on, within the same piece', () => {
    const read: number[] = []
    const reader: FrameReader = new FrameReader(10, (type, { length }) => {
      read.push(type, length)
      reader.longest = 100
    })
    const [first, second] = [new Uint8Array(10), new Uint8Array(90)]
    const stream = streamOf([
      { type: FrameType.proof, body: first },
      { type: FrameType.forward, body: second },
    ])
    expect(reader.push(stream)).toBe(true)
    expect(read).toEqual([FrameType.proof, 10, FrameType.forward, 90])
  })
})

describe('the clock of another node', () => {
  /** A clock that is `ahead`, and the time in virtual milliseconds. */
  function clocks(ahead: number) {
    const offset = new ClockOffset()
    return {
      offset,
      /** a question that is under way for `there` and `back` */
      ask: (at: number, there: number, back: number, now = ahead) =>
        offset.add(at, at + there + now, at + there + back),
    }
  }

  it('is known to the time that the best question and answer have taken, and nothing looks older than it is', () => {
    fc.assert(
      fc.property(
        fc.double({ min: -1e9, max: 1e9, noNaN: true }),
        fc.array(fc.tuple(fc.integer({ min: 0, max: 900 }), fc.integer({ min: 0, max: 900 })), {
          minLength: 1,
          maxLength: 8,
        }),
        (ahead, trips) => {
          const { offset, ask } = clocks(ahead)
          for (const [i, [there, back]] of trips.entries()) ask(i * 1000, there, back)
          const best = Math.min(...trips.map(([there, back]) => there + back))
          const sentAt = 5000
          const error = offset.toOwn(sentAt + ahead, 1e12) - sentAt
          expect(error).toBeGreaterThanOrEqual(-1e-3)
          expect(error).toBeLessThanOrEqual(best + 1e-3)
        },
      ),
    )
  })

  it('is learnt anew when it has stood still', () => {
    const { offset, ask } = clocks(500)
    for (let i = 0; i < 8; i += 1) ask(i * 1000, 1, 1)
    ask(9000, 1, 1, 500 - 4000) // the other machine was suspended for 4 s
    expect(offset.toOwn(10_000 + 500 - 4000, 20_000)).toBe(10_001)
  })

  it('never says that something was sent after it has come', () => {
    const { offset, ask } = clocks(0)
    expect(offset.toOwn(99, 7)).toBe(7)
    ask(0, 10, 0)
    expect(offset.toOwn(990, 990)).toBe(990)
  })
})
