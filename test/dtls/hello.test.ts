// Hellos and cookies: strangers get one short answer and leave no trace.

import { describe, expect, it } from 'vitest'
import { extension } from '../../src/dtls/handshake/extensions.ts'
import { readClientHello } from '../../src/dtls/handshake/hello.ts'
import { readFragments } from '../../src/dtls/handshake/messages.ts'
import { NOTHING, u8, vector8 } from '../../src/dtls/octets.ts'
import { writePlainRecord } from '../../src/dtls/record/record.ts'
import { cidOf, EMS, fragmentsOf, groupsOf, Puppet, readExtensionNumbers, recordsOf, told } from './puppet.ts'
import { effectsOf, findKey, World } from './world.ts'

const HOUR = 3_600_000
const nothing = { sessions: 0, halfOpen: 0, addresses: 0, cids: 0, unused: 0 }

describe('a hello without a cookie', () => {
  it('gets exactly one HelloVerifyRequest, and leaves nothing behind [DTLS-HELLO-1]', () => {
    const world = new World()
    for (let count = 0; count < 1000; count++) {
      const puppet = new Puppet(world, { remote: { address: `10.1.${count >> 8}.${count & 255}`, port: 5 } })
      expect(told(puppet.askCookie())).toEqual(['message 3'])
    }
    expect(world.server.sizes).toEqual(nothing)
    expect(world.server.due()).toBe(Number.POSITIVE_INFINITY)
    expect(world.of('verify')).toHaveLength(1000)
  })

  it('is never answered with more octets than it has [DTLS-HELLO-2]', () => {
    const world = new World()
    for (const extensions of [[], [EMS], [EMS, cidOf(1, 2), groupsOf(23, 29)]]) {
      const puppet = new Puppet(world, { extensions })
      const hello = puppet.plain(22, puppet.message(1, puppet.helloBody()))
      const [answer] = effectsOf(puppet.send(hello), 'send')
      expect(answer?.bytes).toHaveLength(44)
      expect(hello.length).toBeGreaterThanOrEqual(44)
    }
    const puppet = new Puppet(world)
    expect(puppet.send(writePlainRecord(22, 0, puppet.message(1, new Uint8Array(18))))).toEqual([
      { type: 'discard', reason: 'malformed' },
    ])
  })

  it('is answered with its own record number and message_seq, and so is one with a cookie [DTLS-HELLO-3, DTLS-HELLO-11]', () => {
    const world = new World()
    const puppet = new Puppet(world, { helloSeq: 7 })
    puppet.channel.plainSequence = 77
    const first = effectsOf(puppet.askCookie(), 'send').flatMap(({ bytes }) => recordsOf(bytes))
    expect(first.map(({ sequence }) => sequence)).toEqual([77])
    expect(readFragments(first[0]?.payload ?? NOTHING)?.[0]).toMatchObject({ messageSeq: 7 })
    const hello = puppet.message(1, puppet.helloBody())
    const flight = effectsOf(puppet.send(puppet.plain(22, hello)), 'send').flatMap(({ bytes }) =>
      recordsOf(bytes),
    )
    expect(flight.map(({ sequence }) => sequence)).toEqual([78, 79])
    expect(
      flight.flatMap(({ payload }) => readFragments(payload) ?? []).map(({ messageSeq }) => messageSeq),
    ).toEqual([8, 9])
  })
})

describe('a cookie', () => {
  it('of another address, port, random or list of suites is none, and a wrong one is answered like none [DTLS-HELLO-4, DTLS-HELLO-5]', () => {
    const world = new World()
    const honest = new Puppet(world)
    honest.askCookie()
    const { cookie, random, remote } = honest
    const thieves = [
      { random, remote: { ...remote, address: '10.0.7.8' } },
      { random, remote: { ...remote, port: 1 } },
      { remote },
      { random, remote, suites: [0xc0a8, 0xc0a4] },
      { random, remote, sessionId: new Uint8Array(32) },
      { random, remote, compressions: Uint8Array.of(0, 1) },
    ]
    for (const options of thieves) {
      const thief = new Puppet(world, options)
      thief.cookie = cookie
      expect(told(thief.send(thief.plain(22, thief.message(1, thief.helloBody()))))).toEqual(['message 3'])
    }
    const guesser = new Puppet(world)
    for (const wrong of [new Uint8Array(16), new Uint8Array(1), new Uint8Array(255)])
      expect(told(guesser.send(guesser.plain(22, guesser.message(1, guesser.helloBody(wrong)))))).toEqual([
        'message 3',
      ])
    expect(world.server.sizes).toEqual(nothing)
    // other extensions are allowed to a client [6347 4.2.1]
    const changed = new Puppet(world, { random, remote, extensions: [EMS, groupsOf(23)] })
    changed.cookie = cookie
    expect(told(changed.send(changed.plain(22, changed.message(1, changed.helloBody()))))).toEqual([
      'message 2',
      'message 14',
    ])
  })

  it('counts until its key is two hours old at most, and at least one [DTLS-HELLO-4]', () => {
    for (const [age, counts] of [
      [0.9, true],
      [1.5, true],
      [2.1, false],
      [9, false],
    ] as const) {
      const world = new World()
      const puppet = new Puppet(world)
      puppet.askCookie()
      world.now += age * HOUR
      const answer = told(puppet.send(puppet.plain(22, puppet.message(1, puppet.helloBody()))))
      expect([age, answer[0]]).toEqual([age, counts ? 'message 2' : 'message 3'])
    }
  })
})

describe('a verified hello', () => {
  it('that comes again gets the same flight in new records, and no second association [DTLS-HELLO-6, DTLS-HS-10]', () => {
    const world = new World()
    const puppet = new Puppet(world)
    puppet.askCookie()
    const hello = puppet.message(1, puppet.helloBody())
    const flights = [1, 2].map(() =>
      effectsOf(puppet.send(puppet.plain(22, hello)), 'send').flatMap(({ bytes }) => recordsOf(bytes)),
    )
    const [first = [], again = []] = flights
    expect(again.map(({ payload }) => payload)).toEqual(first.map(({ payload }) => payload))
    expect(Math.min(...again.map(({ sequence }) => sequence))).toBeGreaterThan(
      Math.max(...first.map(({ sequence }) => sequence)),
    )
    expect(world.server.sizes.halfOpen).toBe(1)
  })

  it('from the address of an open session is as any other, and the session lives until the new Finished [DTLS-HELLO-7]', () => {
    const world = new World({ findKey, connectionIdLength: 0 })
    const old = new Puppet(world).open()
    const session = world.session
    const fresh = new Puppet(world, { remote: old.remote })
    expect(told(fresh.askCookie())).toEqual(['message 3'])
    fresh.begin()
    old.send(old.data('still here'))
    const { exchange, change, finished } = fresh.records()
    fresh.send(exchange as Uint8Array, change as Uint8Array)
    old.send(old.data('and here'))
    expect([world.received, world.of('closed')]).toEqual([['still here', 'and here'], []])
    fresh.send(finished as Uint8Array)
    expect(world.of('closed')).toEqual([{ type: 'closed', session, why: 'replaced' }])
    fresh.send(fresh.data('new'))
    expect(world.received.at(-1)).toBe('new')
    expect(world.server.sizes.sessions).toBe(1)
  })

  it('for 1.0 is refused, but only with a cookie; one for more than 1.2 gets 1.2 [DTLS-HELLO-8]', () => {
    const world = new World()
    const old = new Puppet(world, { version: 0xfeff })
    expect(told(old.askCookie())).toEqual(['message 3'])
    expect(told(new Puppet(world, { version: 0xfeff }).begin())).toEqual(['alert 70'])
    expect(world.of('failed')).toMatchObject([{ cause: 'protocol' }])
    const next = new Puppet(world, { version: 0xfefc }).open()
    expect(next.messages.get(2)?.subarray(0, 2)).toEqual(Uint8Array.of(0xfe, 0xfd))
    expect(world.of('open')).toHaveLength(1)
    expect(world.server.sizes.halfOpen).toBe(0)
  })

  it('may have extensions that nobody knows, but none twice [DTLS-HELLO-9]', () => {
    const world = new World()
    const many = [extension(43, vector8(Uint8Array.of(3, 4))), extension(0xfafa, NOTHING), EMS]
    expect(told(new Puppet(world, { extensions: many }).begin())).toEqual(['message 2', 'message 14'])
    expect(told(new Puppet(world, { extensions: [EMS, EMS] }).begin())).toEqual(['alert 50'])
  })

  it('is not put together from fragments [DTLS-HELLO-10]', () => {
    const world = new World()
    const puppet = new Puppet(world)
    const hello = puppet.message(1, puppet.helloBody())
    for (const piece of fragmentsOf(hello, 20)) expect(told(puppet.send(puppet.plain(22, piece)))).toEqual([])
    expect(world.server.sizes).toEqual(nothing)
    expect(world.discarded('malformed')).toBe(3)
  })

  it('that knows renegotiation is told that it is understood, by an empty extension [DTLS-HELLO-12]', () => {
    const answered = (options: ConstructorParameters<typeof Puppet>[1]) => {
      const puppet = new Puppet(new World(), options)
      puppet.begin()
      return readExtensionNumbers(puppet.serverExtensions).includes(0xff01)
    }
    expect(answered({ suites: [0xc0a8, 0x00ff] })).toBe(true)
    expect(answered({ extensions: [extension(0xff01, u8(0))] })).toBe(true)
    expect(answered({})).toBe(false)
    const renegotiating = new Puppet(new World(), { extensions: [extension(0xff01, vector8(u8(1)))] })
    expect(told(renegotiating.begin())).toEqual(['alert 40'])
  })

  it('for a resumption that is not granted goes on as a full handshake with the same cookie, and none goes on without [DTLS-HELLO-13]', () => {
    const world = new World()
    const sessionId = new Uint8Array(32).fill(5)
    const puppet = new Puppet(world, { sessionId })
    expect(told(puppet.askCookie())).toEqual(['message 3'])
    expect(told(puppet.begin())).toEqual(['message 2', 'message 14'])
    // resumption without a cookie: a good session id does not help
    const resuming = new World({ findKey, tickets: false })
    const { resumption } = resuming.client().start().core
    const thief = new Puppet(resuming, { sessionId: resumption?.sessionId ?? NOTHING })
    expect(told(thief.askCookie())).toEqual(['message 3'])
  })

  it('with server name, protocols and the like leads to the same [DTLS-HELLO-14]', () => {
    const others = [0, 5, 16, 18, 22, 28, 49, 51].map((number) => extension(number, new Uint8Array(5)))
    const flights = [[EMS], [...others, EMS]].map((extensions) => {
      const puppet = new Puppet(new World(), { extensions })
      return effectsOf(puppet.begin(), 'send').map(({ bytes }) => bytes.length)
    })
    expect(flights[0]).toEqual(flights[1])
  })

  it('without a suite in common, or without null compression, is refused and leaves nothing', () => {
    const world = new World()
    expect(told(new Puppet(world, { suites: [0x002f, 0xc0ac] }).begin())).toEqual(['alert 40'])
    expect(told(new Puppet(world, { compressions: Uint8Array.of(1) }).begin())).toEqual(['alert 47'])
    expect(world.of('failed').map(({ cause }) => cause)).toEqual(['no-suite', 'protocol'])
    expect(world.server.sizes).toEqual(nothing)
  })

  it('without extended master secret opens a session, unless it is required [DTLS-EMS-1, DTLS-EMS-2]', () => {
    const preferred = new World()
    new Puppet(preferred, { extensions: [] }).open()
    new Puppet(preferred, { extensions: [EMS] }).open()
    expect(preferred.of('open').map(({ info }) => info.extendedMasterSecret)).toEqual([false, true])
    const required = new World({ findKey, extendedMasterSecret: 'required' })
    expect(told(new Puppet(required, { extensions: [] }).begin())).toEqual(['alert 40'])
    new Puppet(required, { extensions: [EMS] }).open()
    expect(required.of('open')).toHaveLength(1)
  })
})

describe('limits on hellos', () => {
  it('so many handshakes are under way at most; what comes then is thrown away and counted [DTLS-LIM-1]', () => {
    const world = new World({ findKey, handshakes: 3 })
    const puppets = Array.from({ length: 5 }, () => new Puppet(world))
    const answers = puppets.map((puppet) => told(puppet.begin()).length)
    expect(answers).toEqual([2, 2, 2, 0, 0])
    expect(world.discarded('half-open')).toBe(2)
    world.pass(60_000)
    expect(world.server.sizes).toEqual(nothing)
    expect(told(new Puppet(world).begin())).toHaveLength(2)
  })

  it('an address has so many verified hellos in a second, others have theirs [DTLS-LIM-2, DTLS-LIM-4]', () => {
    const world = new World({ findKey, handshakesPerAddress: 2 })
    const begun = (address: string, port: number) =>
      told(new Puppet(world, { remote: { address, port } }).begin()).length
    expect([1, 2, 3].map((port) => begun('10.3.3.3', port))).toEqual([2, 2, 0])
    expect(begun('10.3.3.4', 1)).toBe(2)
    expect(world.discarded('address-rate')).toBe(1)
    world.now += 1000
    expect(begun('10.3.3.3', 4)).toBe(2)
  })

  it('hellos that do not parse are thrown away without an answer', () => {
    const body = new Puppet(new World()).helloBody()
    for (let length = 0; length < body.length; length++) {
      const cut = body.subarray(0, length)
      // without extensions it is a whole hello again
      if (readClientHello(cut) !== undefined) expect(length).toBe(body.length - 6)
    }
    expect(readClientHello(body)).toBeDefined()
  })
})
