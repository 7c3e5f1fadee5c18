// What DTLS costs without sockets: handshakes with both halves in this process, records in and out, hellos of strangers.
// Figures vary with the machine and its other work: compare, do not trust. Run with: npm run bench:micro

import { bench, describe } from 'vitest'
import * as pki from '../../lab/pki.ts'
import { DtlsClient } from '../../src/dtls/client/client.ts'
import type { ClientOptions } from '../../src/dtls/client/options.ts'
import { signerOf, systemChance } from '../../src/dtls/crypto/chance.ts'
import { createTrust, derChain } from '../../src/dtls/crypto/x509.ts'
import type { Effect, Turn } from '../../src/dtls/effects.ts'
import { DtlsServer } from '../../src/dtls/server/server.ts'
import { findKey, IDENTITY, KEY, START } from './world.ts'

const remote = { address: '10.0.0.254', port: 8883 }
const psk = { identity: IDENTITY, key: KEY }
const credentials = ({ cert, key }: pki.TestCertificate) => ({ chain: derChain(cert), sign: signerOf(key) })
const server = new DtlsServer(
  {
    findKey,
    certificate: credentials(pki.server),
    clientTrust: createTrust({ authorities: pki.ca.cert, purpose: 'client' }),
    handshakesPerAddress: Number.POSITIVE_INFINITY,
    sessions: 1_000_000,
  },
  systemChance,
)
const certificates = {
  certificate: credentials(pki.client),
  serverTrust: createTrust({ authorities: pki.ca.cert, purpose: 'server' }),
}

let now = 0
const turn = (out: Effect[]): Turn => ({ now: now++ / 1000, wall: START, out })

/** Datagrams go back and forth until nobody has one left. */
function exchange(client: DtlsClient, from: { address: string; port: number }, first: Effect[]): void {
  let up = first
  while (up.length > 0) {
    const down: Effect[] = []
    for (const effect of up) if (effect.type === 'send') server.receive(effect.bytes, from, turn(down))
    up = []
    for (const effect of down) if (effect.type === 'send') client.receive(effect.bytes, turn(up))
  }
}

let port = 0
function connect(options: Partial<ClientOptions>): DtlsClient {
  const client = new DtlsClient({ remote, psk, ...options }, systemChance)
  const out: Effect[] = []
  client.start(turn(out))
  exchange(client, { address: `10.0.${(port >> 14) & 255}.1`, port: 1024 + (++port & 0x3fff) }, out)
  if (client.state !== 'open') throw new Error('no session')
  return client
}

/** Opened and closed again, as nothing may pile up. */
function handshake(options: Partial<ClientOptions>): void {
  const client = connect(options)
  const from = { address: `10.0.${(port >> 14) & 255}.1`, port: 1024 + (port & 0x3fff) }
  const out: Effect[] = []
  client.close('done', turn(out))
  exchange(client, from, out)
}

describe('DTLS handshakes, both halves in one process (a server alone has about half)', () => {
  bench('key, CCM_8', () => handshake({ suites: [0xc0a8] }))
  bench('key with agreement (x25519), CCM', () => handshake({ suites: [0xd005] }))
  bench('certificates both ways (x25519), CCM', () => handshake({ ...certificates, suites: [0xc0ac] }))
  const { resumption } = connect({ suites: [0xc0a8] })
  bench('resumed by ticket', () => handshake({ suites: [0xc0a8], resume: resumption }))
})

describe('a hello without a cookie', () => {
  const hello: Effect[] = []
  new DtlsClient({ remote, psk }, systemChance).start(turn(hello))
  const bytes = hello[0]?.type === 'send' ? hello[0].bytes : new Uint8Array(0)
  bench('answered', () => server.receive(bytes, { address: '10.9.9.9', port: 5 }, turn([])))
})

describe('a record of 20 octets, both halves in one process', () => {
  const message = new Uint8Array(20)
  for (const [name, suite] of [
    ['CCM_8', 0xc0a8],
    ['CCM', 0xc0a4],
    ['GCM', 0x00a8],
  ] as const) {
    const client = connect({ suites: [suite] })
    const from = { address: `10.0.${(port >> 14) & 255}.1`, port: 1024 + (port & 0x3fff) }
    bench(`${name}: written by the client, read by the server`, () => {
      const out: Effect[] = []
      client.send(message, turn(out))
      if (out[0]?.type === 'send') server.receive(out[0].bytes, from, turn([]))
    })
  }
})
