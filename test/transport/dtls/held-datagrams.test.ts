// What waits for the disk before it leaves on a DTLS link: in order, by address, and not for long.

import { beforeEach, describe, expect, it } from 'vitest'
import { HeldDatagrams } from '../../../src/transport/dtls/held-datagrams.ts'

const to = (port: number) => ({ address: '127.0.0.1', port, local: undefined })
const octets = (value: number) => Uint8Array.of(value)

describe('datagrams that wait for the disk', () => {
  let now = 0
  let sent: number[] = []
  let held = new HeldDatagrams(() => {})

  beforeEach(() => {
    now = 0
    sent = []
    held = new HeldDatagrams(
      ([value = 0]) => void sent.push(value),
      () => now,
    )
  })

  it('leave in order when all waits are over, and nobody else waits [DTLS-RUN-2]', () => {
    for (const upTo of [1, 2]) held.hold(to(1), upTo)
    for (const value of [1, 2]) held.send(octets(value), to(1))
    held.send(octets(3), to(2))
    expect(sent).toEqual([3])
    held.settle(1)
    expect(sent).toEqual([3])
    held.settle(2)
    held.send(octets(4), to(1))
    expect(sent).toEqual([3, 1, 2, 4])
  })

  it('go along with a peer that moves', () => {
    held.hold(to(1), 1)
    held.send(octets(1), to(1))
    held.move(to(1), to(2))
    held.send(octets(2), to(2))
    held.settle(1)
    expect(sent).toEqual([1, 2])
  })

  it('wait for what was written before them, and not for what is written later: a forwarder acknowledges all the time', () => {
    for (let write = 1; write <= 1000; write += 1) {
      held.hold(to(1), write)
      held.send(octets(write % 256), to(1))
      held.settle(write - 1) // one write is always under way
    }
    expect(sent).toEqual(Array.from({ length: 999 }, (_, i) => (i + 1) % 256))
    held.settle(1000)
    expect([sent.length, held.isHolding]).toEqual([1000, false])
  })

  it('wait for their own numbers also where their peer has come to an address where another one waits [DTLS-RUN-2]', () => {
    held.hold(to(2), 1)
    held.send(octets(1), to(2))
    held.hold(to(1), 2)
    held.move(to(1), to(2))
    held.send(octets(2), to(2))
    held.settle(1)
    expect(sent).toEqual([1])
    held.settle(2)
    held.send(octets(3), to(1))
    expect(sent).toEqual([1, 2, 3])
  })

  it('take no more room however long nothing can be written, and those that are lost are told', () => {
    let lost = 0
    held = new HeldDatagrams(
      ([value = 0]) => void sent.push(value),
      () => now,
      () => void lost++,
    )
    for (let write = 1; write <= 5000; write += 1) {
      held.hold(to(1), write)
      held.send(octets(1), to(1))
    }
    expect(lost).toBe(5000 - 256)
    now = 2000
    held.settle(5000)
    expect([lost, sent, held.isHolding]).toEqual([5000, [], false])
  })

  it('are lost after a second: an answer to a question from before would mean something else', () => {
    held.hold(to(1), 1)
    held.send(octets(1), to(1))
    now = 900
    held.send(octets(2), to(1))
    now = 1100
    held.settle(1)
    expect(sent).toEqual([2])
  })
})
