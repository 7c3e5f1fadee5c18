// Connection ids: sessions that stay while addresses change.

import { describe, expect, it } from 'vitest'
import type { Effect } from '../../src/dtls/effects.ts'
import { extension } from '../../src/dtls/handshake/extensions.ts'
import { u8 } from '../../src/dtls/octets.ts'
import { cidOf, EMS, Puppet, type PuppetOptions, readExtensionNumbers, recordsOf, told } from './puppet.ts'
import { effectsOf, findKey, World } from './world.ts'

/** A puppet that uses the id that the server gave it. */
function withId(world: World, options: PuppetOptions = {}): Puppet {
  const puppet = new Puppet(world, { extensions: [EMS, cidOf(9, 9)], ...options })
  puppet.begin()
  const { serverExtensions: block } = puppet
  puppet.channel.peerCid = block.subarray(block.length - 6)
  puppet.channel.ownCid = Uint8Array.of(9, 9)
  for (const record of Object.values(puppet.records())) puppet.send(record)
  return puppet
}

const elsewhere = (port: number) => ({ address: '192.0.2.7', port })
const sent = (effects: readonly Effect[]) => effectsOf(effects, 'send')

describe('the negotiation of connection ids', () => {
  it('gives a fresh id of the configured length to whoever offers one; 0 = the offer is ignored [DTLS-CID-1]', () => {
    for (const length of [1, 6, 16]) {
      const world = new World({ findKey, connectionIdLength: length })
      world.client().start()
      world.client().start()
      const ids = world.of('open').map(({ info }) => info.connectionId ?? '')
      expect(ids.map((id) => id.length)).toEqual([2 * length, 2 * length])
      expect(new Set(ids).size).toBe(2)
    }
    const off = new World({ findKey, connectionIdLength: 0 })
    const client = off.client().start()
    client.send('plain')
    expect([off.of('open')[0]?.info.connectionId, off.received]).toEqual([undefined, ['plain']])
  })

  it('is for each direction by itself: an empty id means plain records that way [DTLS-CID-2]', () => {
    for (const ownCid of [0, 5]) {
      const world = new World()
      const client = world.client({ connectionIdLength: ownCid }).start()
      client.send('up')
      world.answer('down')
      expect([world.received, client.received]).toEqual([['up'], ['down']])
      expect(world.sent.at(-1)?.bytes[0]).toBe(ownCid === 0 ? 23 : 25)
      expect(world.sent.at(-2)?.bytes[0]).toBe(25)
    }
  })

  it('draws ids until one is free, 8 times; then the handshake fails [DTLS-CID-3]', () => {
    const world = new World({
      findKey,
      connectionIdLength: 1,
      handshakes: 10_000,
      handshakesPerAddress: 10_000,
    })
    for (let count = 0; count < 300; count++) world.client().start()
    const ids = world.of('open').map(({ info }) => info.connectionId)
    expect(new Set(ids).size).toBe(ids.length)
    expect(ids.length).toBeGreaterThan(200)
    expect(ids.length).toBeLessThanOrEqual(256)
    expect(world.of('failed').every(({ why }) => why.includes('connection id'))).toBe(true)
    // half-open ones count, too
    const chance = { ...world.chance, random: (octets: number) => new Uint8Array(octets).fill(1) }
    const fixed = new World({ findKey }, 1, chance)
    const answers = [1, 2].map(() => told(new Puppet(fixed, { extensions: [EMS, cidOf(1)] }).begin()))
    expect(answers).toEqual([['message 2', 'message 14'], ['alert 80']])
  })

  it('knows no code point of drafts [DTLS-CID-12]', () => {
    for (const number of [53, 254]) {
      const puppet = new Puppet(new World(), { extensions: [EMS, extension(number, u8(0))] })
      puppet.begin()
      expect(readExtensionNumbers(puppet.serverExtensions)).toEqual([23])
    }
  })

  it('once made is binding: records without the id are thrown away, and so are ids in epoch 0 or where none was given [DTLS-CID-4]', () => {
    const world = new World()
    const puppet = withId(world)
    const id = puppet.channel.peerCid
    puppet.channel.peerCid = new Uint8Array(0)
    puppet.send(puppet.data('without'))
    puppet.channel.peerCid = id
    puppet.send(puppet.data('with'))
    const epoch0 = puppet.data('epoch 0')
    epoch0[4] = 0
    puppet.send(epoch0)
    const without = new Puppet(world).open()
    without.channel.peerCid = id
    without.send(without.data('foreign id'))
    without.channel.peerCid = Uint8Array.of(1, 2, 3, 4, 5, 6)
    without.send(without.data('no such id'))
    expect(world.received).toEqual(['with'])
    expect(world.of('closed')).toEqual([])
  })
})

describe('a session that moves', () => {
  it('goes where a record came from that is valid and newer than all before, and answers go there [DTLS-CID-5]', () => {
    const world = new World()
    const client = world.client({ connectionIdLength: 3 }).start()
    client.send('one')
    const before = client.remote
    client.move('192.0.2.9')
    client.send('two')
    expect(world.of('moved')).toEqual([
      { type: 'moved', session: world.session, from: before, to: client.remote },
    ])
    world.answer('back')
    expect([world.received, client.received]).toEqual([['one', 'two'], ['back']])
    for (let count = 0; count < 50; count++) {
      client.move()
      expect(client.send(`waking ${count}`)).toBe(true)
      world.answer(`answer ${count}`)
    }
    expect(client.received).toHaveLength(51)
    expect(world.of('open')).toHaveLength(1)
    expect(world.server.sizes).toMatchObject({ sessions: 1, addresses: 1 })
  })

  it('is not moved by a record that is forged, old or not the newest; the last is delivered [DTLS-CID-6]', () => {
    const world = new World()
    const puppet = withId(world)
    const late = puppet.data('late')
    const newest = puppet.data('newest')
    const forged = puppet.data('forged')
    forged[forged.length - 1] = (forged.at(-1) ?? 0) ^ 1
    puppet.send(newest)
    for (const record of [newest, forged, late]) world.inject(record, elsewhere(1))
    expect([world.received, world.of('moved')]).toEqual([['newest', 'late'], []])
    world.answer('back')
    expect(sent(world.effects).at(-1)?.to).toEqual(puppet.remote)
  })

  it('sends at most three times what came from there, until a second record did [DTLS-CID-7]', () => {
    const world = new World()
    const puppet = withId(world)
    const record = puppet.data('hello')
    world.inject(record, elsewhere(1))
    expect(world.answer('x'.repeat(3 * record.length))).toBe(false)
    expect(world.discarded('unproven')).toBe(1)
    let octets = 0
    while (world.answer('x'.repeat(20))) octets += sent(world.effects).at(-1)?.bytes.length ?? 0
    expect(octets).toBeLessThanOrEqual(3 * record.length)
    expect(octets).toBeGreaterThan(2 * record.length)
    world.inject(puppet.data('me again'), elsewhere(1))
    expect(world.answer('x'.repeat(1000))).toBe(true)
  })

  it('goes only where it may: an address that is not allowed moves nothing and delivers nothing [DTLS-CID-8]', () => {
    const world = new World({ findKey, mayMove: (_, { address }) => address !== '192.0.2.7' })
    const puppet = withId(world)
    world.inject(puppet.data('from there'), elsewhere(1))
    world.inject(puppet.data('from here'), { address: '192.0.2.8', port: 1 })
    expect([world.received, world.of('moved').length]).toEqual([['from here'], 1])
    expect(world.discarded('address')).toBe(1)
  })

  it('to the address of another leaves that one its session, but not the address [DTLS-CID-9]', () => {
    const world = new World()
    const [first, second] = [withId(world), withId(world)]
    const [a, b] = world.of('open').map(({ session }) => session)
    world.inject(first.data('moved'), second.remote)
    expect(world.of('closed')).toEqual([])
    second.send(second.data('still here'))
    expect(world.received).toEqual(['moved', 'still here'])
    first.send(first.data('and back'))
    expect(world.of('data').map(({ session }) => session)).toEqual([a, b, a])
    expect(world.server.sizes.sessions).toBe(2)
    // a stranger who gets the address by a NAT makes a session of his own
    const stranger = new World({ findKey: () => new Uint8Array(16) })
    const owner = withId(stranger, { key: new Uint8Array(16) })
    withId(stranger, { key: new Uint8Array(16), identity: Buffer.from('other'), remote: owner.remote })
    expect([stranger.of('closed'), stranger.server.sizes.sessions]).toEqual([[], 2])
    world.inject(new Uint8Array(0))
    owner.send(owner.data('not gone'))
    expect(stranger.received).toEqual(['not gone'])
  })
})

describe('what is inside of records with an id', () => {
  it('may be padded by the client; we do not pad; nothing but padding ends the session [DTLS-CID-10]', () => {
    const world = new World()
    const puppet = withId(world)
    // the type and the zeros behind it are content here: the channel adds one more zero as type
    const padded = Uint8Array.from([...Buffer.from('padded'), 23, 0, 0, 0, 0])
    puppet.send(puppet.channel.write(1, 0, padded))
    expect(world.received).toEqual(['padded'])
    world.answer('12345')
    const answer = sent(world.effects).at(-1)?.bytes ?? new Uint8Array()
    expect(answer).toHaveLength(13 + 2 + 8 + 5 + 1 + 8)
    puppet.send(puppet.channel.write(1, 0, new Uint8Array(9)))
    expect(world.of('closed')).toMatchObject([{ why: 'a record without a type' }])
  })

  it('are alerts, too [DTLS-CID-11]', () => {
    const world = new World()
    const puppet = withId(world)
    const [answer] = sent(puppet.send(puppet.channel.write(1, 21, Uint8Array.of(1, 0))))
    const [record] = recordsOf(answer?.bytes ?? new Uint8Array(), 2)
    expect(record?.type).toBe(25)
    const opened = record && puppet.channel.open(record)
    expect(opened).toMatchObject({ result: 'content', content: { type: 21 } })
    expect(world.of('closed')).toMatchObject([{ why: 'close_notify' }])
  })
})
