// The client: what it takes from a server and what not. An honest server of ours stands behind a wire on which the test changes
// what it says, or has the wrong papers.

import { describe, expect, it } from 'vitest'
import * as pki from '../../lab/pki.ts'
import type { ClientOptions } from '../../src/dtls/client/options.ts'
import { signerOf } from '../../src/dtls/crypto/chance.ts'
import { createTrust, derChain } from '../../src/dtls/crypto/x509.ts'
import { readFragments, writeMessage } from '../../src/dtls/handshake/messages.ts'
import { concatOctets, u16 } from '../../src/dtls/octets.ts'
import { writePlainRecord } from '../../src/dtls/record/record.ts'
import { recordsOf } from './puppet.ts'
import { effectsOf, findKey, IDENTITY, KEY, type VirtualClient, World } from './world.ts'

const credentials = ({ cert, key }: pki.TestCertificate) => ({ chain: derChain(cert), sign: signerOf(key) })
const trust = (serverName?: string) =>
  createTrust({ authorities: pki.ca.cert, purpose: 'server', serverName })
const withCertificate = (certificate: pki.TestCertificate) => ({
  findKey,
  certificate: credentials(certificate),
})
const certificateOptions = (serverName?: string) => ({ serverTrust: trust(serverName), suites: [0xc0ac] })

const failures = (client: VirtualClient) =>
  effectsOf(client.effects, 'failed').map(({ cause, why }) => `${cause}: ${why}`)

/** A client whose server's handshake messages go through a hand that may change their bodies. */
function tampered(
  type: number,
  change: (body: Uint8Array) => Uint8Array,
  options: Partial<ClientOptions> = {},
  server = {},
) {
  const world = new World({ findKey, tickets: false, ...server })
  const client = world.client(options)
  const hand = (bytes: Uint8Array): Uint8Array =>
    concatOctets(
      ...recordsOf(bytes).map((record) => {
        if (record.type !== 22 || record.epoch !== 0)
          return writePlainRecord(record.type, record.sequence, record.payload)
        const messages = (readFragments(record.payload) ?? []).map((each) =>
          writeMessage(each.type, each.messageSeq, each.type === type ? change(each.body) : each.body),
        )
        return writePlainRecord(22, record.sequence, concatOctets(...messages))
      }),
    )
  const deliver = client.core.receive.bind(client.core)
  client.core.receive = (bytes, turn) => {
    const isPlain = recordsOf(bytes, 0).every(({ epoch }) => epoch === 0)
    deliver(isPlain ? hand(bytes) : bytes, turn)
  }
  client.start()
  return { world, client }
}

describe('a server of the client', () => {
  it('has a certificate of a trusted authority, for its name, for servers, in its time', () => {
    const cases: [pki.TestCertificate, string | undefined, string | undefined][] = [
      [pki.server, undefined, undefined],
      [pki.server, 'gateway.example', undefined],
      [pki.server, '127.0.0.1', undefined],
      [pki.server, 'other.example', 'not for other.example'],
      [pki.strangers, undefined, 'no authority that is trusted'],
      [pki.expired, undefined, 'expired'],
      [pki.client, undefined, 'not one for a server'],
    ]
    for (const [certificate, name, why] of cases) {
      const client = new World(withCertificate(certificate)).client(certificateOptions(name)).start()
      expect(client.core.state).toBe(why === undefined ? 'open' : 'gone')
      if (why !== undefined) expect(failures(client)[0]).toContain(why)
    }
  })

  it('proves that the certificate is its own', () => {
    const world = new World({
      findKey,
      certificate: { chain: derChain(pki.server.cert), sign: signerOf(pki.client.key) },
    })
    const client = world.client(certificateOptions()).start()
    expect(failures(client)[0]).toContain('the signature is not made with the key of its certificate')
    expect(world.of('open')).toEqual([])
  })

  it('has the same key: else the handshake ends without a session on either side', () => {
    const world = new World()
    const client = world.client({ psk: { identity: IDENTITY, key: new Uint8Array(16).fill(7) } }).start()
    world.pass(130_000)
    expect([client.core.state, world.of('open')]).toEqual(['gone', []])
    expect(world.of('failed').map(({ cause }) => cause)).toEqual(['wrong-key'])
  })

  it('chooses of what was offered, and answers no extension that was not sent', () => {
    const patch =
      (at: number, ...octets: number[]) =>
      (body: Uint8Array) => {
        const changed = Uint8Array.from(body)
        changed.set(octets, at)
        return changed
      }
    const suiteAt = 2 + 32 + 1 + 32
    const foreign = (body: Uint8Array) => {
      const length = ((body[suiteAt + 3] ?? 0) << 8) | (body[suiteAt + 4] ?? 0)
      const extensions = concatOctets(body.subarray(suiteAt + 5), Uint8Array.of(0x12, 0x34, 0, 0))
      return concatOctets(body.subarray(0, suiteAt + 3), u16(length + 4), extensions)
    }
    const cases: [(body: Uint8Array) => Uint8Array, string][] = [
      [patch(suiteAt, 0xc0, 0xac), 'not offered'],
      [patch(suiteAt, 0x00, 0x2f), 'not offered'],
      [patch(suiteAt + 2, 1), 'not offered'],
      [patch(0, 0xfe, 0xff), 'does not speak DTLS 1.2'],
      [foreign, 'was not sent'],
      [(body) => body.subarray(0, -1), 'does not parse'],
      [(body) => body.subarray(0, 40), 'does not parse'],
    ]
    for (const [change, why] of cases) {
      const { client } = tampered(2, change, { suites: [0xc0a8] })
      expect(failures(client)[0]).toContain(why)
    }
  })

  it('sees and says the same: what was changed on the way opens no session', () => {
    const flipped = (body: Uint8Array) => {
      const changed = Uint8Array.from(body)
      changed[5] = (changed[5] ?? 0) ^ 1
      return changed
    }
    const { world, client } = tampered(2, flipped, { suites: [0xc0a8] })
    world.pass(130_000)
    expect([client.core.state, world.of('open')]).toEqual(['gone', []])
  })

  it('uses the extended master secret where the client requires it', () => {
    const world = new World({ findKey, tickets: false })
    expect(world.client({ extendedMasterSecret: 'required' }).start().core.state).toBe('open')
    expect(world.client({ extendedMasterSecret: 'off' }).start().core.info?.extendedMasterSecret).toBe(false)
  })
})

describe('a client', () => {
  it('that gets no answer repeats its hello after 2, 4, 8 .. seconds, and gives up', () => {
    const world = new World()
    world.network = () => []
    const client = world.client().start()
    const at: number[] = []
    for (let second = 1; second <= 70; second++) {
      const count = world.sent.length
      world.pass(1000)
      if (world.sent.length > count) at.push(second)
    }
    expect(at).toEqual([2, 6, 14, 30])
    expect(failures(client)).toEqual(['timeout: the handshake was not finished in time'])
    expect(client.core.due()).toBe(Number.POSITIVE_INFINITY)
  })

  it('repeats its Finished of a short handshake when the server repeats its own', () => {
    const world = new World()
    const { resumption } = world.client().start().core
    const again = world.client({ resume: resumption })
    let lost = 0
    // the last flight of the client gets lost twice
    world.network = (direction, bytes) =>
      direction === 'up' && recordsOf(bytes, 6)[0]?.type === 20 && lost++ < 2 ? [] : [0]
    again.start()
    expect([again.core.state, world.of('open').length]).toEqual(['open', 1])
    world.pass(10_000)
    expect(lost).toBe(3)
    expect(world.of('open')).toHaveLength(2)
    again.send('there')
    expect(world.received).toEqual(['there'])
  })

  it('needs a key, or an authority that it trusts, and says so', () => {
    const world = new World()
    expect(() => world.client({ psk: undefined })).toThrow('needs a pre-shared key, or certificates')
    expect(() => world.client({ suites: [0xc0ac] })).toThrow('needs a pre-shared key, or certificates')
    expect(() => new World({})).toThrow('needs pre-shared keys or a certificate')
    expect(() => new World({ findKey, suites: [0x2f] })).toThrow('cipher suite 0x2f is not known')
    expect(() => signerOf(pki.p384.key)).toThrow('P-256')
  })

  it('shows no key and no secret in what it tells [DTLS-RUN-6 in part]', () => {
    const world = new World()
    const client = world.client().start()
    client.send('text')
    client.close()
    const told = world.effects
      .concat(client.effects)
      .filter(({ type }) => !['send', 'data', 'keylog'].includes(type))
    const text = JSON.stringify(told)
    expect(text).not.toContain(Buffer.from(KEY).toString('hex'))
    expect(text).not.toMatch(/master|"key"|premaster/)
    expect(world.of('keylog')).toEqual([])
  })
})
