// What the console says of listeners that only this machine can reach.

import { expect, it } from 'vitest'
import { docsOf } from '../../../src/console/contract/docs.ts'
import type { SecureInfo } from '../../../src/console/contract/gateway.ts'
import { type Check, checks } from '../../../src/console/page/data/health.ts'
import { FakeView } from '../fake-view.ts'

const recent = { drops: {}, datagrams: 0, lost: 0, refused: 0, refusals: 0, kernelDrops: 0 }

async function listenersCheck(...urls: string[]): Promise<Check | undefined> {
  const view = new FakeView(1)
  const [listener] = view.listeners()
  if (listener === undefined) throw new Error('the view has no listener')
  const listeners = urls.map((url) => ({
    ...listener,
    name: url,
    url,
    receiveBuffer: listener.receiveBufferAsked,
  }))
  const condition = { info: await view.info(), broker: await view.broker(), listeners, recent }
  return checks(condition).find(({ id }) => id === 'listeners')
}

it('notes that only this machine can reach it, with what to set, where every listener is on loopback', async () => {
  for (const urls of [['udp://127.0.0.1:1884'], ['udp://127.0.0.1:1884', 'udp://[::1]:1884']]) {
    const check = await listenersCheck(...urls)
    expect(check?.tone).toBe('note')
    expect(check?.text).toContain('only this machine can reach it')
    expect(check?.next).toContain('udp://0.0.0.0:1884')
  }
  for (const urls of [
    ['udp://0.0.0.0:1884'],
    ['udp://[::]:1884'],
    ['udp://127.0.0.1:1884', 'udp://10.0.0.1:1884'],
  ])
    expect(await listenersCheck(...urls)).toMatchObject({ tone: 'good', next: '' })
})

it('says loudly what is wrong with keys, certificates and limits of DTLS, and else how many sessions are open', async () => {
  const view = new FakeView(1)
  const [listener] = view.listeners()
  if (listener === undefined) throw new Error('the view has no listener')
  const secure: SecureInfo = {
    ...{
      sessions: 4,
      halfOpen: 0,
      limits: { sessions: 10, halfOpen: 5 },
      handshakes: {},
      failures: [],
      handshakeTimes: {},
    },
    ...{ moves: 0, helloVerifies: 0, keyLog: false, credentials: { pskFile: 'current', certificates: {} } },
  }
  const bound = { ...listener, url: 'dtls://0.0.0.0:8883', receiveBuffer: listener.receiveBufferAsked }
  const found = async (changed: Partial<SecureInfo>) => {
    const listeners = [{ ...bound, secure: { ...secure, ...changed } }]
    const condition = { info: await view.info(), broker: await view.broker(), listeners, recent }
    return checks(condition).find(({ id }) => id === 'listeners')
  }
  expect(await found({})).toMatchObject({ tone: 'good', text: 'dtls://0.0.0.0:8883 (4 sessions)' })
  expect(await found({ keyLog: true })).toMatchObject({ tone: 'bad', docs: docsOf('dtls-key-log') })
  const { credentials } = secure
  const withKeys = (changed: Partial<SecureInfo['credentials']>) =>
    found({ credentials: { ...credentials, ...changed } })
  const day = 86_400_000
  const certificate = (days: number) => withKeys({ certificates: { cert: Date.now() + days * day - 1000 } })
  expect(await certificate(40)).toMatchObject({ tone: 'good' })
  expect(await certificate(20)).toMatchObject({
    tone: 'warn',
    text: expect.stringContaining('within 20 days'),
  })
  expect(await certificate(0)).toMatchObject({ tone: 'bad', docs: docsOf('certificate-ends') })
  expect(await withKeys({ pskFile: 'unreadable' })).toMatchObject({ tone: 'bad', docs: docsOf('dtls-keys') })
  expect(await withKeys({ pskFile: 'changed' })).toMatchObject({ tone: 'note', docs: docsOf('dtls-keys') })
  expect(await withKeys({ trouble: 'no certificate' })).toMatchObject({ tone: 'bad' })
  expect(await found({ halfOpen: 5 })).toMatchObject({ tone: 'warn', docs: docsOf('dtls-limits') })
  expect(await found({ sessions: 10 })).toMatchObject({
    tone: 'warn',
    text: expect.stringContaining('10 of 10'),
  })
})
