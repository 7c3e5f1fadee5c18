// Addresses as keys: every listener, address and port has one of its own.

import { expect, it } from 'vitest'
import { peerKey } from '../../src/session/peers.ts'
import { load } from '../config/files.ts'

const listeners = (count: number) => ({
  listeners: Array.from({ length: count }, (_, i) => ({ url: `udp://127.0.0.1:${2000 + i}` })),
})

it('tells neighbouring ports apart on the last listener that may be configured', () => {
  const most = load(listeners(32)).config.listeners.length
  expect(() => load(listeners(33))).toThrow('listeners')
  const keys = [65_533, 65_534, 65_535].map((port) => peerKey(most - 1, '255.255.255.255', port, undefined))
  expect(new Set(keys).size).toBe(3)
})
