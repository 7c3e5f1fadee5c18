// What the console says of listeners that only this machine can reach.

import { expect, it } from 'vitest'
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

it('says loudly where secrets are written to a file, and else how many sessions are open', async () => {
  const view = new FakeView(1)
  const [listener] = view.listeners()
  if (listener === undefined) throw new Error('the view has no listener')
  const secure = { sessions: 4, halfOpen: 0, handshakes: {}, moves: 0, helloVerifies: 0, keyLog: false }
  const bound = { ...listener, url: 'dtls://0.0.0.0:8883', receiveBuffer: listener.receiveBufferAsked }
  const found = async (keyLog: boolean) => {
    const listeners = [{ ...bound, secure: { ...secure, keyLog } }]
    const condition = { info: await view.info(), broker: await view.broker(), listeners, recent }
    return checks(condition).find(({ id }) => id === 'listeners')
  }
  expect(await found(false)).toMatchObject({ tone: 'good', text: 'dtls://0.0.0.0:8883 (4 sessions)' })
  expect(await found(true)).toMatchObject({ tone: 'bad', next: expect.stringContaining('dtls.keyLog') })
})
