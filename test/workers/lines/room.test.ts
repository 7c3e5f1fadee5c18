// How workers know the room of a line whose queue is in another thread: in virtual time, with messages that are late.

import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { channelsOf, idleRoom, type LineRoom } from '../../../src/workers/lines/channel.ts'
import { FrontRoom } from '../../../src/workers/lines/front-room.ts'
import { WorkerRoom } from '../../../src/workers/lines/worker-room.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const LINE = 'serial:///dev/ttyS1?framing=slip'
const SERVER = 'tcp-listen://0.0.0.0:1?framing=slip'
const PEER = { address: '/dev/ttyS1', port: 0 }
const MESSAGES = 32

/** A line that takes `perLook` messages in 25 ms, and workers to which everything takes `delay` ms. */
function scene(workers: number, perLook: number, delay: number) {
  let queued = 0
  let most = 0
  const room = () => Math.max(0, idleRoom(MESSAGES) - queued)
  const late = (step: () => void) => setTimeout(step, delay)
  const share = Math.ceil(idleRoom(MESSAGES) / workers)
  const all = Array.from({ length: workers }, () => new WorkerRoom([channelsOf(LINE)], [share]))
  const front = new FrontRoom(
    workers,
    () => ({ channelOf: channelsOf(LINE), messages: MESSAGES, room }),
    (worker, told) => late(() => all[worker]?.learn(told)),
  )
  const send = (worker: number) => {
    all[worker]?.noteSent(0, PEER)
    late(() => {
      queued += 1
      most = Math.max(most, queued)
      front.noteTaken(worker, 0, PEER)
    })
  }
  const draining = setInterval(() => {
    queued = Math.max(0, queued - perLook)
  }, 25)
  return { all, front, send, most: () => most, room, end: () => clearInterval(draining) }
}

describe('the room of a line that several workers use', () => {
  it('is never overdrawn, whatever they have to send and however late they are told [LINK-GW-6, LINK-PC-2]', () => {
    const worlds = fc.tuple(
      fc.integer({ min: 2, max: 4 }),
      fc.integer({ min: 1, max: 9 }),
      fc.integer({ min: 0, max: 60 }),
    )
    const bursts = fc.array(fc.tuple(fc.nat(3), fc.integer({ min: 1, max: 40 }), fc.nat(80)), {
      maxLength: 30,
    })
    fc.assert(
      fc.property(worlds, bursts, ([workers, perLook, delay], all) => {
        const line = scene(workers, perLook, delay)
        for (const [worker, messages, pause] of all) {
          const who = worker % workers
          for (let i = 0; i < messages && (line.all[who]?.of(0, PEER) ?? 0) > 0; i++) line.send(who)
          vi.advanceTimersByTime(pause)
        }
        expect(line.most()).toBeLessThanOrEqual(MESSAGES)
        // and comes back when the line has sent all
        vi.advanceTimersByTime(5000)
        for (const one of line.all) expect(one.of(0, PEER)).toBe(Math.ceil(idleRoom(MESSAGES) / workers))
        line.end()
        line.front.close()
      }),
      { numRuns: 60 },
    )
  })

  it('is told only while there is something to tell, and not at all where a link is never full', () => {
    const told: LineRoom[] = []
    const never = new FrontRoom(
      2,
      () => ({ channelOf: channelsOf('udp://0.0.0.0:1'), messages: 32 }),
      (_, one) => told.push(one),
    )
    never.noteTaken(0, 0, PEER)
    vi.advanceTimersByTime(10_000)
    expect([told.length, vi.getTimerCount()]).toEqual([0, 0])
    expect(new WorkerRoom([channelsOf('udp://0.0.0.0:1')], [16]).of(0, PEER)).toBe(Number.POSITIVE_INFINITY)
    const line = scene(2, 4, 1)
    for (let i = 0; i < 8; i++) line.send(0)
    vi.advanceTimersByTime(10_000)
    line.end()
    expect(vi.getTimerCount()).toBe(0)
    expect(line.all.map((one) => one.of(0, PEER))).toEqual([8, 8])
  })

  it('is counted for each connection by itself where modems call [LINK-PC-3]', () => {
    const worker = new WorkerRoom([channelsOf(SERVER)], [2])
    const [one, other] = [
      { address: '10.0.0.1', port: 5 },
      { address: '10.0.0.1', port: 6 },
    ]
    worker.noteSent(0, one)
    worker.noteSent(0, one)
    worker.noteSent(0, one)
    expect([worker.of(0, one), worker.of(0, other)]).toEqual([0, 2])
    worker.learn({ listener: 0, channel: '10.0.0.1 5', room: 4, taken: 3 })
    expect(worker.of(0, one)).toBe(4)
  })

  it('begins anew with a worker that was started in place of a lost one', () => {
    const told: [number, LineRoom][] = []
    const front = new FrontRoom(
      2,
      () => ({ channelOf: channelsOf(LINE), messages: 32, room: () => 16 }),
      (worker, one) => told.push([worker, one]),
    )
    for (let i = 0; i < 5; i++) front.noteTaken(1, 0, PEER)
    vi.advanceTimersByTime(25)
    front.forgetWorker(1)
    front.noteTaken(1, 0, PEER)
    vi.advanceTimersByTime(25)
    expect(told.map(([worker, { taken }]) => [worker, taken])).toEqual([
      [1, 5],
      [1, 1],
    ])
    front.close()
  })
})
