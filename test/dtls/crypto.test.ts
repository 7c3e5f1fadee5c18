// Primitives and key derivation against published vectors, and a worked example of a recorded session.

import { createHash, createHmac } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { systemChance } from '../../src/dtls/crypto/chance.ts'
import { HmacKey, sha256 } from '../../src/dtls/crypto/hmac.ts'
import {
  keyBlockOctets,
  keyBlockOf,
  masterSecret,
  prf,
  pskPremaster,
  verifyData,
} from '../../src/dtls/crypto/keys.ts'
import { openAead, sameSecret, sealAead } from '../../src/dtls/crypto/primitives.ts'
import { hexOf } from '../../src/dtls/octets.ts'
import { bytesOf, vector } from './vectors.ts'

describe('the pseudorandom function', () => {
  it('gives the octets of the published test of SHA-256', () => {
    const secret = bytesOf('9bbe436ba940f017b17652849a71db35')
    const seed = bytesOf('a0ba9f936cda311827a6f796ffd5198c')
    expect(hexOf(prf(secret, 'test label', seed, 100))).toBe(
      'e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a6b301791e90d35c9c9a46b4e14baf9af0fa022f7077def17abfd3797c0564bab4fbc91666e9def9b97fce34f796789baa48082d122ee42c5a72e5a5110fff70187347b66',
    )
  })

  it('makes the secrets of a recorded session: premaster, master, keys [4279 2, 7627 4, 5246 6.3]', () => {
    const { psk, random } = vector('mbedtls-psk-ccm8-cid')
    const key = bytesOf(psk.key)
    const premaster = pskPremaster(key)
    expect(hexOf(premaster)).toBe(`0010${'00'.repeat(16)}0010${psk.key}`)
    const randoms = {
      client: bytesOf('6b0afde8962efdfa08c9e8d78cadd89dbd0ee0c4b514c08abc42760bfb7af285'),
      server: bytesOf(random[1] ?? ''),
    }
    const hash = bytesOf('9ac3ca516f17f9303f31d43156f25595b5cbcef29b9e9d10cdbc49d75cefeca2')
    const keys = keyBlockOf(keyBlockOctets(masterSecret(premaster, randoms, hash), randoms))
    expect([keys.client.key, keys.client.iv, keys.server.key, keys.server.iv].map(hexOf)).toEqual([
      'bfcb5011f30b30c411976e9b56d9ad9c',
      'e9c9d555',
      'd390e5395c2082e8aa88f19feac638a4',
      '392a8e51',
    ])
    expect(verifyData(key, 'client', hash)).toHaveLength(12)
  })
})

describe('HMAC with SHA-256', () => {
  it("is what Node's own gives, for keys and messages of any length, in any parts [2104]", () => {
    const octets = fc.uint8Array({ maxLength: 300 })
    fc.assert(
      fc.property(octets, fc.array(octets, { maxLength: 8 }), (key, parts) => {
        const one = new HmacKey(key)
        const expected = createHmac('sha256', key).update(Buffer.concat(parts)).digest('hex')
        // twice: a key serves many messages
        expect([hexOf(one.codeOf(...parts)), hexOf(one.codeOf(...parts))]).toEqual([expected, expected])
        const whole = Buffer.concat(parts)
        expect(hexOf(sha256(whole))).toBe(createHash('sha256').update(whole).digest('hex'))
      }),
    )
  })
})

describe("the system's chance", () => {
  it('gives as many octets as are asked for, each time others', () => {
    const drawn = Array.from({ length: 1000 }, (_, index) => systemChance.random(16 + (index % 32)))
    expect(drawn.map(({ length }) => length)).toEqual(drawn.map((_, index) => 16 + (index % 32)))
    expect(new Set(drawn.map((octets) => hexOf(octets.subarray(0, 16)))).size).toBe(1000)
    expect(systemChance.random(0)).toHaveLength(0)
    const many = systemChance.random(10_000)
    expect(new Set(many).size).toBe(256)
  })
})

describe('AES-CCM', () => {
  const key = Uint8Array.from({ length: 16 }, (_, index) => 0xc0 + index)
  const nonce = bytesOf('00000003020100a0a1a2a3a4a5')
  const additional = Uint8Array.from({ length: 8 }, (_, index) => index)
  const text = Uint8Array.from({ length: 23 }, (_, index) => 8 + index)
  const cipher = { algorithm: 'aes-128-ccm', tagLength: 8 } as const

  it('gives the octets of packet 1 of RFC 3610', () => {
    const sealed = new Uint8Array(31)
    sealAead(cipher, key, nonce, additional, text, sealed, 0)
    expect(hexOf(sealed)).toBe('588c979a61c663d2f066d0c2c0f989806d5f6b61dac38417e8d12cfdf926e0')
    expect(openAead(cipher, key, nonce, additional, sealed)).toEqual(Buffer.from(text))
  })

  it('opens nothing that was changed, and messages of no octets too', () => {
    for (const algorithm of ['aes-128-ccm', 'aes-128-gcm'] as const) {
      const suite = { algorithm, tagLength: 16 } as const
      const twelve = nonce.subarray(0, 12)
      const sealed = new Uint8Array(16)
      sealAead(suite, key, twelve, additional, new Uint8Array(0), sealed, 0)
      expect(openAead(suite, key, twelve, additional, sealed)).toHaveLength(0)
      sealed[3] = (sealed[3] ?? 0) ^ 1
      expect(openAead(suite, key, twelve, additional, sealed)).toBeUndefined()
    }
  })
})

describe('key agreement', () => {
  it('gives both sides the same secret', () => {
    for (const group of [23, 29] as const) {
      const [a, b] = [systemChance.ephemeral(group), systemChance.ephemeral(group)]
      const [ofA, ofB] = [a.agree(b.publicPoint), b.agree(a.publicPoint)]
      expect(ofA && ofB && sameSecret(ofA, ofB)).toBe(true)
      expect(ofA).toHaveLength(32)
    }
  })
})
