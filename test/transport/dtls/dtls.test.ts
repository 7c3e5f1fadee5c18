// The DTLS link by itself: the contract of all links, and what it does besides with keys, secrets and strangers.

import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { SecureOptions } from '../../../src/transport/dtls/options.ts'
import { openLink } from '../../../src/transport/open.ts'
import type { OnDatagram, Transport } from '../../../src/transport/transport.ts'
import { UdpClient } from '../../support/dtls-udp.ts'
import { transportContract } from '../contract.ts'

const KEY = Uint8Array.from({ length: 16 }, (_, i) => i)
const quiet = () => {}
const reports: SecureOptions['reports'] = {
  refused: quiet,
  opened: quiet,
  moved: quiet,
  closed: quiet,
  failed: quiet,
  discarded: quiet,
  fault: quiet,
}

async function open(
  onDatagram: OnDatagram,
  url = 'dtls://127.0.0.1:0',
  { server, ...options }: Partial<SecureOptions> = {},
): Promise<Transport> {
  const secure: SecureOptions = {
    server: { findKey: (identity) => (identity === 'meter-1' ? KEY : undefined), ...server },
    name: 'test',
    admits: () => true,
    reports,
    credentials: () => ({ identities: 1, pskFile: undefined, trouble: undefined, certificates: {} }),
    ...options,
  }
  const transport = await openLink({ url, receiveBuffer: 65_536, secure }, onDatagram)
  transport.secure?.begin()
  return transport
}

async function far(transport: Transport) {
  const port = Number(/\d+$/.exec(transport.url)?.[0])
  const client = await UdpClient.connect(port, { psk: { identity: 'meter-1', key: KEY } })
  await client.next('open')
  let read = 0
  return {
    client,
    async send(bytes: Uint8Array) {
      client.do((turn) => void client.core.send(bytes, turn))
    },
    async next() {
      await expect.poll(() => client.of('data').length, { interval: 2 }).toBeGreaterThan(read)
      return client.of('data')[read++]?.bytes ?? new Uint8Array()
    },
    close: async () => client.end(),
  }
}

transportContract('DTLS', {
  open,
  far,
  unreachable: [
    { address: '127.0.0.1', port: 9 },
    { address: '127.0.0.1', port: 9, association: { number: 99, identity: 'nobody', kind: 'psk' } },
  ],
  longest: 16_384,
})

describe('a DTLS link', () => {
  it('refuses to open without keys', async () => {
    const wrong = openLink({ url: 'dtls://127.0.0.1:0', receiveBuffer: 65_536 }, quiet)
    await expect(wrong).rejects.toMatchObject({ code: 'invalid' })
  })

  it('waits for a key that is looked up elsewhere [DTLS-HS-20]', async () => {
    const transport = await open(quiet, undefined, {
      server: { findKey: () => 'later' },
      lookUp: async (identity) => (identity === 'meter-1' ? KEY : undefined),
    })
    onTestFinished(() => transport.close())
    const sensor = await far(transport)
    onTestFinished(() => sensor.close())
    expect(transport.stats().secure).toMatchObject({ sessions: 1, handshakes: { full: 1 } })
  })

  it('writes secrets to a file for its owner alone, if it is told to [DTLS-RUN-5 in part]', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'mqttsn-keylog-'))
    onTestFinished(() => rmSync(directory, { recursive: true }))
    const keyLog = join(directory, 'keys.log')
    const transport = await open(quiet, undefined, { keyLog })
    onTestFinished(() => transport.close())
    const sensor = await far(transport)
    onTestFinished(() => sensor.close())
    expect(readFileSync(keyLog, 'utf8')).toMatch(/^CLIENT_RANDOM [0-9a-f]{64} [0-9a-f]{96}\n$/)
    expect(statSync(keyLog).mode & 0o077).toBe(0)
    expect(transport.stats().secure).toMatchObject({ keyLog: true })
    const nowhere = join(directory, 'none', 'keys.log')
    await expect(open(quiet, undefined, { keyLog: nowhere })).rejects.toThrow(/key log cannot be written/)
  })

  it('tells its sessions goodbye at its end, where nothing keeps them [DTLS-RUN-4]', async () => {
    const transport = await open(quiet)
    const sensor = await far(transport)
    onTestFinished(() => sensor.close())
    await transport.close()
    expect(await sensor.client.next('closed')).toMatchObject({ why: expect.stringContaining('close') })
  })

  it('hears nothing from addresses that are not admitted, not even a hello', async () => {
    const refused: string[] = []
    const transport = await open(quiet, undefined, {
      admits: () => false,
      reports: { ...reports, refused: (_, { address }) => refused.push(address) },
    })
    onTestFinished(() => transport.close())
    const port = Number(/\d+$/.exec(transport.url)?.[0])
    const client = await UdpClient.connect(port, { psk: { identity: 'meter-1', key: KEY } })
    onTestFinished(() => client.end())
    await expect.poll(() => refused).toEqual(['127.0.0.1'])
    expect(transport.stats().secure).toMatchObject({ helloVerifies: 0, halfOpen: 0 })
  })
})
