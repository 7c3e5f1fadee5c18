// Short handshakes: what may be resumed, by whom, and what is forgotten.

import { describe, expect, it } from 'vitest'
import { seeded } from '../../lab/fuzz/mutation.ts'
import * as pki from '../../lab/pki.ts'
import { signerOf } from '../../src/dtls/crypto/chance.ts'
import { keyBlockOctets } from '../../src/dtls/crypto/keys.ts'
import { createTrust, derChain } from '../../src/dtls/crypto/x509.ts'
import { extension } from '../../src/dtls/handshake/extensions.ts'
import { writeMessage } from '../../src/dtls/handshake/messages.ts'
import { NOTHING } from '../../src/dtls/octets.ts'
import { ResumptionCache } from '../../src/dtls/resumption/cache.ts'
import { readState, writeState } from '../../src/dtls/resumption/state.ts'
import { Tickets } from '../../src/dtls/resumption/tickets.ts'
import { suiteOf } from '../../src/dtls/suites.ts'
import { EMS, Puppet, told } from './puppet.ts'
import { effectsOf, findKey, IDENTITY, KEY, seededChance, World } from './world.ts'

const HOUR = 3_600_000
const state = {
  suite: 0xc0a8,
  master: new Uint8Array(48).fill(7),
  kind: 'psk',
  identity: IDENTITY,
  credential: 'trace',
  since: 1_800_000_000_000,
  notAfter: 2 ** 48 - 1,
} as const

/** A world in which somebody may resume, by ticket or by id. */
function resumable(tickets: boolean) {
  let key: Uint8Array | undefined = KEY
  const options = { findKey: (identity: string) => (identity === IDENTITY ? key : undefined), tickets }
  const world = new World(options)
  const client = world.client().start()
  const { resumption } = client.core
  if (resumption === undefined) throw new Error('nothing to resume with')
  const setKey = (other: Uint8Array | undefined) => {
    key = other
  }
  const again = (changes = {}) => world.client({ resume: resumption, ...changes }).start().core
  return { world, resumption, again, setKey, options }
}

describe('resumption by session id', () => {
  it('has ids of 32 random octets, and a bounded memory: the oldest goes first [DTLS-RES-1]', () => {
    const { resumption } = resumable(false)
    expect(resumption.sessionId).toHaveLength(32)
    expect(resumption.ticket).toBeUndefined()
    const cache = new ResumptionCache(2)
    for (const octet of [1, 2, 3]) cache.put(Uint8Array.of(octet), state)
    expect([1, 2, 3].map((octet) => cache.find(Uint8Array.of(octet)) !== undefined)).toEqual([
      false,
      true,
      true,
    ])
    expect(cache.find(NOTHING)).toBeUndefined()
  })

  it('is forgotten when the Finished of a resumption fails [DTLS-RES-6]', () => {
    const { world, resumption, again } = resumable(false)
    const suite = suiteOf(resumption.suite)
    if (suite === undefined) throw new Error('no suite')
    const begin = () => {
      const puppet = new Puppet(world, { sessionId: resumption.sessionId, suites: [suite.code] })
      expect(told(puppet.begin())).toEqual(['message 2', 'change', 'protected'])
      const randoms = { client: puppet.random, server: puppet.serverRandom }
      puppet.channel.setKeys(suite.cipher, keyBlockOctets(resumption.master, randoms), 'client')
      return puppet
    }
    const wrong = writeMessage(20, 2, new Uint8Array(12))
    // whoever has only seen the id changes nothing: it is not secret
    const stranger = begin()
    stranger.channel.setKeys(suite.cipher, new Uint8Array(40), 'client')
    stranger.send(stranger.plain(20, Uint8Array.of(1)), stranger.channel.write(1, 22, wrong))
    world.pass(61_000)
    expect(again().info?.resumed).toBe(true)
    const owner = begin()
    expect(told(owner.send(owner.plain(20, Uint8Array.of(1)), owner.channel.write(1, 22, wrong)))).toEqual([
      'protected',
    ])
    expect(world.of('failed')).toHaveLength(2)
    expect(again().info?.resumed).toBe(false)
  })
})

describe('resumption by ticket', () => {
  it('has tickets of name, nonce, ciphertext and tag, and anything else leads to a full handshake [DTLS-RES-3]', () => {
    const { world, resumption, again } = resumable(true)
    const { ticket = NOTHING } = resumption
    expect(ticket.length).toBe(4 + 12 + writeState({ ...state, credential: 'x'.repeat(16) }).length + 16)
    for (const at of [0, 3, 4, 15, 16, 40, ticket.length - 1]) {
      const broken = Uint8Array.from(ticket)
      broken[at] = (broken[at] ?? 0) ^ 1
      expect(again({ resume: { ...resumption, ticket: broken } }).info?.resumed).toBe(false)
    }
    for (const length of [1, 4, 15, 16, 31, 40])
      expect(again({ resume: { ...resumption, ticket: ticket.subarray(0, length) } }).info?.resumed).toBe(
        false,
      )
    expect(again().info?.resumed).toBe(true)
    expect(world.of('fault')).toEqual([])
  })

  it('has keys that change every 12 hours, and the one before still counts [DTLS-RES-3]', () => {
    const tickets = new Tickets(seededChance(seeded(3)))
    const first = tickets.seal(state, 0)
    tickets.seal(state, 12 * HOUR)
    expect(tickets.open(first)).toEqual({ ...state, master: Uint8Array.from(state.master) })
    tickets.seal(state, 24 * HOUR)
    expect(tickets.open(first)).toBeUndefined()
    expect(new Tickets(seededChance(seeded(4))).open(first)).toBeUndefined()
  })

  it('seals a state that reads as it was written, for every kind of identity [DTLS-RES-4 in part]', () => {
    for (const kind of ['psk', 'certificate', 'anonymous'] as const) {
      for (const identity of [undefined, '', 'zähler-1', 'x'.repeat(300)]) {
        const written = { ...state, kind, identity }
        expect(readState(writeState(written))).toEqual(written)
      }
    }
    const octets = writeState(state)
    for (let length = 0; length < octets.length; length++)
      expect(readState(octets.subarray(0, length))).toBeUndefined()
  })

  it('is not kept by the server: the client has the state, and the session id is empty [DTLS-RES-3]', () => {
    const world = new World()
    const puppet = new Puppet(world, { extensions: [EMS, extension(35, NOTHING)] })
    puppet.begin()
    expect(puppet.messages.get(2)?.[34]).toBe(0)
    const records = Object.values(puppet.records())
    expect(told(puppet.send(...records), 0)).toEqual(['message 4', 'change', 'protected'])
  })
})

for (const tickets of [true, false]) {
  const how = tickets ? 'by ticket' : 'by session id'
  describe(`what is resumed ${how}`, () => {
    it('is the same suite, offered again; else the handshake is a full one [DTLS-RES-2]', () => {
      const { again } = resumable(tickets)
      expect(again().info).toMatchObject({ resumed: true, suite: 'TLS_ECDHE_PSK_WITH_AES_128_CCM_SHA256' })
      const other = again({ suites: [0xc0a8] })
      expect([other.state, other.info?.resumed, other.info?.suite]).toEqual([
        'open',
        false,
        'TLS_PSK_WITH_AES_128_CCM_8',
      ])
    })

    it('keeps the extended master secret: without it there is neither a state nor a way back [DTLS-RES-2]', () => {
      const { world, resumption } = resumable(tickets)
      const sessionId = tickets ? new Uint8Array(32).fill(1) : resumption.sessionId
      const ticket = resumption.ticket ? [extension(35, resumption.ticket)] : []
      const puppet = new Puppet(world, { sessionId, suites: [resumption.suite], extensions: ticket })
      expect(told(puppet.begin())).toEqual(['alert 40'])
      const without = world.client({ extendedMasterSecret: 'off' }).start()
      expect([without.core.state, without.core.resumption]).toEqual(['open', undefined])
    })

    it('is not resumed after its time, and 0 = never [DTLS-RES-3]', () => {
      const { world, again } = resumable(tickets)
      world.now += 24 * HOUR
      expect(again().info?.resumed).toBe(true)
      world.now += 1
      expect(again().info?.resumed).toBe(false)
      const never = new World({ findKey, tickets, resumption: 0 })
      expect(never.client().start().core.resumption).toBeUndefined()
    })

    it('is not resumed with a key that was changed or removed [DTLS-RES-4]', () => {
      const { again, setKey, world } = resumable(tickets)
      setKey(new Uint8Array(16).fill(1))
      expect(again().state).toBe('handshake')
      setKey(undefined)
      expect(again().state).toBe('handshake')
      setKey(KEY)
      expect(again().info?.resumed).toBe(true)
      expect(world.of('open').at(-1)?.info).toMatchObject({ identity: IDENTITY, kind: 'psk' })
    })

    it('has connection ids of its own [DTLS-RES-5]', () => {
      const { world, again } = resumable(tickets)
      again({ connectionIdLength: 'off' })
      again({ connectionIdLength: 4 })
      const [first, without, fresh] = world.of('open').map(({ info }) => info.connectionId)
      expect(without).toBeUndefined()
      expect(fresh).toMatch(/^[0-9a-f]{12}$/)
      expect(fresh).not.toBe(first)
    })
  })
}

it('a revoked certificate does not resume, and its open sessions end with a reload [DTLS-RES-4]', () => {
  const credentials = ({ cert, key }: pki.TestCertificate) => ({ chain: derChain(cert), sign: signerOf(key) })
  const optionsWith = (revoked: string[]) => ({
    certificate: credentials(pki.server),
    clientTrust: createTrust({ authorities: pki.ca.cert, purpose: 'client', identity: 'serial', revoked }),
  })
  const client = {
    certificate: credentials(pki.client),
    serverTrust: createTrust({ authorities: pki.ca.cert, purpose: 'server' }),
  }
  const world = new World(optionsWith([]))
  const first = world.client(client).start()
  const serial = world.of('open')[0]?.info.identity ?? ''
  expect(world.client({ ...client, resume: first.core.resumption }).start().core.info?.resumed).toBe(true)
  world.do((turn) => world.server.reconfigure(optionsWith([serial]), turn))
  expect(world.of('closed').map(({ why }) => why)).toEqual(['credential withdrawn', 'credential withdrawn'])
  const again = world.client({ ...client, resume: first.core.resumption }).start()
  expect(again.core.state).toBe('gone')
  expect(effectsOf(again.effects, 'failed')[0]?.why).toContain('certificate_revoked')
})

it('a changed key ends its sessions with a reload, others stay [DTLS-RUN-3 in part]', () => {
  const { world, setKey, options } = resumable(false)
  world.do((turn) => world.server.reconfigure(options, turn))
  expect(world.of('closed')).toEqual([])
  setKey(undefined)
  world.do((turn) => world.server.reconfigure(options, turn))
  world.settle()
  expect(world.of('closed')).toHaveLength(1)
  expect(world.server.sizes.sessions).toBe(0)
})
