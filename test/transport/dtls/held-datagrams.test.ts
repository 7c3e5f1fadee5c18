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
    const releases = [held.hold(to(1)), held.hold(to(1))]
    for (const value of [1, 2]) held.send(octets(value), to(1))
    held.send(octets(3), to(2))
    expect(sent).toEqual([3])
    releases[0]?.()
    expect(sent).toEqual([3])
    releases[1]?.()
    held.send(octets(4), to(1))
    expect(sent).toEqual([3, 1, 2, 4])
  })

  it('go along with a peer that moves', () => {
    const release = held.hold(to(1))
    held.send(octets(1), to(1))
    held.move(to(1), to(2))
    held.send(octets(2), to(2))
    release()
    expect(sent).toEqual([1, 2])
  })

  it('are lost after a second: an answer to a question from before would mean something else', () => {
    const release = held.hold(to(1))
    held.send(octets(1), to(1))
    now = 900
    held.send(octets(2), to(1))
    now = 1100
    release()
    expect(sent).toEqual([2])
  })
})
