// Addresses as keys: every listener, address and port has one of its own.

import { describe, expect, it } from 'vitest'
import { type Association, describePeer, peerKey, sourceOf } from '../../src/session/peers.ts'
import { load } from '../config/files.ts'
import { World } from '../support/world.ts'

const listeners = (count: number) => ({
  listeners: Array.from({ length: count }, (_, i) => ({ url: `udp://127.0.0.1:${2000 + i}` })),
})

it('tells neighbouring ports apart on the last listener that may be configured', () => {
  const most = load(listeners(32)).config.listeners.length
  expect(() => load(listeners(33))).toThrow('listeners')
  const keys = [65_533, 65_534, 65_535].map((port) => peerKey(most - 1, '255.255.255.255', port, undefined))
  expect(new Set(keys).size).toBe(3)
})

describe('a peer that its link has authenticated', () => {
  const secure = (number: number, identity = 'meter-1'): Association => ({ number, identity, kind: 'psk' })
  const node = Uint8Array.of(0x12)

  it('is the same from whatever address, and another one with another association [DTLS-ID-5]', () => {
    const keys = [0, 31].flatMap((listener) =>
      [1, 2, 2 ** 40].flatMap((number) =>
        [undefined, node].map((nodeId) => peerKey(listener, '10.0.0.1', 5000, nodeId, secure(number))),
      ),
    )
    expect(new Set(keys).size).toBe(keys.length)
    expect(keys.filter((key) => typeof key === 'number').every(Number.isSafeInteger)).toBe(true)
    expect(peerKey(0, '10.9.9.9', 7, undefined, secure(1))).toBe(keys[0])
    expect(keys).not.toContain(peerKey(0, '10.0.0.1', 5000, undefined))
  })

  it('counts by who it is, and is shown with that', () => {
    const world = new World()
    const peer = { ...world.sensor('10.0.0.1', 5000).peer, association: secure(7) }
    expect(sourceOf(peer)).toBe(sourceOf({ ...peer, address: '10.9.9.9', association: secure(8) }))
    expect(sourceOf(peer)).not.toBe(sourceOf({ ...peer, association: secure(7, 'meter-2') }))
    expect(describePeer(peer)).toBe('10.0.0.1:5000 (meter-1)')
    expect(describePeer({ ...peer, nodeId: node })).toBe('10.0.0.1:5000/12 (meter-1)')
  })
})
