// A flood of hellos, in virtual time: what it costs those who have a session, those who want one, and the memory.

import { expect, it } from 'vitest'
import type { Remote } from '../../src/dtls/effects.ts'
import { effectsOf, findKey, type VirtualClient, World } from './world.ts'

/** Hellos in a millisecond: 30,000 a second. */
const RATE = 30
const MILLISECONDS = 400

/** What random octets begin at in the datagram of a hello: record, message, version. */
const RANDOM = 13 + 12 + 2

it('30,000 hellos a second lose no record of open sessions, and stop no handshake [DTLS-LIM-5]', () => {
  const world = new World({ findKey, connectionIdLength: 4 })
  const open = Array.from({ length: 20 }, () => world.client().start())
  const [first] = world.sent
  if (first === undefined) throw new Error('nobody has said hello')
  // with a cookie that never was one of ours: the second hello of a client, cut from another address
  const withCookie = world.sent.find(
    ({ direction, bytes }) => direction === 'up' && bytes.length > first.bytes.length,
  )
  if (withCookie === undefined) throw new Error('nobody has a cookie')

  let asked = 0
  let answered = 0
  const flood = (): void => {
    const template = world.random() < 0.5 ? first : withCookie
    const bytes = Uint8Array.from(template.bytes)
    for (let i = 0; i < 32; i++) bytes[RANDOM + i] = Math.floor(world.random() * 256)
    // from everywhere, and from where honest sensors are
    const [honest] = open.slice(Math.floor(world.random() * open.length))
    const stranger: Remote = { address: `198.51.100.${asked % 250}`, port: 1024 + (asked % 50_000) }
    asked += 1
    for (const { bytes: answer } of effectsOf(
      world.inject(bytes, asked % 10 === 0 ? honest?.remote : stranger),
      'send',
    )) {
      answered += 1
      expect(answer.length).toBeLessThanOrEqual(bytes.length)
    }
  }

  const fresh: VirtualClient[] = []
  let said = 0
  for (let millisecond = 0; millisecond < MILLISECONDS; millisecond++) {
    for (let i = 0; i < RATE / 2; i++) flood()
    const speaker = open[millisecond % open.length]
    expect(speaker?.send(`record ${said++}`)).toBe(true)
    if (millisecond % 10 === 0) fresh.push(world.client({}, `10.0.${millisecond % 256}.7`).start())
    for (let i = 0; i < RATE / 2; i++) flood()
    world.pass(1)
  }

  expect([asked, answered]).toEqual([RATE * MILLISECONDS, RATE * MILLISECONDS])
  expect(world.received).toEqual(Array.from({ length: said }, (_, i) => `record ${i}`))
  expect(fresh.filter(({ effects }) => effects.some(({ type }) => type === 'open'))).toHaveLength(40)
  expect([world.of('closed'), world.of('failed'), world.of('fault')]).toEqual([[], [], []])
  // nothing of the flood is remembered
  const all = open.length + fresh.length
  expect(world.server.sizes).toMatchObject({ sessions: all, halfOpen: 0, addresses: all, cids: all })
}, 60_000)
