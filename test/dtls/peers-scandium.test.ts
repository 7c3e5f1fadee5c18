// Scandium of Eclipse Californium over loopback, with connection ids both ways: as a client whose port changes within its session, and
// as a server.

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import * as pki from '../../lab/pki.ts'
import { freePort } from '../../lab/processes.ts'
import { signerOf } from '../../src/dtls/crypto/chance.ts'
import { createTrust, derChain } from '../../src/dtls/crypto/x509.ts'
import { SUITES } from '../../src/dtls/suites.ts'
import { Nat } from '../support/dtls-relay.ts'
import { UdpClient, UdpEchoServer } from '../support/dtls-udp.ts'
import { files } from './peers/installed.ts'
import { Program } from './peers/program.ts'
import { scandium } from './peers/scandium.ts'
import { findKey, IDENTITY, KEY } from './world.ts'

const hexKey = Buffer.from(KEY).toString('hex')
const credentials = ({ cert, key }: pki.TestCertificate) => ({ chain: derChain(cert), sign: signerOf(key) })
const serverOptions = {
  findKey,
  certificate: credentials(pki.server),
  clientTrust: createTrust({ authorities: pki.ca.cert, purpose: 'client' }),
}
const clientOptions = {
  psk: { identity: IDENTITY, key: KEY },
  certificate: credentials(pki.client),
  serverTrust: createTrust({ authorities: pki.ca.cert, purpose: 'server' }),
}
/** A Java program takes a while to start, most of all beside others. */
const PATIENCE = 60_000

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

describe.skipIf(scandium === undefined)('Scandium', { timeout: 2 * PATIENCE }, () => {
  const start = (...args: string[]) => new Program('java', ...(scandium ?? []), ...args)

  async function client(suite: string, identity = IDENTITY, key = hexKey, options = {}) {
    const ours = await UdpEchoServer.open({ ...serverOptions, ...options })
    closing.push(() => ours.end())
    const nat = await Nat.open(`udp://127.0.0.1:${ours.port}`)
    closing.push(() => nat.end())
    const proof = suite.includes('PSK')
      ? ['psk', identity, key]
      : ['cert', files.ca, files.clientCert, files.clientKey]
    const theirs = start('client', new URL(nat.url.replace('udp', 'http')).port, suite, ...proof)
    closing.push(() => theirs.stop())
    return { ours, nat, theirs }
  }

  for (const { name, exchange } of SUITES) {
    const kind = exchange === 'ecdhe-ecdsa' ? 'certificate' : 'psk'
    it(`as client with connection ids both ways, from two ports in one session: ${name} [DTLS-CID-2, DTLS-CID-5]`, async () => {
      const { ours, nat, theirs } = await client(name)
      theirs.write('hello of scandium\n')
      await theirs.says('hello of scandium', PATIENCE)
      nat.rebind()
      theirs.write('hello from another port\n')
      await theirs.says('hello from another port')
      theirs.finish()
      expect((await ours.next('open')).info).toMatchObject({
        suite: name,
        kind,
        identity: IDENTITY,
        connectionId: expect.stringMatching(/^.{12}$/),
      })
      expect((await ours.next('closed')).why).toBe('close_notify')
      expect(ours.of('moved').length).toBeGreaterThan(0)
      expect([ours.of('open').length, ours.of('fault')]).toEqual([1, []])
    })
  }

  for (const { who, identity, key, cause } of [
    { who: 'with a wrong key', identity: IDENTITY, key: 'ff'.repeat(16), cause: 'wrong-key' },
    { who: 'whom nobody knows', identity: 'stranger', key: hexKey, cause: 'unknown-identity' },
  ]) {
    it(`as client ${who} opens nothing`, async () => {
      const options = { handshake: 1500 }
      const { ours, theirs } = await client('TLS_PSK_WITH_AES_128_CCM_8', identity, key, options)
      theirs.write('hello of scandium\n')
      expect((await ours.next('failed', PATIENCE)).cause).toBe(cause)
      expect(ours.of('open')).toEqual([])
    })
  }

  describe('as server', () => {
    let port = 0
    let theirs: Program | undefined
    beforeAll(async () => {
      port = await freePort()
      const proof = [IDENTITY, hexKey, files.ca, files.serverCert, files.serverKey]
      theirs = start('server', `${port}`, ...proof)
      await theirs.says('listening', PATIENCE)
    }, PATIENCE)
    afterAll(() => theirs?.stop())

    for (const { name, code, exchange } of SUITES) {
      it(`with connection ids both ways: ${name} [DTLS-CID-2]`, async () => {
        const options = { suites: [code], connectionIdLength: 4, retransmit: 300, groups: [23] as const }
        const ours = await UdpClient.connect(port, { ...clientOptions, ...options })
        closing.push(() => ours.end())
        expect((await ours.next('open', PATIENCE)).info).toMatchObject({
          suite: name,
          kind: exchange === 'ecdhe-ecdsa' ? 'certificate' : 'psk',
          connectionId: expect.stringMatching(/^.{8}$/),
        })
        ours.say('hello of ours')
        expect(Buffer.from((await ours.next('data')).bytes).toString()).toBe('hello of ours')
        ours.do((turn) => ours.core.close('done', turn))
        expect(ours.of('fault')).toEqual([])
      })
    }
  })
})
