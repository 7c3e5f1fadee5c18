// What a worker does with datagrams of sensors whose slots come and go, in virtual time.

import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { encode } from '../../../src/codec/v1/frame.ts'
import type { Packet } from '../../../src/codec/v1/messages.ts'
import type { BoundListener } from '../../../src/gateway/datagrams/listener.ts'
import { OwnerCheck } from '../../../src/gateway/datagrams/owner-check.ts'
import { SlotStates } from '../../../src/sessions/ownership/slot-states.ts'

const HOLD = 400
const SLOT = 7
const from = { address: '10.0.0.9', port: 5000 }
const pubrel: Packet = { type: 'pubrel', msgId: 9 }
const pingreq: Packet = { type: 'pingreq', clientId: null }

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }))
afterEach(() => void vi.useRealTimers())

/** A worker that serves two slots; a sensor of one of them is at an address. */
function scene() {
  const states = new SlotStates([SLOT, SLOT + 1])
  states.enter('served', [SLOT, SLOT + 1])
  const [handled, back, dropped]: [string[], [string, number][], string[]] = [[], [], []]
  const sensor = { isThere: true, isFinishing: false }
  const typeOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
  const check = new OwnerCheck({
    states,
    hold: HOLD,
    slotOf: () => SLOT,
    slotAt: () => (sensor.isThere ? SLOT : undefined),
    isFinishing: () => sensor.isFinishing,
    books: { counters: { dropped: {} }, onDiscarded: (reason) => void dropped.push(reason) },
    handle: (_, bytes) => void handled.push(typeOf(bytes)),
    giveBack: ([, bytes], age) => void back.push([typeOf(bytes), age]),
  })
  const bound = { index: 0, listener: { name: 'sensors' } } as unknown as BoundListener
  return {
    ...{ states, check, bound, handled, back, dropped },
    hear: (packet: Packet) => check.admits(bound, encode(packet), from),
    finish: () => void Object.assign(sensor, { isFinishing: true }),
    letGo: () => void Object.assign(sensor, { isThere: false }),
  }
}

const octets = (packet: Packet): string => Buffer.from(encode(packet)).toString('hex')

it('what is held for a slot that leaves goes back when it has left, as old as it can be, and in order', () => {
  const { states, check, hear, letGo, handled, back } = scene()
  states.enter('leaving', [SLOT])
  expect([hear(pubrel), hear(pingreq)]).toEqual([false, false])
  vi.advanceTimersByTime(30)
  letGo()
  check.settle()
  expect(back).toEqual([])
  states.enter('absent', [SLOT])
  check.settle()
  const age = 30 + HOLD / 2
  expect([handled, back]).toEqual([
    [],
    [
      [octets(pubrel), age],
      [octets(pingreq), age],
    ],
  ])
})

it('the same of what came when its sensor had left, and its slot had not yet', () => {
  const { states, check, hear, letGo, back } = scene()
  states.enter('leaving', [SLOT])
  letGo()
  expect(hear(pubrel)).toBe(false)
  states.enter('absent', [SLOT])
  check.settle()
  expect(back).toEqual([[octets(pubrel), HOLD / 2]])
})

it('what is held is handled here where the slot stays, or is back', () => {
  const { states, check, hear, handled, back } = scene()
  states.enter('leaving', [SLOT])
  hear(pubrel)
  states.enter('loading', [SLOT])
  check.settle()
  states.enter('served', [SLOT])
  check.settle()
  expect([handled, back]).toEqual([[octets(pubrel)], []])
})

it('what comes for a slot that has left goes back at once', () => {
  const { states, hear, letGo, back, dropped } = scene()
  states.enter('absent', [SLOT])
  letGo()
  expect(hear(pubrel)).toBe(false)
  expect([back, dropped]).toEqual([[[octets(pubrel), HOLD / 2]], []])
})

it('an exchange goes on as long as its slot is finishing', () => {
  const { states, finish, hear } = scene()
  states.enter('leaving', [SLOT])
  finish()
  expect([hear(pubrel), hear(pingreq), hear(pubrel)]).toEqual([true, false, false])
})

it('what is taken back goes before what has come for its sensor since (R2)', () => {
  const { states, check, bound, hear, handled } = scene()
  states.enter('leaving', [SLOT])
  hear(pingreq)
  check.takeBack([bound, encode(pubrel), from], performance.now() - HOLD / 2)
  expect(handled).toEqual([])
  states.enter('served', [SLOT])
  check.settle()
  expect(handled).toEqual([octets(pubrel), octets(pingreq)])
})
