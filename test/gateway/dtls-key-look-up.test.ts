// Keys that a program looks up for the gateway: at once, or later.

import { describe, expect, it, onTestFinished } from 'vitest'
import type { KeyLookUp } from '../../src/gateway/dtls/key-questions.ts'
import { DtlsPeer } from '../support/dtls-peer.ts'
import { connect, KEYS, keyOf, publish, secureScene } from '../support/dtls-scene.ts'
import { aWhile, until } from '../support/gateway.ts'

const octets = (hex: string) => new Uint8Array(Buffer.from(hex, 'hex'))
const noKeys = { dtls: { psk: { keys: {} }, handshake: '1s', retransmit: '100ms' } }

/** What knows the keys of the scene, counts who asks, and can lose them. */
function keyTable(answer: (key: Uint8Array | undefined) => ReturnType<KeyLookUp>) {
  const keys = new Map(Object.entries(KEYS))
  const asked: string[] = []
  const findKey: KeyLookUp = (identity, listener) => {
    asked.push(`${listener} ${identity}`)
    const key = keys.get(identity)
    return answer(key === undefined ? undefined : octets(key))
  }
  return { keys, asked, findKey }
}

/** Begins a handshake that comes to nothing. */
async function knock(url: string, identity: string, key: string): Promise<void> {
  const stranger = await DtlsPeer.start(url, { psk: [identity, key] })
  onTestFinished(() => stranger.close())
}

describe('keys that are looked up', () => {
  for (const [when, answer] of [
    ['at once', (key: Uint8Array | undefined) => key],
    ['later', async (key: Uint8Array | undefined) => (await aWhile(5), key)],
  ] as const) {
    it(`${when}: let sensors in, and nobody else [DTLS-HS-20]`, async () => {
      const { findKey, asked } = keyTable(answer)
      const { test, office, peer } = await secureScene(noKeys, { findKey })
      const meter = await peer('meter-1')
      meter.send(connect('meter-1'))
      await meter.next('connack')
      meter.send(publish('ab', 'looked up'))
      expect((await office.inbox.next()).text).toBe('looked up')
      expect(asked[0]).toBe('dtls://127.0.0.1:0 meter-1')
      const handshakes = () => test.gateway.status().listeners[0]?.stats.secure?.handshakes
      await knock(test.url(), 'nobody', keyOf(1))
      await until(() => handshakes()?.['unknown-identity'] === 1)
      await knock(test.url(), 'meter-2', keyOf(1))
      await until(() => handshakes()?.['wrong-key'] === 1)
    })

    it(`${when}: are asked for again at a reload, and a session ends whose key is gone or another one [DTLS-RUN-3]`, async () => {
      const { findKey, keys, asked } = keyTable(answer)
      const { test, peer } = await secureScene(noKeys, { findKey })
      const [stays, gone, changed] = [await peer('meter-1'), await peer('meter-2'), await peer('meter-3')]
      keys.delete('meter-2')
      keys.set('meter-3', keyOf(99))
      asked.length = 0
      test.gateway.reload(structuredClone(test.config))
      for (const one of [gone, changed])
        await one.until(() => one.effects.some(({ type }) => type === 'closed'))
      expect([...new Set(asked)]).toHaveLength(3)
      stays.send(connect('meter-1'))
      expect(await stays.next('connack')).toMatchObject({ returnCode: 0 })
      expect(test.gateway.status().listeners[0]?.stats.secure?.sessions).toBe(1)
    })

    it(`${when}: decide after a restart whose session goes on`, async () => {
      const { findKey, keys } = keyTable(answer)
      const { test, peer } = await secureScene(noKeys, { findKey, durable: true })
      const [stays, gone] = [await peer('meter-1'), await peer('meter-2')]
      stays.send(connect('meter-1', false))
      await stays.next('connack')
      const { config } = test
      keys.delete('meter-2')
      await test.restart(async () => {}, { findKey })
      expect(config).toBe(test.config)
      const sessions = () => test.gateway.status().listeners[0]?.stats.secure?.sessions
      await until(() => sessions() === 1)
      await until(() => test.gateway.status().broker.healthy)
      stays.send(publish('ab', 'still here'))
      await stays.next('puback')
      expect(stays.handshakes).toBe(1)
      expect(gone.handshakes).toBe(1)
    })
  }

  it('are asked for one after the other at a reload, not by all sessions at once', async () => {
    let [open, most] = [0, 0]
    const { findKey } = keyTable(async (key) => {
      open += 1
      most = Math.max(most, open)
      await aWhile(2)
      open -= 1
      return key
    })
    const { test, peer } = await secureScene(noKeys, { findKey })
    for (let i = 1; i <= 9; i++) await peer(`meter-${i}`)
    most = 0
    test.gateway.reload(structuredClone(test.config))
    await aWhile(100)
    expect([most, open]).toEqual([1, 0])
    expect(test.gateway.status().listeners[0]?.stats.secure?.sessions).toBe(9)
  })

  it('a function that fails lets nobody in, is told of, and takes no session away', async () => {
    let broken = false
    const findKey: KeyLookUp = async (identity) => {
      if (broken) throw new Error('the data base is away')
      const key = KEYS[identity]
      return key === undefined ? undefined : octets(key)
    }
    const { test, lines, peer } = await secureScene(noKeys, { findKey })
    const meter = await peer('meter-1')
    broken = true
    await knock(test.url(), 'meter-2', keyOf(2))
    await until(() => lines.some(({ msg }) => msg === 'handshake failed'))
    test.gateway.reload(structuredClone(test.config))
    await aWhile(50)
    meter.send(connect('meter-1'))
    expect(await meter.next('connack')).toMatchObject({ returnCode: 0 })
    expect(lines).toContainEqual(
      expect.objectContaining({ level: 'error', msg: expect.stringMatching(/finds keys failed/) }),
    )
    expect(test.gateway.status().counters.faults).toBe(0)
  })

  it('come after those of the configuration, which need no question', async () => {
    const { findKey, asked } = keyTable((key) => key)
    const { peer } = await secureScene({ dtls: { psk: { keys: { 'meter-1': keyOf(1) } } } }, { findKey })
    await peer('meter-1')
    expect(asked).toEqual([])
    await peer('meter-2')
    expect(asked).not.toEqual([])
  })
})
