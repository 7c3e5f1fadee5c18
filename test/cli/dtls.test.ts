// pub, sub, discover and sensor at dtls://, where keys come from, and what is said when it does not work.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Command } from 'commander'
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import * as pki from '../../lab/pki.ts'
import { discoverCommand } from '../../src/cli/discover.ts'
import { pubCommand } from '../../src/cli/pub.ts'
import { sensorCommand } from '../../src/cli/sensor.ts'
import { subCommand } from '../../src/cli/sub.ts'
import type { Terminal } from '../../src/cli/terminal/terminal.ts'
import { signerOf } from '../../src/dtls/crypto/chance.ts'
import { createTrust, derChain } from '../../src/dtls/crypto/x509.ts'
import { DtlsRelay } from '../support/dtls-relay.ts'
import { acceptingGateway, FakeTerminal, UdpPeer } from '../support/sensor.ts'

const KEY = '000102030405060708090a0b0c0d0e0f'
const OTHER = 'ff'.repeat(16)
/** meter-17 has the one key, all others the other */
const findKey = (identity: string) =>
  Uint8Array.from(Buffer.from(identity === 'meter-17' ? KEY : OTHER, 'hex'))

let peer: UdpPeer
let relay: DtlsRelay
const FILES = {
  'one.txt': `meter-17:${KEY}\n`,
  'many.txt': `meter-17:${KEY}\nmeter-18:${OTHER}\nfleet-0:${OTHER}\nfleet-1:${OTHER}\n`,
  'bad.txt': 'meter-17\n',
  'empty.txt': '# nobody\n',
  'ca.pem': pki.ca.cert,
  'cert.pem': pki.client.cert,
  'key.pem': pki.client.key,
}
const folder = mkdtempSync(join(tmpdir(), 'mqttsn-dtls-'))
for (const [name, text] of Object.entries(FILES)) writeFileSync(join(folder, name), text)
afterAll(() => rmSync(folder, { recursive: true }))
const file = (name: string) => join(folder, name)

beforeEach(async () => {
  peer = await UdpPeer.open()
  peer.script = acceptingGateway()
  relay = await DtlsRelay.open(peer.url, {
    findKey,
    certificate: { chain: derChain(pki.server.cert), sign: signerOf(pki.server.key) },
    clientTrust: createTrust({ authorities: pki.ca.cert, purpose: 'client' }),
  })
})
afterEach(async () => {
  vi.unstubAllEnvs()
  relay.end()
  await peer.close()
})

async function run(make: (terminal: Terminal) => Command, ...args: string[]) {
  const terminal = new FakeTerminal()
  const code = await terminal.run(make(terminal), ...args)
  return { code, lines: terminal.lines, errors: terminal.errors.join('\n') }
}
const pub = (...args: string[]) =>
  run(pubCommand, '-h', relay.url, '-t', 'a', '-m', '1', '--retry', '200ms', '--retries', '1', ...args)
const identities = () => relay.of('open').map(({ info }) => info.identity)
const clientIds = () =>
  peer.heard.map(({ packet }) => (packet.type === 'connect' ? packet.clientId : '')).filter(Boolean)

describe('where the key comes from', () => {
  it('takes it from --psk, and the identity for a client id', async () => {
    expect(await pub('--psk', `meter-17:${KEY}`, '-q', '1', '-v')).toMatchObject({
      code: 0,
      errors: expect.stringContaining('DTLS: TLS_ECDHE_PSK_WITH_AES_128_CCM_SHA256, psk meter-17'),
    })
    expect([identities(), clientIds()]).toEqual([['meter-17'], ['meter-17']])
    expect(peer.types()).toBe('connect register publish disconnect')
  })

  it('takes the one of a file that the client id, --psk-identity, or there being no other says', async () => {
    expect((await pub('--psk-file', file('one.txt'))).code).toBe(0)
    expect((await pub('--psk-file', file('many.txt'), '-i', 'meter-18')).code).toBe(0)
    expect((await pub('--psk-file', file('many.txt'), '--psk-identity', 'fleet-1', '-i', 'x')).code).toBe(0)
    expect([identities(), clientIds()]).toEqual([
      ['meter-17', 'meter-18', 'fleet-1'],
      ['meter-17', 'meter-18', 'x'],
    ])
  })

  it('takes it from variables, which disturb nobody who uses plain UDP', async () => {
    vi.stubEnv('MQTTSN_PSK', `meter-17:${KEY}`)
    expect((await pub()).code).toBe(0)
    expect((await run(pubCommand, '-g', peer.url, '-t', 'a', '-m', '1')).code).toBe(0)
    // what is said on the command line is what counts
    expect((await pub('--psk-file', file('many.txt'), '-i', 'meter-18')).code).toBe(0)
    vi.stubEnv('MQTTSN_PSK', undefined)
    vi.stubEnv('MQTTSN_PSK_FILE', file('one.txt'))
    expect((await pub()).code).toBe(0)
    expect(identities()).toEqual(['meter-17', 'meter-18', 'meter-17'])
  })

  it('knows and is known by certificates', async () => {
    const own = ['--cert', file('cert.pem'), '--key', file('key.pem')]
    expect((await pub('--ca', file('ca.pem'), ...own)).code).toBe(0)
    expect((await pub('--ca', file('ca.pem'), '--server-name', 'gateway.example', ...own)).code).toBe(0)
    expect(relay.of('open').map(({ info }) => [info.kind, info.identity])).toEqual([
      ['certificate', 'meter-17'],
      ['certificate', 'meter-17'],
    ])
  })
})

describe('the other commands at dtls://', () => {
  it('sub prints what arrives', async () => {
    peer.script = (packet, heard) => {
      const answers = acceptingGateway()(packet, heard)
      if (packet.type !== 'subscribe') return answers
      const about = { dup: false, qos: 0, retain: false, topicIdType: 'short', msgId: 0 } as const
      return [...answers, { type: 'publish', ...about, topicId: 0x6162, data: Buffer.from('hello') }]
    }
    const args = ['-h', relay.url, '--psk', `meter-17:${KEY}`, '--short', 'ab', '-n', '1', '-W', '5s']
    expect(await run(subCommand, ...args)).toMatchObject({ code: 0, lines: ['ab hello'] })
  })

  it('discover finds the gateway by its address', async () => {
    const args = ['--psk', `meter-17:${KEY}`, '--timeout', '300ms']
    const found = [`gateway 1 at ${relay.url} (gwinfo)`]
    expect(await run(discoverCommand, '-h', relay.url, ...args)).toMatchObject({ code: 0, lines: found })
    const apart = ['-h', 'dtls://127.0.0.1', '-p', `${relay.port}`]
    expect(await run(discoverCommand, ...apart, ...args)).toMatchObject({ code: 0, lines: found })
    expect(await run(discoverCommand, '--unicast', relay.url, ...args)).toMatchObject({
      code: 0,
      lines: found,
    })
    expect(
      await run(discoverCommand, '-h', relay.url, '--psk', `meter-17:${OTHER}`, '--timeout', '200ms'),
    ).toMatchObject({
      code: 1,
      errors: expect.stringContaining('another key'),
    })
  })

  it('a simulated sensor, and a swarm in which each has a key of its own', async () => {
    const at = ['-g', relay.url, '--psk-file', file('many.txt'), '--duration', '600ms', '--interval', '100ms']
    expect((await run(sensorCommand, 'thermometer', ...at, '-i', 'meter-17')).code).toBe(0)
    expect((await run(sensorCommand, 'swarm', ...at, '-i', 'fleet', '--sensors', '2')).code).toBe(0)
    expect(identities()).toEqual(['meter-17', 'fleet-0', 'fleet-1'])
    expect(clientIds()).toEqual(expect.arrayContaining(['meter-17', 'fleet-0', 'fleet-1']))
  })

  it('a simulated sensor and a swarm that are not let in end, and say why [exit code 1]', async () => {
    const at = ['-g', relay.url, '--psk', `meter-17:${OTHER}`, '--retry', '100ms', '--retries', '1']
    expect(await run(sensorCommand, 'thermometer', ...at)).toMatchObject({
      code: 1,
      errors: expect.stringContaining('another key'),
    })
    expect(await run(sensorCommand, 'swarm', ...at, '--sensors', '1', '--duration', '700ms')).toMatchObject({
      code: 1,
      errors: expect.stringContaining('another key'),
    })
  })
})

describe('what does not work', () => {
  it('says that the gateway has another key, or takes no such certificate [exit code 1]', async () => {
    const wrong = await pub('--psk', `meter-17:${OTHER}`)
    expect([wrong.code, wrong.errors]).toEqual([1, expect.stringContaining('has another key for it')])
    expect(wrong.errors).not.toContain(OTHER)
    const none = await pub('--ca', file('ca.pem'))
    expect([none.code, none.errors]).toEqual([1, expect.stringMatching(/the server says [a-z_]+/)])
    const json = await pub('--psk', `meter-17:${OTHER}`, '--json')
    expect(JSON.parse(json.errors)).toMatchObject({ error: 'security' })
  })

  it('says that nobody answers [exit code 3]', async () => {
    const silent = await UdpPeer.open()
    const to = silent.url.replace('udp:', 'dtls:')
    const args = ['-t', 'a', '-m', '1', '--psk', `meter-17:${KEY}`, '--retry', '100ms', '--retries', '1']
    expect(await run(pubCommand, '-h', to, ...args)).toMatchObject({
      code: 3,
      errors: expect.stringContaining('no answer'),
    })
    await silent.close()
  })

  it.each<[string, string[]]>([
    ['needs --psk or --psk-file, or --ca', []],
    ['--psk: expected identity:key', ['--psk', `meter-17:${KEY}x`]],
    ['several keys: --psk-identity', ['--psk-file', file('many.txt')]],
    ['has no key for "nobody"', ['--psk-file', file('many.txt'), '--psk-identity', 'nobody']],
    ['bad.txt, line 1: expected', ['--psk-file', file('bad.txt')]],
    ['has no key', ['--psk-file', file('empty.txt')]],
    ['--psk-file: ENOENT', ['--psk-file', file('missing.txt')]],
    ['--ca: ENOENT', ['--ca', file('missing.pem')]],
    ['--cert and --key belong together', ['--ca', file('ca.pem'), '--cert', file('cert.pem')]],
    ['--cert needs --ca', ['--psk', `a:${KEY}`, '--cert', file('cert.pem'), '--key', file('key.pem')]],
    ['ca: no certificate', ['--ca', file('one.txt')]],
  ])('says %s [exit code 2]', async (says, args) => {
    const { code, errors } = await pub(...args)
    expect([code, errors]).toEqual([2, expect.stringContaining(says)])
    expect(errors).not.toContain(KEY)
  })

  it('does not take keys for an address without DTLS, nor an address without a port [exit code 2]', async () => {
    const rest = ['-t', 'a', '-m', '1', '--psk-file', file('one.txt')]
    expect(await run(pubCommand, '-h', '127.0.0.1', ...rest)).toMatchObject({
      code: 2,
      errors: expect.stringContaining('--psk-file needs a gateway at dtls://'),
    })
    for (const address of [
      ['-h', 'dtls://127.0.0.1'],
      ['-g', 'dtls://127.0.0.1'],
    ])
      expect(await run(pubCommand, ...address, ...rest)).toMatchObject({
        code: 2,
        errors: expect.stringContaining('dtls:// has no usual port'),
      })
  })
})
