// Records: what is read, what is thrown away, and that no number is used twice.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ClientMachine } from '../../src/dtls/client/machine.ts'
import { keyBlockOf } from '../../src/dtls/crypto/keys.ts'
import { sealAead } from '../../src/dtls/crypto/primitives.ts'
import type { Effect } from '../../src/dtls/effects.ts'
import { Channel } from '../../src/dtls/record/channel.ts'
import { recordOverhead } from '../../src/dtls/record/protection.ts'
import { readRecord, writePlainRecord } from '../../src/dtls/record/record.ts'
import { ReplayWindow } from '../../src/dtls/record/window.ts'
import { SUITES } from '../../src/dtls/suites.ts'
import { Puppet, recordsOf } from './puppet.ts'
import { effectsOf, findKey, IDENTITY, KEY, START, World } from './world.ts'

const ccm8 = { algorithm: 'aes-128-ccm', tagLength: 8 } as const
const keyBlock = () => Uint8Array.from({ length: 40 }, (_, index) => index + 1)

/** Two ends with the same keys. */
function pair(cipher: (typeof SUITES)[number]['cipher'] = ccm8, cid: readonly number[] = []) {
  const [a, b] = [new Channel(), new Channel()]
  a.setKeys(cipher, keyBlock(), 'client')
  b.setKeys(cipher, keyBlock(), 'server')
  a.peerCid = b.ownCid = Uint8Array.from(cid)
  return { a, b }
}

const only = (bytes: Uint8Array, cidLength = 0) => {
  const [record] = recordsOf(bytes, cidLength)
  if (record === undefined) throw new Error('no record')
  return record
}

describe('records in a datagram', () => {
  it('are handled one by one, and those in front of a record that is cut short count [DTLS-REC-1]', () => {
    const world = new World()
    const puppet = new Puppet(world).open()
    puppet.send(puppet.data('one'), puppet.data('two'), puppet.data('three').subarray(0, -1))
    expect(world.received).toEqual(['one', 'two'])
    expect(world.discarded('malformed')).toBe(1)
  })

  it('of one datagram are each a message of their own [DTLS-REC-12]', () => {
    const world = new World()
    const puppet = new Puppet(world).open()
    puppet.send(puppet.data('one'), puppet.data('two'))
    expect(world.of('data')).toHaveLength(2)
    world.answer('back')
    const last = world.of('send').at(-1)?.bytes ?? new Uint8Array()
    expect(recordsOf(last)).toHaveLength(1)
  })

  it('are read as 1.0 and 1.2, and written as 1.2 but for HelloVerifyRequest [DTLS-REC-2]', () => {
    const world = new World()
    const puppet = new Puppet(world)
    const old = (record: Uint8Array) => {
      record[2] = 0xff
      return record
    }
    const verify = puppet.send(old(puppet.plain(22, puppet.message(1, puppet.helloBody()))))
    expect(effectsOf(verify, 'send').map(({ bytes }) => recordsOf(bytes)[0]?.version)).toEqual([0xfeff])
    const other = new Puppet(world).open()
    expect(world.of('open')).toHaveLength(1)
    const others = world.sent.filter(
      ({ remote, direction }) => direction === 'down' && remote === other.remote,
    )
    const versions = others.flatMap(({ bytes }) => recordsOf(bytes)).map(({ version }) => version)
    expect([...new Set(versions.slice(1))]).toEqual([0xfefd])
    const strange = other.data('x')
    strange[2] = 0xfc
    other.send(strange)
    expect(world.discarded('version')).toBe(1)
  })

  it('with more than 2^14 octets, or less than nonce and tag, are thrown away [DTLS-REC-3]', () => {
    const world = new World()
    const puppet = new Puppet(world)
    puppet.send(writePlainRecord(22, 0, new Uint8Array(2 ** 14 + 1).fill(1)))
    expect(world.discarded('malformed')).toBe(1)
    puppet.open()
    const short = puppet.data('x').subarray(0, 13 + 15)
    short[12] = 15
    puppet.send(short)
    expect(world.discarded('malformed')).toBe(2)
    puppet.send(puppet.channel.write(1, 23, new Uint8Array(2 ** 14)))
    expect(world.of('data').at(-1)?.bytes).toHaveLength(2 ** 14)
    puppet.send(puppet.channel.write(1, 23, new Uint8Array(2 ** 14 + 2)))
    expect(world.discarded('malformed')).toBe(3)
  })

  it('of types that nobody knows are thrown away [DTLS-REC-11]', () => {
    const world = new World()
    const puppet = new Puppet(world).open()
    for (const type of [0, 19, 24, 26, 255]) puppet.send(puppet.channel.write(1, type, Uint8Array.of(1, 2)))
    puppet.send(puppet.plain(99, Uint8Array.of(1)))
    expect([world.received, world.of('closed'), world.of('fault')]).toEqual([[], [], []])
    expect(world.discarded('unexpected')).toBe(5)
  })

  it('parse or are cut short, whatever the octets, and never reach beyond them [DTLS-REC-1]', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), fc.nat(80), fc.nat(20), (bytes, at, cidLength) => {
        const record = readRecord(bytes, at, cidLength)
        if (record === undefined) return
        expect(at + record.size).toBeLessThanOrEqual(bytes.length)
        expect(record.payload.length).toBe(record.size - 13 - record.cid.length)
      }),
      { numRuns: 2000 },
    )
  })
})

describe('the protection of records', () => {
  for (const { name, cipher } of SUITES.slice(0, 3)) {
    for (const cid of [[], [1, 2, 3]]) {
      it(`${name} with ${cid.length} octets of id: what is sealed opens, and nothing that was changed does`, () => {
        fc.assert(
          fc.property(
            fc.uint8Array({ maxLength: 300 }),
            fc.nat(),
            fc.integer({ min: 1, max: 255 }),
            (content, at, flip) => {
              const { a, b } = pair(cipher, cid)
              const record = a.write(1, 23, content)
              expect(record.length).toBe(content.length + recordOverhead(cipher, cid.length))
              const changed = Uint8Array.from(record)
              const index = 1 + (at % (record.length - 1))
              changed[index] = (changed[index] ?? 0) ^ flip
              const read = readRecord(changed, 0, cid.length)
              if (read !== undefined) expect(b.open(read).result).not.toBe('content')
              const opened = b.open(only(record, cid.length))
              expect(opened).toMatchObject({ result: 'content', content: { type: 23 } })
              if (opened.result === 'content') expect([...opened.content.content]).toEqual([...content])
            },
          ),
          { numRuns: 100 },
        )
      })
    }
  }

  it('writes epoch and sequence number as explicit nonce, and takes any that comes [DTLS-REC-4]', () => {
    const { a, b } = pair()
    for (let count = 0; count < 3; count++) {
      const record = a.write(1, 23, Uint8Array.of(1))
      expect([...record.subarray(13, 21)]).toEqual([0, 1, 0, 0, 0, 0, 0, count])
    }
    const { client } = keyBlockOf(keyBlock())
    const explicit = Uint8Array.from([9, 8, 7, 6, 5, 4, 3, 2])
    const record = new Uint8Array(13 + 8 + 2 + 8)
    record.set([23, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 9, 0, 18])
    record.set(explicit, 13)
    const additional = Uint8Array.from([...record.subarray(3, 11), 23, 0xfe, 0xfd, 0, 2])
    sealAead(
      ccm8,
      client.key,
      Uint8Array.from([...client.iv, ...explicit]),
      additional,
      Buffer.from('hi'),
      record,
      21,
    )
    expect(b.open(only(record))).toMatchObject({ result: 'content' })
  })

  it('never writes the same nonce under a key, over restarts at any time [DTLS-REC-5, DTLS-RUN-2 in part]', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 1500 }), { minLength: 1, maxLength: 5 }),
        fc.boolean(),
        (lives, withCid) => {
          const options = { findKey, persist: true, connectionIdLength: withCid ? 6 : 0 }
          const world = new World(options)
          world.client({ connectionIdLength: withCid ? 3 : 'off' }).start()
          const session = world.session
          // a store that takes what is saved at the moment of the effect, and nothing else
          let stored = world.server.save(session)
          const numbers: number[] = []
          let current = world
          const collect = (effects: Effect[]) => {
            for (const effect of effects) {
              if (effect.type === 'save') stored = current.server.save(session)
              if (effect.type === 'send') {
                const record = only(effect.bytes, withCid ? 3 : 0)
                expect(record.sequence).toBeLessThan(stored?.sequence ?? 0)
                numbers.push(record.sequence)
              }
            }
          }
          for (const count of lives) {
            for (let sent = 0; sent < count; sent++)
              collect(current.do((turn) => void current.server.send(session, Uint8Array.of(1), turn)))
            // it is killed: only what was stored is left
            current = new World(options)
            const saved = stored
            if (saved) current.do((turn) => void current.server.restore(saved, turn))
          }
          expect(new Set(numbers).size).toBe(numbers.length)
        },
      ),
      { numRuns: 10 },
    )
  })

  it('ends the session before sequence numbers run out [DTLS-REC-10]', () => {
    const world = new World({ findKey, persist: true })
    world.client().start()
    const saved = world.server.save(world.session)
    if (saved === undefined) throw new Error('nothing was saved')
    const late = new World({ findKey, persist: true })
    late.do((turn) => void late.server.restore({ ...saved, sequence: 2 ** 48 - 3 }, turn))
    expect([late.answer('one', saved.session), late.answer('two', saved.session)]).toEqual([true, false])
    expect(late.of('closed')).toHaveLength(1)
    const last = late.of('send').map(({ bytes }) => only(bytes).sequence)
    expect(last).toEqual([2 ** 48 - 3, 2 ** 48 - 2])

    const machine = new ClientMachine(
      { psk: { identity: IDENTITY, key: KEY }, remote: { address: '::1', port: 1 } },
      world.chance,
    )
    machine.channel.setKeys(ccm8, keyBlock(), 'client')
    machine.channel.sequence = 2 ** 48 - 2
    machine.state = 'open'
    const out: Effect[] = []
    expect(machine.send(Uint8Array.of(1), { now: 0, wall: START, out })).toBe(false)
    expect(out.map(({ type }) => type)).toEqual(['send', 'closed'])
  })
})

describe('the replay window', () => {
  it('equals a set of all that came, cut at 64 [DTLS-REC-6, DTLS-REC-7]', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.nat(200), fc.nat(2 ** 40)), { maxLength: 200 }), (numbers) => {
        const window = new ReplayWindow()
        const seen = new Set<number>()
        let top = -1
        for (const number of numbers) {
          const isNew = !seen.has(number) && number > top - 64
          expect(window.accepts(number)).toBe(isNew)
          if (!isNew) continue
          expect(window.mark(number)).toBe(number > top)
          seen.add(number)
          top = Math.max(top, number)
        }
        expect(window.top).toBe(top)
      }),
      { numRuns: 500 },
    )
  })

  it('is looked at before the tag, and changed only after it [DTLS-REC-6]', () => {
    const { a, b } = pair()
    const first = a.write(1, 23, Uint8Array.of(1))
    expect(b.open(only(first)).result).toBe('content')
    const broken = Uint8Array.from(first)
    broken[broken.length - 1] = (broken.at(-1) ?? 0) ^ 1
    expect(b.open(only(broken)).result).toBe('replay')
    expect(b.forgeries).toBe(0)
    a.sequence = 500
    const far = a.write(1, 23, Uint8Array.of(1))
    far[far.length - 1] = (far.at(-1) ?? 0) ^ 1
    expect(b.open(only(far)).result).toBe('mac')
    a.sequence = 1
    expect(b.open(only(a.write(1, 23, Uint8Array.of(2)))).result).toBe('content')
  })

  it('lets no record in twice, nor one left of it, and both are counted [DTLS-REC-7]', () => {
    const world = new World()
    const puppet = new Puppet(world).open()
    const old = puppet.data('old')
    const one = puppet.data('one')
    puppet.send(one)
    puppet.send(one)
    for (let count = 0; count < 64; count++) puppet.send(puppet.data('.'))
    puppet.send(old)
    expect(world.received.filter((text) => text !== '.')).toEqual(['one'])
    expect(world.discarded('replay')).toBe(2)
  })

  it('counts forged records, and 2^20 of them end a session with tags of 8 octets, no other [DTLS-REC-8]', () => {
    const forged = (channel: Channel, other: Channel) => {
      const record = other.write(1, 23, Uint8Array.of(1))
      record[record.length - 1] = (record.at(-1) ?? 0) ^ 1
      return channel.open(only(record)).result
    }
    for (const { cipher } of SUITES) {
      const { a, b } = pair(cipher)
      b.forgeries = 2 ** 20 - 1
      expect(b.isWorn).toBe(false)
      expect(forged(b, a)).toBe('mac')
      expect(b.isWorn).toBe(cipher.tagLength === 8)
    }
    const world = new World()
    const puppet = new Puppet(world).open()
    const record = puppet.data('x')
    record[record.length - 1] = (record.at(-1) ?? 0) ^ 1
    const effects = puppet.send(record)
    expect(effects).toEqual([{ type: 'discard', reason: 'mac' }])
  })
})

describe('epoch 0', () => {
  it('brings no message of the application in any state [DTLS-REC-9]', () => {
    const world = new World()
    const puppet = new Puppet(world)
    const poison = () => puppet.send(puppet.plain(23, Buffer.from('poison')))
    poison()
    puppet.begin()
    poison()
    for (const record of Object.values(puppet.records())) {
      puppet.send(record)
      poison()
    }
    expect(world.of('open')).toHaveLength(1)
    expect(world.received).toEqual([])
  })

  it('says what a record costs: 29 octets with tags of 8, 37 with others, and the id with its type [DTLS-REC-13 in part]', () => {
    for (const { code, cipher } of SUITES.filter(({ exchange }) => exchange === 'psk')) {
      for (const ownCid of [0, 4]) {
        const world = new World()
        const client = world.client({ suites: [code], connectionIdLength: ownCid }).start()
        const expected = (cipher.tagLength === 8 ? 29 : 37) + (ownCid === 0 ? 0 : ownCid + 1)
        expect(world.of('open')[0]?.info.overhead).toBe(expected)
        world.answer('12345')
        expect(world.of('send').at(-1)?.bytes).toHaveLength(expected + 5)
        expect(client.received).toEqual(['12345'])
      }
    }
  })

  it('and max_fragment_length: echoed, obeyed in handshake and data; what does not fit is not sent [DTLS-REC-14]', () => {
    const world = new World()
    const client = world.client({ maxFragmentLength: 512 }).start()
    expect(client.core.state).toBe('open')
    expect(world.answer('x'.repeat(512))).toBe(true)
    expect(world.answer('x'.repeat(513))).toBe(false)
    expect(world.discarded('too-long')).toBe(1)
    expect(client.received.map(({ length }) => length)).toEqual([512])
    expect(client.send('x'.repeat(513))).toBe(false)
  })
})
