// pion over loopback, a peer that speaks connection ids: as a client whose port changes within its session, and as a server.

import { afterEach, describe, expect, it } from 'vitest'
import * as pki from '../../lab/pki.ts'
import { freePort } from '../../lab/processes.ts'
import { signerOf } from '../../src/dtls/crypto/chance.ts'
import { createTrust, derChain } from '../../src/dtls/crypto/x509.ts'
import { SUITES } from '../../src/dtls/suites.ts'
import { UdpClient, UdpEchoServer } from '../support/dtls-udp.ts'
import { files } from './peers/installed.ts'
import { pion } from './peers/pion.ts'
import { Program } from './peers/program.ts'
import { findKey, IDENTITY, KEY } from './world.ts'

/** It has no suites of both at once. */
const suites = SUITES.filter(({ exchange }) => exchange !== 'ecdhe-psk').map((suite) => ({
  ...suite,
  kind: suite.exchange === 'psk' ? 'psk' : 'certificate',
}))
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

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

describe.skipIf(pion === undefined)('pion', () => {
  const start = (mode: string, port: number, code: number, ...proof: string[]) => {
    const program = new Program(pion ?? '', mode, `${port}`, code.toString(16).padStart(4, '0'), ...proof)
    closing.push(() => program.stop())
    return program
  }
  const key = ['psk', IDENTITY, hexKey]

  for (const { name, code, kind } of suites) {
    it(`as client with connection ids both ways, from two ports in one session: ${name} [DTLS-CID-2, DTLS-CID-5]`, async () => {
      const ours = await UdpEchoServer.open(serverOptions)
      closing.push(() => ours.end())
      const proof = kind === 'psk' ? key : ['cert', files.ca, files.clientCert, files.clientKey]
      const theirs = start('client', ours.port, code, ...proof)
      await theirs.says('hello from another port')
      expect(await theirs.ended).toBe(0)
      const { info } = await ours.next('open')
      expect(info).toMatchObject({
        suite: name,
        kind,
        identity: IDENTITY,
        connectionId: expect.stringMatching(/^.{12}$/),
      })
      await ours.next('closed')
      expect(ours.of('moved').length).toBeGreaterThan(0)
      expect([ours.of('open').length, ours.of('fault')]).toEqual([1, []])
    })

    it(`as server with connection ids both ways: ${name} [DTLS-CID-2]`, async () => {
      const port = await freePort()
      const proof = kind === 'psk' ? key : ['cert', files.ca, files.serverCert, files.serverKey]
      const theirs = start('server', port, code, ...proof)
      await theirs.says('listening')
      const options = { suites: [code], connectionIdLength: 4, retransmit: 300 }
      const ours = await UdpClient.connect(port, { ...clientOptions, ...options })
      closing.push(() => ours.end())
      expect((await ours.next('open')).info).toMatchObject({
        suite: name,
        kind,
        connectionId: expect.stringMatching(/^.{8}$/),
      })
      ours.say('hello of ours')
      expect(Buffer.from((await ours.next('data')).bytes).toString()).toBe('hello of ours')
      ours.do((turn) => ours.core.close('done', turn))
    })
  }
})
