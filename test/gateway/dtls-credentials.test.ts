// What a gateway tells of the keys and certificates of its listeners with DTLS, and of the time that handshakes take.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { ca, server } from '../../lab/pki.ts'
import { KEYS, secureScene } from '../support/dtls-scene.ts'
import { until } from '../support/gateway.ts'

function freshFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'mqttsn-credentials-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

const lineOf = (identity: string) => `${identity}:${KEYS[identity]}\n`

describe('the status of a listener with DTLS', () => {
  it('tells whether the file of keys is the one that was read, until a reload takes it over', async () => {
    const file = join(freshFolder(), 'psk.txt')
    writeFileSync(file, lineOf('meter-1'))
    const { test } = await secureScene({ dtls: { psk: { file } } })
    const credentials = () => test.gateway.status().listeners[0]?.stats.secure?.credentials
    expect(credentials()).toEqual({ identities: 1, pskFile: 'current', certificates: {} })
    writeFileSync(file, lineOf('meter-1') + lineOf('meter-2'))
    expect(credentials()).toMatchObject({ identities: 1, pskFile: 'changed' })
    test.gateway.reload(structuredClone(test.config))
    expect(credentials()).toMatchObject({ identities: 2, pskFile: 'current' })
    rmSync(file)
    expect(credentials()).toMatchObject({ identities: 2, pskFile: 'unreadable', trouble: undefined })
    test.gateway.reload(structuredClone(test.config))
    expect(credentials()).toMatchObject({ identities: 2, trouble: expect.stringContaining('does not exist') })
    writeFileSync(file, lineOf('meter-3'))
    test.gateway.reload(structuredClone(test.config))
    expect(credentials()).toEqual({ identities: 1, pskFile: 'current', certificates: {} })
  })

  it('tells when its certificates end', async () => {
    const certificate = { cert: server.cert, key: server.key, clientCa: ca.cert }
    const { test } = await secureScene({ dtls: { psk: undefined, ...certificate } })
    const { certificates, identities } = test.gateway.status().listeners[0]?.stats.secure?.credentials ?? {}
    expect(identities).toBeUndefined()
    for (const end of [certificates?.cert, certificates?.clientCa]) expect(end).toBeGreaterThan(Date.now())
  })

  it('tells how long handshakes took, full ones and resumed ones, and the limits', async () => {
    const { test, peer } = await secureScene({ dtls: { sessions: 7, handshakes: 9 } })
    const secure = () => test.gateway.status().listeners[0]?.stats.secure
    const meter = await peer('meter-1')
    await meter.until(() => meter.resumption !== undefined)
    await peer('meter-1', { resume: meter.resumption })
    // in a short handshake the last word is the sensor's
    await until(() => secure()?.handshakeTimes.resumed.count === 1)
    const { psk, resumed, certificate } = secure()?.handshakeTimes ?? {}
    expect([psk?.count, resumed?.count, certificate?.count]).toEqual([1, 1, 0])
    expect(psk?.sum).toBeGreaterThan(0)
    expect(psk?.counts.at(-1)).toBe(1)
    expect(secure()?.limits).toEqual({ sessions: 7, halfOpen: 9 })
  })
})
