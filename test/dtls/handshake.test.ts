// Handshakes under way: flights, fragments, times, secrets of others, and what ends them.

import { sign } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import * as pki from '../../lab/pki.ts'
import { signerOf } from '../../src/dtls/crypto/chance.ts'
import { createTrust, derChain } from '../../src/dtls/crypto/x509.ts'
import type { Effect } from '../../src/dtls/effects.ts'
import { cutMessage, readFragments, writeMessage } from '../../src/dtls/handshake/messages.ts'
import { utf8Of } from '../../src/dtls/octets.ts'
import { writePlainRecord } from '../../src/dtls/record/record.ts'
import { EMS, fragmentsOf, groupsOf, Puppet, recordsOf, SIGNATURES, told } from './puppet.ts'
import { effectsOf, findKey, IDENTITY, KEY, World } from './world.ts'

const credentials = ({ cert, key }: pki.TestCertificate) => ({ chain: derChain(cert), sign: signerOf(key) })
const byCertificate = {
  certificate: credentials(pki.server),
  clientTrust: createTrust({ authorities: pki.ca.cert, purpose: 'client' }),
}
const nothing = { sessions: 0, halfOpen: 0, addresses: 0, cids: 0, unused: 0 }
const certificatePuppet = (world: World, certificate: pki.TestCertificate | undefined) =>
  new Puppet(world, {
    suites: [0xc0ae],
    extensions: [EMS, groupsOf(23), SIGNATURES],
    certificate: certificate && credentials(certificate),
  })
const flightRecords = (effects: readonly Effect[]) =>
  effectsOf(effects, 'send').flatMap(({ bytes }) => recordsOf(bytes, 0))

describe('flights', () => {
  it('are repeated after 2, 4, 8 .. seconds while the server waits, with new record numbers and the same messages, and given up silently after 60 [DTLS-HS-9, DTLS-HS-10, DTLS-HS-12]', () => {
    const world = new World()
    new Puppet(world).begin()
    const before = world.effects.length
    const at: number[] = []
    const numbers = new Set<number>()
    const contents = new Set<string>()
    for (let second = 1; second <= 100; second++) {
      const count = world.effects.length
      world.pass(1000)
      const records = flightRecords(world.effects.slice(count))
      if (records.length > 0) at.push(second)
      for (const { sequence, payload } of records) {
        expect(numbers.has(sequence)).toBe(false)
        numbers.add(sequence)
        contents.add(Buffer.from(payload).toString('hex'))
      }
    }
    expect(at).toEqual([2, 6, 14, 30])
    expect(contents.size).toBe(2)
    const rest = world.effects.slice(before)
    expect(rest.at(-1)).toMatchObject({ type: 'failed', cause: 'timeout' })
    expect(world.server.sizes).toEqual(nothing)
  })

  it('of an open session are sent again only when the client repeats its own [DTLS-HS-8, DTLS-HS-9]', () => {
    const world = new World({ findKey, connectionIdLength: 0 })
    const puppet = new Puppet(world)
    puppet.begin()
    const answers = puppet.answer()
    const finished = answers.at(-1)?.message ?? new Uint8Array()
    const exchange = answers[0]?.message ?? new Uint8Array()
    puppet.send(
      puppet.plain(22, exchange),
      puppet.plain(20, Uint8Array.of(1)),
      puppet.channel.write(1, 22, finished),
    )
    const count = world.effects.length
    world.pass(30_000)
    expect(effectsOf(world.effects.slice(count), 'send')).toEqual([])
    // the unprotected part of a repetition is nobody's proof
    expect(puppet.send(puppet.plain(22, exchange))).toEqual([{ type: 'discard', reason: 'no-session' }])
    expect(told(puppet.send(puppet.channel.write(1, 22, finished)))).toEqual(
      ['message 4', 'change', 'protected'].slice(1),
    )
    world.pass(60_000)
    expect(told(puppet.send(puppet.channel.write(1, 22, finished)))).toEqual([])
    puppet.send(puppet.data('still open'))
    expect(world.received).toEqual(['still open'])
  })

  it('are cut to the mtu, several records in a datagram, certificates in fragments [DTLS-HS-11]', () => {
    for (const mtu of [256, 300, 512, 1200]) {
      const world = new World({ ...byCertificate, mtu })
      const effects = certificatePuppet(world, pki.client).begin()
      const flight = effectsOf(effects, 'send').map(({ bytes }) => bytes)
      for (const { length } of flight) expect(length).toBeLessThanOrEqual(mtu)
      expect(flight.length).toBeLessThanOrEqual(Math.ceil(900 / (mtu - 60)))
      const pieces = flight
        .flatMap((bytes) => recordsOf(bytes))
        .flatMap(({ payload }) => readFragments(payload) ?? [])
        .filter(({ type }) => type === 11)
      expect(pieces.length > 1).toBe(mtu <= 512)
    }
  })

  it('messages of a lower number are dropped, and change nothing [DTLS-HS-8]', () => {
    const world = new World()
    const puppet = new Puppet(world)
    puppet.begin()
    const { exchange, change, finished } = puppet.records() as Record<
      'exchange' | 'change' | 'finished',
      Uint8Array
    >
    puppet.send(
      exchange,
      exchange,
      exchange,
      writePlainRecord(22, 50, writeMessage(16, 0, new Uint8Array(9))),
    )
    puppet.send(change, finished)
    expect(world.of('open')).toHaveLength(1)
  })
})

describe('fragments', () => {
  const pieces = (message: Uint8Array) => fragmentsOf(message, 5)
  const start = () => {
    const world = new World()
    const puppet = new Puppet(world)
    puppet.begin()
    const [exchange, finished] = puppet.answer().map(({ message }) => message) as [Uint8Array, Uint8Array]
    const finish = () =>
      puppet.send(puppet.plain(20, Uint8Array.of(1)), puppet.channel.write(1, 22, finished))
    return { world, puppet, exchange, finish }
  }

  it('come in any order, twice, and over each other [DTLS-HS-5]', () => {
    const { world, puppet, exchange, finish } = start()
    const cut = pieces(exchange)
    const wide = cutMessage(exchange, 2, 6)
    for (const piece of [...cut.toReversed(), ...cut, wide].toSorted(() => world.random() - 0.5))
      puppet.send(puppet.plain(22, piece))
    finish()
    expect(world.of('open')).toHaveLength(1)
  })

  it('that do not belong together end the handshake [DTLS-HS-5]', () => {
    const [otherLength, otherType, tooLong] = [3, 0, 11]
    for (const at of [otherLength, otherType, tooLong]) {
      const { world, puppet, exchange } = start()
      const [first, second] = pieces(exchange) as [Uint8Array, Uint8Array]
      puppet.send(puppet.plain(22, first))
      const wrong = Uint8Array.from(second)
      wrong[at] = (wrong[at] ?? 0) + (at === tooLong ? 200 : 1)
      const content = at === tooLong ? Uint8Array.from([...wrong, ...new Uint8Array(200)]) : wrong
      expect(told(puppet.send(puppet.plain(22, content)))).toEqual(['alert 47'])
      expect(world.server.sizes).toEqual(nothing)
    }
  })

  it('of no octets change nothing [DTLS-HS-6]', () => {
    const { world, puppet, exchange, finish } = start()
    for (let count = 0; count < 100; count++)
      puppet.send(puppet.plain(22, cutMessage(exchange, count % 9, 0)))
    expect(world.of('failed')).toEqual([])
    puppet.send(puppet.plain(22, exchange))
    finish()
    expect(world.of('open')).toHaveLength(1)
  })

  it('wait only within bounds: messages ahead, octets of one, octets of all [DTLS-HS-7]', () => {
    const { world, puppet } = start()
    const piece = (seq: number, length: number) => {
      const message = writeMessage(11, seq, new Uint8Array(length))
      return puppet.plain(22, cutMessage(message, 0, 10))
    }
    puppet.send(piece(2 + 8, 100))
    expect(world.discarded('early')).toBe(1)
    puppet.send(piece(3, 8000), piece(4, 8000))
    expect(world.discarded('early')).toBe(1)
    puppet.send(piece(5, 8000))
    expect(world.discarded('early')).toBe(2)
    expect(told(puppet.send(piece(6, 8193)))).toEqual(['alert 47'])
  })
})

describe('secrets', () => {
  it('an unknown identity and a wrong key look the same from outside, and are told apart inside [DTLS-HS-18]', () => {
    const seen = [
      { identity: utf8Of('stranger'), key: KEY },
      { identity: utf8Of(IDENTITY), key: new Uint8Array(16).fill(9) },
      { identity: utf8Of('x'.repeat(129)), key: KEY },
      { identity: Uint8Array.of(0xff, 0xfe), key: KEY },
      { identity: utf8Of('me\u0007ter'), key: KEY },
      { identity: new Uint8Array(0), key: KEY },
    ].map((options) => {
      const world = new World()
      const puppet = new Puppet(world, {
        ...options,
        random: new Uint8Array(32).fill(1),
        remote: { address: '10.0.0.3', port: 3 },
      })
      puppet.begin()
      for (const record of Object.values(puppet.records())) puppet.send(record)
      world.pass(61_000)
      expect(world.server.sizes).toEqual(nothing)
      const outside = world.sent
        .filter(({ direction }) => direction === 'down')
        .map(({ bytes }) => Buffer.from(bytes).toString('hex'))
      return { outside, failed: world.of('failed') }
    })
    for (const { outside } of seen) expect(outside).toEqual(seen[0]?.outside)
    expect(seen.map(({ failed }) => failed.map(({ cause }) => cause))).toEqual([
      ['unknown-identity'],
      ['wrong-key'],
      ...Array.from({ length: 4 }, () => ['unknown-identity']),
    ])
    expect(seen[1]?.failed[0]).toMatchObject({ identity: IDENTITY, undecrypted: 1 })
  })

  it('an identity has 1 to 128 octets of UTF-8 without control characters, else nobody is asked for it [DTLS-HS-17]', () => {
    const asked: string[] = []
    const find = (identity: string) => {
      asked.push(identity)
      return KEY
    }
    const names = ['é'.repeat(64), 'a', '', 'x'.repeat(129), 'a\u0000b', 'a\u0085b', '\ufeffname']
    for (const name of names)
      new Puppet(new World({ findKey: find, tickets: false }), { identity: utf8Of(name) }).open()
    new Puppet(new World({ findKey: find }), { identity: Uint8Array.of(0xc3) }).open()
    expect(asked).toEqual(['é'.repeat(64), 'a', '\ufeffname'])
  })

  it('a key has 8 to 64 octets, else it is none [DTLS-HS-19 in part]', () => {
    const opens = [7, 8, 64, 65].map((length) => {
      const key = new Uint8Array(length).fill(3)
      const world = new World({ findKey: () => key })
      new Puppet(world, { key }).open()
      return world.of('open').length
    })
    expect(opens).toEqual([0, 1, 1, 0])
  })

  it('a Finished over something else is refused with decrypt_error [DTLS-HS-13]', () => {
    const world = new World()
    const puppet = new Puppet(world)
    puppet.begin()
    const { exchange, change } = puppet.records() as Record<'exchange' | 'change', Uint8Array>
    puppet.channel.sequence = 0
    const wrong = puppet.channel.write(1, 22, writeMessage(20, 3, new Uint8Array(12)))
    expect(told(puppet.send(exchange, change, wrong))).toEqual(['alert 51'])
    expect([world.of('open'), world.server.sizes]).toEqual([[], nothing])
  })

  it('points that are none of the group are refused [DTLS-HS-14]', () => {
    const offCurve = Uint8Array.from([4, ...new Uint8Array(64).fill(7)])
    const bad: [number, Uint8Array][] = [
      [23, offCurve],
      [23, new Uint8Array(33).fill(2)],
      [23, new Uint8Array(64)],
      [23, Uint8Array.of(0)],
      [29, new Uint8Array(32)],
      [29, new Uint8Array(31)],
      [29, Uint8Array.from([1, ...new Uint8Array(31)])],
      [29, new Uint8Array(0)],
    ]
    for (const [group, point] of bad) {
      const world = new World()
      const puppet = new Puppet(world, { suites: [0xd001], extensions: [EMS, groupsOf(group)] })
      puppet.begin()
      const [exchange] = puppet.answer(point)
      expect(told(puppet.send(puppet.plain(22, exchange?.message ?? new Uint8Array())))).toEqual(['alert 47'])
    }
  })

  it('every handshake has a key of its own for the agreement [DTLS-HS-15]', () => {
    const world = new World()
    const points = [1, 2, 3].map(() => {
      const puppet = new Puppet(world, { suites: [0xd001], extensions: [EMS, groupsOf(29)] })
      puppet.begin()
      return Buffer.from(puppet.messages.get(12) ?? []).toString('hex')
    })
    expect(new Set(points).size).toBe(3)
  })

  it('plain keys have no ServerKeyExchange, agreed ones an empty hint in it [DTLS-HS-16]', () => {
    const world = new World()
    const plain = new Puppet(world)
    expect(told(plain.begin())).toEqual(['message 3', 'message 2', 'message 14'].slice(1))
    const agreed = new Puppet(world, { suites: [0xd005], extensions: [EMS, groupsOf(23)] })
    agreed.begin()
    expect(agreed.messages.get(12)?.subarray(0, 6)).toEqual(Uint8Array.of(0, 0, 3, 0, 23, 65))
  })

  it('a key that is looked up outside holds its own handshake and no other [DTLS-HS-20]', () => {
    const world = new World({ findKey: (identity) => (identity === IDENTITY ? 'later' : KEY) })
    const slow = new Puppet(world)
    slow.askCookie()
    const hello = slow.message(1, slow.helloBody())
    slow.transcript.add(hello)
    slow.readFlight(slow.send(slow.plain(22, hello)))
    slow.send(...Object.values(slow.records()))
    const [asked] = world.of('look-up')
    expect(asked).toMatchObject({ identity: IDENTITY })
    expect(told(slow.send(slow.plain(22, hello)))).toEqual([])
    new Puppet(world, { identity: utf8Of('other') }).open()
    expect(world.of('open').map(({ info }) => info.identity)).toEqual(['other'])
    const count = world.effects.length
    world.pass(10_000)
    expect(effectsOf(world.effects.slice(count), 'send')).toEqual([])
    world.do((turn) => world.server.found(asked?.ask ?? 0, KEY, turn))
    expect(world.of('open').map(({ info }) => info.identity)).toEqual(['other', IDENTITY])
    // answers that nobody waits for
    for (const ask of [asked?.ask ?? 0, 99]) world.do((turn) => world.server.found(ask, KEY, turn))
    expect(world.of('fault')).toEqual([])
  })
})

describe('certificates of clients', () => {
  it('none where one is required: handshake_failure [DTLS-HS-4]', () => {
    const world = new World(byCertificate)
    const puppet = certificatePuppet(world, undefined)
    puppet.begin()
    const [certificate] = puppet.answer()
    expect(told(puppet.send(puppet.plain(22, certificate?.message ?? new Uint8Array())))).toEqual([
      'alert 40',
    ])
    const optional = new World({ ...byCertificate, clientCertificate: 'optional' })
    certificatePuppet(optional, undefined).open()
    expect(optional.of('open')[0]?.info).toMatchObject({ kind: 'anonymous', identity: undefined })
  })

  const cases: [string, pki.TestCertificate, string[]][] = [
    ['of an authority that is not trusted', pki.strangers, ['alert 48']],
    ['that is expired', pki.expired, ['alert 45']],
    ['for servers only', pki.serverOnly, ['alert 42']],
    ['with two names', pki.twoNames, ['alert 42']],
    [
      'signed by one that is no authority',
      { cert: pki.behindClient.cert + pki.client.cert, key: pki.behindClient.key },
      ['alert 48'],
    ],
    ['whose signer is missing', pki.behindMiddle, ['alert 48']],
  ]
  for (const [what, certificate, answer] of cases) {
    it(`one ${what} is refused [DTLS-HS-21]`, () => {
      const world = new World(byCertificate)
      const puppet = certificatePuppet(world, certificate)
      puppet.begin()
      const [first] = puppet.answer()
      expect(told(puppet.send(puppet.plain(22, first?.message ?? new Uint8Array())))).toEqual(answer)
      expect(world.of('failed')[0]?.cause).toBe('certificate')
    })
  }

  it('one through an authority between, and one of P-384, are taken; the identity is what is configured [DTLS-HS-21]', () => {
    const chained = { cert: pki.behindMiddle.cert + pki.middle.cert, key: pki.behindMiddle.key }
    const world = new World(byCertificate)
    certificatePuppet(world, chained).open()
    const p384 = {
      chain: derChain(pki.p384.cert),
      sign: (message: Uint8Array) => sign('sha256', message, pki.p384.key),
    }
    new Puppet(world, {
      suites: [0xc0ae],
      extensions: [EMS, groupsOf(23), SIGNATURES],
      certificate: p384,
    }).open()
    expect(world.of('open').map(({ info }) => info.identity)).toEqual(['meter-22', 'meter-24'])
    const identities = (['cn', 'san-dns', 'san-uri', 'serial', 'fingerprint'] as const).map((identity) => {
      const trust = createTrust({ authorities: pki.ca.cert, purpose: 'client', identity })
      const other = new World({ ...byCertificate, clientTrust: trust })
      certificatePuppet(other, pki.client).open()
      return other.of('open')[0]?.info.identity
    })
    expect(identities.slice(0, 3)).toEqual(['meter-17', 'meter-17.example', 'urn:dev:17'])
    expect(identities[3]).toMatch(/^[0-9A-F]+$/)
    expect(identities[4]).toMatch(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/)
  })

  it('one that is revoked is refused [DTLS-HS-21]', () => {
    const open = new World({
      ...byCertificate,
      clientTrust: createTrust({ authorities: pki.ca.cert, purpose: 'client', identity: 'serial' }),
    })
    certificatePuppet(open, pki.client).open()
    const serial = open.of('open')[0]?.info.identity ?? ''
    const trust = createTrust({
      authorities: pki.ca.cert,
      purpose: 'client',
      revoked: [serial.toLowerCase()],
    })
    const world = new World({ ...byCertificate, clientTrust: trust })
    const puppet = certificatePuppet(world, pki.client)
    puppet.begin()
    expect(told(puppet.send(...Object.values(puppet.records())))[0]).toBe('alert 44')
  })

  it('a check that failed leaves nothing for the next handshake from there [DTLS-HS-22]', () => {
    const world = new World(byCertificate)
    const remote = { address: '10.0.0.77', port: 7 }
    const start = (certificate: pki.TestCertificate | undefined) => {
      const options = { suites: [0xc0ae], extensions: [EMS, groupsOf(23), SIGNATURES], remote }
      return new Puppet(world, { ...options, certificate: certificate && credentials(certificate) }).open()
    }
    start(pki.strangers)
    start(undefined)
    start({ cert: pki.client.cert, key: pki.server.key })
    start(pki.strangers)
    expect(world.of('open')).toEqual([])
    expect(world.server.sizes).toEqual(nothing)
    start(pki.client)
    expect(world.of('open')).toHaveLength(1)
  })
})

describe('messages that are not followed', () => {
  it('HelloRequest is ignored, and never sent [DTLS-HS-23]', () => {
    const world = new World()
    const puppet = new Puppet(world)
    puppet.begin()
    const request = () => puppet.plain(22, writeMessage(0, 2, new Uint8Array(0)))
    puppet.send(request())
    for (const record of Object.values(puppet.records())) puppet.send(request(), record)
    puppet.send(puppet.channel.write(1, 22, writeMessage(0, 4, new Uint8Array(0))))
    expect([world.of('open').length, world.of('closed')]).toEqual([1, []])
    const client = world.client().start()
    const sent = told(world.effects)
    expect([client.core.state, sent.includes('message 0')]).toEqual(['open', false])
  })

  it('renegotiation is refused with a warning, and the session goes on [DTLS-HS-24]', () => {
    const world = new World({ findKey, connectionIdLength: 0 })
    const puppet = new Puppet(world).open()
    const hello = () => puppet.channel.write(1, 22, writeMessage(1, 9, puppet.helloBody()))
    const [answer] = effectsOf(puppet.send(hello()), 'send')
    const opened = puppet.channel.open(recordsOf(answer?.bytes ?? new Uint8Array())[0] as never)
    expect(opened).toMatchObject({ result: 'content', content: { type: 21 } })
    if (opened.result === 'content') expect([...opened.content.content]).toEqual([1, 100])
    expect(effectsOf(puppet.send(hello()), 'send')).toEqual([])
    puppet.send(puppet.data('goes on'))
    expect([world.received, world.of('closed')]).toEqual([['goes on'], []])
  })
})
