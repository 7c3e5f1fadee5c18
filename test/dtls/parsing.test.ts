// Parsers of handshake messages: octets of strangers are values or nothing, never an exception; and fragments come together
// however they were cut.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  readAgreement,
  readCertificate,
  readCertificateRequest,
  readClientKeyExchange,
  readHint,
  readNewSessionTicket,
  readSignature,
  writeAgreement,
  writeCertificate,
  writeClientKeyExchange,
  writeNewSessionTicket,
  writeSignature,
} from '../../src/dtls/handshake/bodies.ts'
import { areExtensions, readExtensions } from '../../src/dtls/handshake/extensions.ts'
import {
  readClientHello,
  readHelloVerifyRequest,
  readServerHello,
  writeClientHello,
  writeServerHello,
} from '../../src/dtls/handshake/hello.ts'
import { cutMessage, readFragments, writeMessage } from '../../src/dtls/handshake/messages.ts'
import { Reassembly } from '../../src/dtls/handshake/reassembly.ts'
import { holdsU16 } from '../../src/dtls/octets.ts'
import { readState } from '../../src/dtls/resumption/state.ts'
import { bytesOf, vectors } from './vectors.ts'

const octets = (maxLength: number) => fc.uint8Array({ maxLength })

const parsers = {
  fragments: readFragments,
  ClientHello: readClientHello,
  ServerHello: readServerHello,
  HelloVerifyRequest: readHelloVerifyRequest,
  Certificate: readCertificate,
  CertificateRequest: readCertificateRequest,
  'a signature': readSignature,
  'an agreement': readAgreement,
  'a hint': readHint,
  'a ticket': readNewSessionTicket,
  'ClientKeyExchange of keys': (bytes: Uint8Array) => readClientKeyExchange(bytes, 'psk'),
  'ClientKeyExchange of both': (bytes: Uint8Array) => readClientKeyExchange(bytes, 'ecdhe-psk'),
  'ClientKeyExchange of certificates': (bytes: Uint8Array) => readClientKeyExchange(bytes, 'ecdhe-ecdsa'),
  'a saved state': readState,
}

describe('octets of strangers', () => {
  const recorded = vectors.flatMap(({ steps }) => steps.map((step) => bytesOf(step.in ?? step.out ?? '')))
  for (const [name, parse] of Object.entries(parsers)) {
    it(`are never an exception to the parser of ${name}`, () => {
      fc.assert(
        fc.property(octets(200), (bytes) => {
          parse(bytes)
        }),
        { numRuns: 500 },
      )
      for (const datagram of recorded) {
        for (const start of [13, 25])
          for (let end = start; end <= datagram.length; end += 7) parse(datagram.subarray(start, end))
      }
    })
  }

  it('make extensions only where their lengths fit', () => {
    fc.assert(
      fc.property(octets(60), (block) => {
        if (!areExtensions(block)) return
        let length = 0
        const extensions = readExtensions(block)
        for (const content of extensions?.values() ?? []) length += 4 + content.length
        if (extensions !== undefined) expect(length).toBe(block.length)
      }),
    )
  })
})

describe('what is written', () => {
  it('is read as it was: hellos', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        octets(32),
        octets(255),
        fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: 1, maxLength: 30 }),
        (random, sessionId, cookie, suites) => {
          const extensions = Uint8Array.of(0, 23, 0, 0)
          const hello = readClientHello(writeClientHello({ random, sessionId, cookie, suites, extensions }))
          expect(hello).toMatchObject({ version: 0xfefd, random, sessionId, cookie, extensions })
          for (const suite of suites) expect(hello && holdsU16(hello.suites, suite)).toBe(true)
          const answer = readServerHello(writeServerHello(random, sessionId, suites[0] ?? 0, extensions))
          expect(answer).toEqual({
            version: 0xfefd,
            random,
            sessionId,
            suite: suites[0],
            compression: 0,
            extensions,
          })
        },
      ),
    )
  })

  it('is read as it was: keys, certificates, signatures, tickets', () => {
    fc.assert(
      fc.property(
        octets(200),
        fc.array(fc.uint8Array({ minLength: 1, maxLength: 50 })),
        octets(255),
        (a, chain, point) => {
          expect(readCertificate(writeCertificate(chain))).toEqual(chain)
          expect(readSignature(writeSignature(a))?.signature).toEqual(a)
          expect(readNewSessionTicket(writeNewSessionTicket(86_400, a))).toEqual(a)
          expect(readAgreement(writeAgreement(29, point))).toMatchObject({ group: 29, point })
          const both = { identity: a, point }
          expect(readClientKeyExchange(writeClientKeyExchange(both), 'ecdhe-psk')).toEqual(both)
        },
      ),
    )
  })
})

describe('fragments', () => {
  it('come together to their message, however it was cut, in any order and with overlaps [DTLS-HS-5]', () => {
    const cuts = fc.array(fc.tuple(fc.nat(400), fc.nat(120)), { maxLength: 40 })
    fc.assert(
      fc.property(octets(400), cuts, fc.nat(2), (body, pieces, before) => {
        const message = writeMessage(11, before, body)
        const reassembly = new Reassembly(0)
        const seen = new Uint8Array(body.length)
        for (let seq = 0; seq < before; seq++) {
          for (const fragment of readFragments(writeMessage(1, seq, Uint8Array.of(seq))) ?? [])
            reassembly.add(fragment)
        }
        for (const [from, length] of pieces) {
          const offset = Math.min(from, body.length)
          const count = Math.min(length, body.length - offset)
          for (const fragment of readFragments(cutMessage(message, offset, count)) ?? []) {
            expect(reassembly.add(fragment)).toBe('waits')
          }
          seen.fill(1, offset, offset + count)
        }
        for (let seq = 0; seq < before; seq++) expect(reassembly.take()?.messageSeq).toBe(seq)
        const isWhole = seen.every((octet) => octet === 1)
        const early = reassembly.take()
        // a message without a body needs one fragment, any one
        if (body.length > 0) expect(early !== undefined).toBe(isWhole)
        if (early === undefined) {
          for (const fragment of readFragments(message) ?? []) reassembly.add(fragment)
          expect(reassembly.take()?.bytes).toEqual(message)
        } else expect(early.bytes).toEqual(message)
        expect(reassembly.nextSeq).toBe(before + 1)
      }),
      { numRuns: 300 },
    )
  })
})
