// Alerts, and what ends sessions: peers, time, too many of them.

import { describe, expect, it } from 'vitest'
import { extension } from '../../src/dtls/handshake/extensions.ts'
import { writePlainRecord } from '../../src/dtls/record/record.ts'
import { Puppet, recordsOf, told } from './puppet.ts'
import { effectsOf, findKey, World } from './world.ts'

const HOUR = 3_600_000
const options = { findKey, connectionIdLength: 0 }

describe('alerts', () => {
  it('close_notify is answered, and the session is gone [DTLS-AL-1 in part]', () => {
    const world = new World(options)
    const puppet = new Puppet(world).open()
    const [answer] = effectsOf(puppet.send(puppet.channel.write(1, 21, Uint8Array.of(1, 0))), 'send')
    const [record] = recordsOf(answer?.bytes ?? new Uint8Array())
    const opened = record && puppet.channel.open(record)
    expect(opened?.result === 'content' ? [...opened.content.content] : []).toEqual([1, 0])
    expect(world.of('closed')).toEqual([{ type: 'closed', session: world.session, why: 'close_notify' }])
    expect(world.answer('late')).toBe(false)
    puppet.send(puppet.data('late'))
    expect(world.received).toEqual([])
    expect(world.discarded('no-session')).toBe(1)
  })

  it('fatal ones end the session without an answer, and it is not resumed [DTLS-AL-2]', () => {
    const world = new World({ ...options, tickets: false })
    const puppet = new Puppet(world).open()
    expect(effectsOf(puppet.send(puppet.channel.write(1, 21, Uint8Array.of(2, 20))), 'send')).toEqual([])
    expect(world.of('closed')).toMatchObject([{ why: 'the peer says bad_record_mac' }])
    const sessionId = puppet.messages.get(2)?.subarray(35, 67) ?? new Uint8Array()
    expect(told(new Puppet(world, { sessionId }).begin())).toEqual(['message 2', 'message 14'])
  })

  it('warnings other than close_notify are ignored [DTLS-AL-3]', () => {
    const world = new World(options)
    const puppet = new Puppet(world)
    puppet.begin()
    puppet.send(puppet.plain(21, Uint8Array.of(1, 90)), ...Object.values(puppet.records()))
    for (const code of [10, 90, 100, 255]) puppet.send(puppet.channel.write(1, 21, Uint8Array.of(1, code)))
    puppet.send(puppet.channel.write(1, 21, Uint8Array.of(1)), puppet.channel.write(1, 21, new Uint8Array(0)))
    puppet.send(puppet.data('still here'))
    expect([world.received, world.of('closed')]).toEqual([['still here'], []])
  })

  it('of epoch 0 end a handshake under way, and never touch an open session [DTLS-AL-4]', () => {
    const world = new World(options)
    const puppet = new Puppet(world).open()
    const alert = () =>
      puppet.send(puppet.plain(21, Uint8Array.of(2, 40)), puppet.plain(21, Uint8Array.of(1, 0)))
    alert()
    puppet.send(puppet.data('still here'))
    const beside = new Puppet(world, { remote: puppet.remote })
    beside.begin()
    alert()
    puppet.send(puppet.data('and here'))
    expect(world.received).toEqual(['still here', 'and here'])
    expect(world.of('failed')).toMatchObject([{ cause: 'alert' }])
    expect(world.server.sizes).toMatchObject({ sessions: 1, halfOpen: 0 })
  })

  it('are sent once by each association [DTLS-AL-5]', () => {
    const world = new World(options)
    const puppet = new Puppet(world)
    puppet.begin()
    const bad = () => puppet.plain(22, Uint8Array.from([15, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0]))
    const again = puppet.send(bad(), bad(), bad())
    expect(told(again)).toEqual(['alert 10'])
    const open = new Puppet(world).open()
    const close = () => open.channel.write(1, 21, Uint8Array.of(1, 0))
    expect(
      effectsOf(open.send(close(), close(), open.channel.write(1, 21, Uint8Array.of(2, 10))), 'send'),
    ).toHaveLength(1)
    world.do((turn) => world.server.close(world.session, 'again', turn))
    expect(world.of('closed')).toHaveLength(1)
  })

  it('never come out in answer to what anybody could have sent', () => {
    const world = new World()
    for (let type = 0; type < 256; type++) {
      for (const epoch of [0, 1, 2]) {
        const record = writePlainRecord(type, 5, Uint8Array.of(2, 40, 0, 0, 0, 0, 0, 0))
        record[4] = epoch
        expect(effectsOf(world.inject(record), 'send')).toEqual([])
      }
    }
    expect(world.of('discard').length).toBeGreaterThanOrEqual(3 * 256)
  })
})

describe('too many sessions', () => {
  it('cost the oldest that nobody holds; where all are held the hello is thrown away [DTLS-LIM-3]', () => {
    const world = new World({ ...options, sessions: 2 })
    const [first, second] = [new Puppet(world).open(), new Puppet(world).open()]
    const [one, two] = world.of('open').map(({ session }) => session) as [number, number]
    world.do((turn) => world.server.setInUse(one, true, turn))
    const third = new Puppet(world).open()
    expect(world.of('closed')).toEqual([{ type: 'closed', session: two, why: 'displaced' }])
    first.send(first.data('first'))
    second.send(second.data('second'))
    third.send(third.data('third'))
    expect(world.received).toEqual(['first', 'third'])
    world.do((turn) => world.server.setInUse(world.session, true, turn))
    expect(told(new Puppet(world).begin())).toEqual([])
    expect(world.discarded('sessions')).toBe(1)
  })

  it('cost nobody anything before the new one is open, and none that all hold [DTLS-LIM-3]', () => {
    const world = new World({ ...options, sessions: 1 })
    const open = new Puppet(world).open()
    const session = world.session
    const waiting = new Puppet(world)
    waiting.begin()
    open.send(open.data('still here'))
    expect([world.received, world.of('closed')]).toEqual([['still here'], []])
    world.do((turn) => world.server.setInUse(session, true, turn))
    expect(told(waiting.send(...Object.values(waiting.records())))).toEqual(['alert 80'])
    expect(world.of('failed')).toMatchObject([{ cause: 'refused' }])
    open.send(open.data('and here'))
    expect([world.received.length, world.of('closed')]).toEqual([2, []])
  })

  it('and too much that waits: long hellos and long early records are thrown away [DTLS-HS-7, DTLS-LIM-1]', () => {
    const world = new World(options)
    const padding = extension(21, new Uint8Array(4096))
    expect(told(new Puppet(world, { extensions: [padding] }).askCookie())).toEqual([])
    const puppet = new Puppet(world)
    puppet.begin()
    const { exchange, change, finished } = puppet.records() as Record<
      'exchange' | 'change' | 'finished',
      Uint8Array
    >
    puppet.send(puppet.channel.write(1, 23, new Uint8Array(3000)), finished, exchange, change)
    expect([world.discarded('early'), world.of('open').length, world.received]).toEqual([1, 1, []])
  })
})

describe('time', () => {
  it('ends sessions that nobody holds after `idle`, others stay [DTLS-LIM-6]', () => {
    const world = new World(options)
    const [held, idle] = [new Puppet(world).open(), new Puppet(world).open()]
    const [one, two] = world.of('open').map(({ session }) => session) as [number, number]
    world.do((turn) => world.server.setInUse(one, true, turn))
    world.pass(HOUR / 2)
    idle.send(idle.data('here'))
    world.pass(HOUR - 1)
    expect(world.of('closed')).toEqual([])
    world.pass(20_000)
    expect(world.of('closed')).toEqual([{ type: 'closed', session: two, why: 'idle' }])
    world.pass(100 * HOUR)
    held.send(held.data('here'))
    expect(world.received).toEqual(['here', 'here'])
    world.do((turn) => world.server.setInUse(one, false, turn))
    world.pass(HOUR + 20_000)
    expect(world.server.sizes).toEqual({ sessions: 0, halfOpen: 0, addresses: 0, cids: 0, unused: 0 })
  })
})

describe('a mistake in the core', () => {
  it('costs one association, and is told', () => {
    let broken = false
    const world = new World({
      connectionIdLength: 0,
      findKey: (identity) => {
        if (broken) throw new Error('a mistake')
        return findKey(identity)
      },
    })
    const honest = new Puppet(world).open()
    broken = true
    const unlucky = new Puppet(world)
    unlucky.open()
    expect(world.of('fault')).toHaveLength(1)
    expect(world.of('failed')).toMatchObject([{ cause: 'fault' }])
    expect(world.server.sizes).toMatchObject({ sessions: 1, halfOpen: 0 })
    honest.send(honest.data('still here'))
    expect(world.received).toEqual(['still here'])
  })
})

describe('restarts', () => {
  for (const connectionIdLength of [0, 6]) {
    it(`a saved session goes on ${connectionIdLength ? 'with an id, from another address' : 'at the same address'}, and takes nothing twice [DTLS-RUN-1 in part, DTLS-RUN-2 in part]`, () => {
      const persistent = { findKey, connectionIdLength, persist: true }
      const world = new World(persistent)
      const client = world.client().start()
      client.send('before')
      const [save] = world.of('save')
      const saved = world.server.save(save?.session ?? 0)
      const replayed = world.sent.filter(({ direction }) => direction === 'up').at(-1)
      if (saved === undefined || replayed === undefined) throw new Error('nothing was saved')
      const after = new World(persistent)
      after.do((turn) => void after.server.restore(saved, turn))
      after.inject(replayed.bytes, replayed.remote)
      expect(after.discarded('replay')).toBe(1)
      const from = connectionIdLength ? { address: '192.0.2.3', port: 3 } : client.remote
      const record = effectsOf(
        client.do((turn) => void client.core.send(Buffer.from('after'), turn)),
        'send',
      )
      after.inject(record[0]?.bytes ?? new Uint8Array(), from)
      expect(after.received).toEqual(['after'])
      // what the restored server says, the client reads
      const said = effectsOf(
        after.do((turn) => void after.server.send(saved.session, Buffer.from('hi'), turn)),
        'send',
      )
      client.do((turn) => client.core.receive(said[0]?.bytes ?? new Uint8Array(), turn))
      expect(client.received).toEqual(['hi'])
    })
  }

  it('a saved session does not come back with a key that was changed, or twice; one that ends is forgotten', () => {
    const world = new World({ ...options, persist: true })
    const client = world.client().start()
    const saved = world.server.save(world.session)
    if (saved === undefined) throw new Error('nothing was saved')
    const restored = (server: World) => {
      let result = false
      server.do((turn) => {
        result = server.server.restore(saved, turn)
      })
      return result
    }
    const other = new World({ ...options, findKey: () => new Uint8Array(16).fill(1) })
    expect(restored(other)).toBe(false)
    const same = new World(options)
    expect([restored(same), restored(same)]).toEqual([true, false])
    client.close()
    expect(world.of('forget')).toEqual([{ type: 'forget', session: saved.session }])
  })
})
