// Every order of the records of a handshake, and strangers among them: a session opens after all of the client's messages and
// its ChangeCipherSpec, and never before.

import { describe, expect, it } from 'vitest'
import * as pki from '../../lab/pki.ts'
import { signerOf } from '../../src/dtls/crypto/chance.ts'
import { createTrust, derChain } from '../../src/dtls/crypto/x509.ts'
import { writeMessage } from '../../src/dtls/handshake/messages.ts'
import { writePlainRecord } from '../../src/dtls/record/record.ts'
import type { ServerOptions } from '../../src/dtls/server/options.ts'
import { EMS, groupsOf, Puppet, type PuppetOptions, SIGNATURES } from './puppet.ts'
import { findKey, World } from './world.ts'

/** All orders of some of these, of any number. */
function orders(names: readonly string[]): string[][] {
  const found: string[][] = [[]]
  for (const name of names) {
    const others = names.filter((each) => each !== name)
    for (const rest of orders(others)) found.push([name, ...rest])
  }
  return found
}

const credentials = ({ cert, key }: pki.TestCertificate) => ({ chain: derChain(cert), sign: signerOf(key) })

interface Walk {
  readonly server: ServerOptions
  readonly client: PuppetOptions
  /** what has to come, in any order, before the session opens */
  readonly needed: readonly string[]
}

const withKeys: Walk = {
  server: { findKey },
  client: {},
  needed: ['exchange', 'change', 'finished'],
}
const withCertificates: Walk = {
  server: {
    certificate: credentials(pki.server),
    clientTrust: createTrust({ authorities: pki.ca.cert, purpose: 'client' }),
  },
  client: {
    suites: [0xc0ae],
    extensions: [EMS, groupsOf(23), SIGNATURES],
    certificate: credentials(pki.client),
  },
  needed: ['certificate', 'exchange', 'verify', 'change', 'finished'],
}

/** Sends these records, and looks after each whether the session is open. */
function walk(
  { server, client, needed }: Walk,
  order: readonly string[],
  strangers: Record<string, Uint8Array> = {},
) {
  const world = new World(server, 7)
  const puppet = new Puppet(world, client)
  puppet.begin()
  const records: Record<string, Uint8Array> = { ...puppet.records(), ...strangers }
  const came = new Set<string>()
  let wasComplete = false
  for (const name of order) {
    puppet.send(records[name] as Uint8Array)
    // a stranger's ChangeCipherSpec is like any other: what counts is the Finished behind it
    came.add(name === 'ChangeCipherSpec' ? 'change' : name)
    const isComplete = needed.every((each) => came.has(each))
    const opened = world.of('open').length
    if (opened > 0 && !isComplete) throw new Error(`open after ${[...came]} of ${order}`)
    wasComplete ||= isComplete
  }
  if (world.of('fault').length > 0) throw new Error(`a fault in ${order}`)
  return { opened: world.of('open').length, complete: wasComplete, world, puppet }
}

describe('the order of a handshake', () => {
  for (const [name, plan] of Object.entries({ keys: withKeys, certificates: withCertificates })) {
    it(`with ${name}: opens exactly when everything has come, in whatever order [DTLS-HS-1]`, () => {
      for (const order of orders(plan.needed)) {
        const { opened, complete } = walk(plan, order)
        expect([order, opened]).toEqual([order, complete ? 1 : 0])
      }
    }, 60_000)
  }

  it('with a stranger of each kind at every place: never opens earlier [DTLS-HS-1]', () => {
    const strangers: Record<string, Uint8Array> = {
      'Finished in epoch 0': writePlainRecord(22, 90, writeMessage(20, 3, new Uint8Array(12))),
      'Finished in its place': writePlainRecord(22, 91, writeMessage(20, 2, new Uint8Array(12))),
      CertificateVerify: writePlainRecord(22, 92, writeMessage(15, 2, new Uint8Array(8))),
      Certificate: writePlainRecord(22, 93, writeMessage(11, 3, new Uint8Array(3))),
      HelloRequest: writePlainRecord(22, 94, writeMessage(0, 2, new Uint8Array(0))),
      'a ServerHello': writePlainRecord(22, 95, writeMessage(2, 2, new Uint8Array(40))),
      ChangeCipherSpec: writePlainRecord(20, 96, Uint8Array.of(1)),
      'a warning': writePlainRecord(21, 97, Uint8Array.of(1, 90)),
      'a fatal alert': writePlainRecord(21, 98, Uint8Array.of(2, 40)),
      data: writePlainRecord(23, 99, Uint8Array.of(1)),
      'noise in epoch 1': Uint8Array.from([
        22,
        0xfe,
        0xfd,
        0,
        1,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        40,
        ...new Uint8Array(40),
      ]),
    }
    const full = orders(withKeys.needed).filter(({ length }) => length === 3)
    for (const [name, record] of Object.entries(strangers)) {
      for (const order of full) {
        for (let place = 0; place <= 3; place++) {
          walk(withKeys, [...order.slice(0, place), name, ...order.slice(place)], { [name]: record })
        }
      }
    }
  }, 60_000)

  it('a Finished before ChangeCipherSpec waits, and without one the session never opens [DTLS-HS-2]', () => {
    const { world, puppet } = walk(withKeys, ['exchange', 'finished'])
    for (let repeats = 0; repeats < 10; repeats++) puppet.send(puppet.data('no'))
    expect([world.of('open'), world.received]).toEqual([[], []])
    puppet.send(puppet.plain(20, Uint8Array.of(1)))
    expect(world.of('open')).toHaveLength(1)
  })

  it('a client certificate without CertificateVerify opens nothing [DTLS-HS-3]', () => {
    const { world } = walk(withCertificates, ['certificate', 'exchange', 'change', 'finished'])
    expect(world.of('open')).toEqual([])
    // nor with Finished in its place, over the messages without it
    const other = new World(withCertificates.server)
    const puppet = new Puppet(other, { ...withCertificates.client, certificate: undefined })
    puppet.begin()
    const borrowed = derChain(pki.client.cert)
    const chain = { chain: borrowed, sign: () => new Uint8Array(70) }
    const thief = new Puppet(other, { ...withCertificates.client, certificate: chain })
    thief.open()
    expect(other.of('open')).toEqual([])
    expect(other.of('failed').at(-1)).toMatchObject({
      cause: 'certificate',
      why: expect.stringContaining('signature'),
    })
  })

  it('messages of the application that come early are given out after Finished, never before [DTLS-HS-25]', () => {
    const world = new World({ findKey, tickets: false })
    const before = world.client().start()
    const resuming = world.client({ resume: before.core.resumption })
    resuming.start()
    expect(resuming.core.info?.resumed).toBe(true)
    // of a puppet: data in front of Finished, and in front of ChangeCipherSpec
    const puppet = new Puppet(world)
    puppet.begin()
    const { exchange, change, finished } = puppet.records() as Record<
      'exchange' | 'change' | 'finished',
      Uint8Array
    >
    puppet.send(exchange, puppet.data('one'), change, puppet.data('two'))
    expect(world.received).toEqual([])
    puppet.send(finished)
    expect(world.received).toEqual(['one', 'two'])
    const kinds = world.effects.map(({ type }) => type)
    expect(kinds.lastIndexOf('open')).toBeLessThan(kinds.indexOf('data'))
  })
})
