// Servers that share sessions: each has those of some slots, which numbers and connection ids tell.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { SavedSession } from '../../src/dtls/server/saved.ts'
import { beginsInPlain, numberInSlot, slotInDatagram, slotOfNumber } from '../../src/dtls/slots.ts'
import { findKey, World } from './world.ts'

/** A server whose sessions begin in these slots, one after the other. */
function sharing(slots: number[], connectionIdLength = 6): World {
  let count = 0
  const place = () => {
    const slot = slots.shift()
    count += 1
    return slot === undefined ? undefined : { slot, number: numberInSlot(slot, count) }
  }
  return new World({ findKey, connectionIdLength, persist: true, place })
}

/** All of them, out of one server and into another one. */
function move(from: World, to: World, isWanted = (_session: number) => true): SavedSession[] {
  let taken: SavedSession[] = []
  from.do((turn) => {
    taken = from.server.takeAway(isWanted, turn)
  })
  for (const saved of taken) to.do((turn) => expect(to.server.restore(saved, turn)).toBe(true))
  return taken
}

describe('a session that servers share', () => {
  it('has a number that tells its slot, which one of a server that shares with nobody does not', () => {
    const slots = fc.integer({ min: 0, max: 1023 })
    const counts = fc.integer({ min: 1, max: 2 ** 37 - 1 })
    fc.assert(
      fc.property(slots, counts, (slot, count) => {
        const number = numberInSlot(slot, count)
        expect([slotOfNumber(number), number < 2 ** 48]).toEqual([slot, true])
      }),
    )
    expect(numberInSlot(7, 1)).not.toBe(numberInSlot(7, 2))
    expect([1, 2 ** 40].map(slotOfNumber)).toEqual([undefined, undefined])
  })

  it('puts its slot into its connection id, of whatever length: each record of the sensor tells it', () => {
    for (const length of [4, 6, 16]) {
      for (const slot of [0, 1, 255, 256, 700, 1023]) {
        const world = sharing([slot, slot], length)
        const client = world.client().start()
        client.send('hello')
        const [record] = world.sent.filter(({ direction }) => direction === 'up').slice(-1)
        expect(slotInDatagram(record?.bytes ?? new Uint8Array())).toBe(slot)
        const other = world.client().start()
        other.send('hello')
        const ids = world.of('open').map(({ info }) => info.connectionId)
        expect(new Set(ids).size).toBe(2)
        expect(world.of('open').map(({ session }) => slotOfNumber(session))).toEqual([slot, slot])
      }
    }
  })

  it('begins nowhere while no slot is served: the hello is counted, and nobody is told anything', () => {
    const world = sharing([])
    world.client().start()
    expect(world.of('discard').map(({ reason }) => reason)).toEqual(['sessions'])
    expect([world.server.sizes.halfOpen, world.of('failed')]).toEqual([0, []])
  })

  it('is told from those of others by the first record, and a handshake from both', () => {
    const [here, there] = [sharing([5]), sharing([6])]
    const [own, other] = [here.client().start(), there.client().start()]
    const lastOf = (world: World) => world.sent.filter(({ direction }) => direction === 'up').at(-1)
    own.send('a')
    other.send('b')
    const [mine, theirs, hello] = [lastOf(here), lastOf(there), here.sent[0]]
    if (!mine || !theirs || !hello) throw new Error('three datagrams')
    const elsewhere = { address: '10.7.7.7', port: 7 }
    expect(here.server.locate(mine.bytes, elsewhere)).toBe('here')
    expect(here.server.locate(theirs.bytes, other.remote)).toBe('elsewhere')
    expect([beginsInPlain(hello.bytes), here.server.locate(hello.bytes, elsewhere)]).toEqual([
      true,
      'beginning',
    ])
    const byAddress = sharing([7])
    const plain = byAddress.client({ connectionIdLength: 'off' }).start()
    plain.send('c')
    const record = lastOf(byAddress)?.bytes ?? new Uint8Array()
    expect([slotInDatagram(record), byAddress.server.locate(record, plain.remote)]).toEqual([
      undefined,
      'here',
    ])
    expect(byAddress.server.locate(record, elsewhere)).toBe('elsewhere')
  })

  it('goes to another server without a word to the sensor: no number is used twice, and nothing old is taken [DTLS-RUN-2]', () => {
    const [a, b] = [sharing([5, 6]), sharing([])]
    const [client, stays] = [a.client().start(), a.client().start()]
    client.send('first')
    a.answer('down')
    const before = a.sent.length
    const [moved] = move(a, b, (session) => slotOfNumber(session) === 5)
    expect([a.sent.length, a.of('closed'), a.server.sizes.sessions]).toEqual([before, [], 1])
    expect(slotOfNumber(moved?.session ?? 0)).toBe(5)
    // the same record once more, at the one that has it now and at the one that had it
    const ofClient = a.sent.filter(({ direction, remote }) => direction === 'up' && remote === client.remote)
    const old = ofClient.at(-1)?.bytes ?? new Uint8Array()
    for (const world of [a, b]) world.inject(old, client.remote)
    expect([a, b].map((world) => world.of('discard').at(-1)?.reason)).toEqual(['no-session', 'replay'])
    const downs = a.sent.filter(
      ({ direction, remote }) => direction === 'down' && remote.port === client.remote.port,
    )
    const numberOf = (bytes: Uint8Array) => Buffer.from(bytes).readUIntBE(5, 6)
    const used = downs.filter(({ bytes }) => bytes[4] === 1).map(({ bytes }) => numberOf(bytes))
    b.do((turn) => void b.server.send(moved?.session ?? 0, Uint8Array.of(1), turn))
    const next = b.sent.at(-1)?.bytes ?? new Uint8Array()
    expect(numberOf(next)).toBeGreaterThan(Math.max(...used))
    // it is reserved before it leaves
    const order = b.effects.map(({ type }) => type)
    expect(order.lastIndexOf('save')).toBeLessThan(order.lastIndexOf('send'))
    stays.send('goes on')
    expect(a.received.at(-1)).toBe('goes on')
  })

  it('is not among those that go while its handshake lasts: that fails, and is begun anew', () => {
    const [a, b] = [sharing([5]), sharing([])]
    a.network = (direction, bytes) => (direction === 'up' && bytes[0] === 22 && bytes[13] === 16 ? [] : [0])
    const client = a.client().start()
    expect(a.server.sizes.halfOpen).toBe(1)
    expect(move(a, b)).toEqual([])
    expect([a.server.sizes.halfOpen, a.of('failed').map(({ cause }) => cause)]).toEqual([0, ['replaced']])
    // the sensor knows at once, and need not repeat itself to nobody
    a.settle()
    expect(client.effects.filter(({ type }) => type === 'failed')).toMatchObject([{ cause: 'alert' }])
  })
})
