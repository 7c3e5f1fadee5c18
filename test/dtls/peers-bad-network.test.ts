// Other implementations through a network that loses 15 % of the datagrams, doubles 10 % and delays 20 %: the handshake comes to its
// end all the same, with keys and with certificates, whoever is the client.

import { afterEach, describe, expect, it } from 'vitest'
import * as pki from '../../lab/pki.ts'
import { freePort } from '../../lab/processes.ts'
import { signerOf } from '../../src/dtls/crypto/chance.ts'
import { createTrust, derChain } from '../../src/dtls/crypto/x509.ts'
import { BadNetwork } from '../support/bad-network.ts'
import { UdpClient, UdpEchoServer } from '../support/dtls-udp.ts'
import { type Kind, peerClients, peerServers } from './peers/commands.ts'
import { Program } from './peers/program.ts'
import { findKey, IDENTITY, KEY } from './world.ts'

const credentials = ({ cert, key }: pki.TestCertificate) => ({ chain: derChain(cert), sign: signerOf(key) })
const serverOptions = {
  findKey,
  certificate: credentials(pki.server),
  clientTrust: createTrust({ authorities: pki.ca.cert, purpose: 'client' }),
  groups: [23] as const,
  mtu: 400,
  retransmit: 300,
}
const clientOptions = {
  psk: { identity: IDENTITY, key: KEY },
  certificate: credentials(pki.client),
  serverTrust: createTrust({ authorities: pki.ca.cert, purpose: 'server' }),
  mtu: 400,
  retransmit: 300,
}
/** Pauses between repetitions double, and programs start slowly beside others. */
const PATIENCE = 60_000

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

async function networkTo(port: number, seed: number): Promise<BadNetwork> {
  const network = await BadNetwork.open(port, seed)
  closing.push(() => network.end())
  return network
}

const named = (kind: Kind) => (kind === 'psk' ? 'a key' : 'certificates')

for (const { name, isHere, kinds, command, hello, writes } of peerClients) {
  describe.skipIf(!isHere)(`${name} through a bad network`, { timeout: 2 * PATIENCE }, () => {
    for (const [seed, kind] of kinds.entries()) {
      it(`as client with ${named(kind)}`, async () => {
        const ours = await UdpEchoServer.open(serverOptions)
        closing.push(() => ours.end())
        const network = await networkTo(ours.port, seed + 1)
        const [program = '', ...args] = command(network.port, kind)
        const theirs = new Program(program, ...args)
        closing.push(() => theirs.stop())
        // some begin their handshake with the first message only
        if (writes) theirs.write(`${hello}\n`)
        const { info } = await ours.next('open', PATIENCE)
        network.isGood = true
        expect(info).toMatchObject({ kind, identity: IDENTITY })
        await theirs.says(hello, PATIENCE)
        expect([ours.of('open').length, ours.of('fault')]).toEqual([1, []])
      })
    }
  })
}

for (const { name, isHere, kinds, command, ready, echoes, suites } of peerServers) {
  describe.skipIf(!isHere)(`${name} through a bad network`, { timeout: 2 * PATIENCE }, () => {
    for (const [seed, kind] of kinds.entries()) {
      it(`as server with ${named(kind)}`, async () => {
        const port = await freePort()
        const [program = '', ...args] = command(port, kind)
        const theirs = new Program(program, ...args)
        closing.push(() => theirs.stop())
        await theirs.says(ready, PATIENCE)
        const network = await networkTo(port, seed + 1)
        const ours = await UdpClient.connect(network.port, { ...clientOptions, suites: [suites[kind]] })
        closing.push(() => ours.end())
        expect((await ours.next('open', PATIENCE)).info).toMatchObject({ kind })
        network.isGood = true
        ours.say('hello of ours\n')
        if (echoes) {
          const { bytes } = await ours.next('data', PATIENCE)
          expect(Buffer.from(bytes).toString()).toBe('hello of ours\n')
        } else await theirs.says('hello of ours', PATIENCE)
        expect(ours.of('fault')).toEqual([])
      })
    }
  })
}
