// Client and server of our own against each other in virtual time: every suite, resumption, bad networks.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { seeded } from '../../lab/fuzz/mutation.ts'
import * as pki from '../../lab/pki.ts'
import { signerOf } from '../../src/dtls/crypto/chance.ts'
import { createTrust, derChain } from '../../src/dtls/crypto/x509.ts'
import { SUITES } from '../../src/dtls/suites.ts'
import { badNetwork, findKey, IDENTITY, World } from './world.ts'

const credentials = ({ cert, key }: pki.TestCertificate) => ({ chain: derChain(cert), sign: signerOf(key) })
const serverOptions = {
  findKey,
  certificate: credentials(pki.server),
  clientTrust: createTrust({ authorities: pki.ca.cert, purpose: 'client' }),
}
const clientOptions = {
  certificate: credentials(pki.client),
  serverTrust: createTrust({ authorities: pki.ca.cert, purpose: 'server', serverName: 'gateway.example' }),
}

describe('client and server', () => {
  for (const suite of SUITES) {
    it(`open a session with ${suite.name}, talk, and close it`, () => {
      const world = new World(serverOptions)
      const client = world.client({ ...clientOptions, suites: [suite.code] }).start()
      expect(world.of('fault')).toEqual([])
      const [open] = world.of('open')
      expect(open?.info).toMatchObject({ suite: suite.name, identity: IDENTITY, resumed: false })
      expect(client.core.state).toBe('open')
      client.send('up')
      world.answer('down')
      expect([world.received, client.received]).toEqual([['up'], ['down']])
      client.close()
      expect(world.of('closed')).toEqual([{ type: 'closed', session: open?.session, why: 'close_notify' }])
      expect(world.server.sizes).toEqual({ sessions: 0, halfOpen: 0, addresses: 0, cids: 0, unused: 0 })
    })
  }

  it('end open or cleanly failed over any network, and leave no handshake behind', () => {
    fc.assert(
      fc.property(
        fc.record({
          seed: fc.integer(),
          loss: fc.double({ min: 0, max: 0.5, noNaN: true }),
          doubled: fc.double({ min: 0, max: 0.5, noNaN: true }),
          reordered: fc.double({ min: 0, max: 0.5, noNaN: true }),
          mtu: fc.integer({ min: 256, max: 1472 }),
          cid: fc.integer({ min: 0, max: 16 }),
          ownCid: fc.integer({ min: 0, max: 16 }),
          suite: fc.constantFrom(...SUITES.map(({ code }) => code)),
          tickets: fc.boolean(),
        }),
        ({ seed, loss, doubled, reordered, mtu, cid, ownCid, suite, tickets }) => {
          const world = new World({ ...serverOptions, mtu, connectionIdLength: cid, tickets }, seed)
          world.network = badNetwork(seeded(seed), loss, doubled, reordered)
          const client = world.client({ ...clientOptions, suites: [suite], mtu, connectionIdLength: ownCid })
          client.start()
          // the server may have begun with the last hello of the client
          world.pass(130_000)
          expect(world.of('fault')).toEqual([])
          expect(client.core.state).not.toBe('handshake')
          expect(world.server.sizes.halfOpen).toBe(0)
        },
      ),
      { numRuns: 60, interruptAfterTimeLimit: 15_000 },
    )
  })

  it('open nearly always where 15 % are lost, 10 % come twice and 20 % late', () => {
    let opened = 0
    for (let seed = 0; seed < 40; seed++) {
      const world = new World({ ...serverOptions, mtu: 400 }, seed)
      world.network = badNetwork(seeded(seed), 0.15, 0.1, 0.2)
      const client = world.client({ ...clientOptions, mtu: 400 }).start()
      world.pass(60_000)
      if (client.core.state === 'open') opened++
    }
    expect(opened).toBeGreaterThanOrEqual(36)
  })

  for (const tickets of [true, false]) {
    it(`resume a session by ${tickets ? 'ticket' : 'session id'} with the same identity and a new connection id [DTLS-RES-1, DTLS-RES-3, DTLS-RES-4, DTLS-RES-5 in part]`, () => {
      const world = new World({ ...serverOptions, tickets })
      const first = world.client(clientOptions).start()
      const resume = first.core.resumption
      expect(resume).toBeDefined()
      const before = world.of('open')[0]?.info
      const again = world.client({ ...clientOptions, resume }).start()
      again.send('again')
      const [, open] = world.of('open')
      expect(open?.info).toMatchObject({ resumed: true, identity: before?.identity, kind: before?.kind })
      expect(open?.info.connectionId).not.toBe(before?.connectionId)
      expect(world.received).toEqual(['again'])
      // and once more with what the short handshake left
      const third = world.client({ ...clientOptions, resume: again.core.resumption }).start()
      expect(third.core.info?.resumed).toBe(true)
    })
  }
})
