// Responses that go on: live events and captures, their bounds and their readers.

import { connect, type Socket } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { pcapngHeader, pcapngPacket } from '../../src/console/capture/pcapng.ts'
import type { Console } from '../../src/console/server.ts'
import { ask, dial, everything, openConsole, until } from './client.ts'
import { change, publish } from './scripted-view.ts'

/** A response that is being read, part by part. */
async function read({ url }: Console, path: string) {
  const controller = new AbortController()
  onTestFinished(() => controller.abort())
  const response = await fetch(url + path, { signal: controller.signal })
  let octets = Buffer.alloc(0)
  const done = (async () => {
    for await (const chunk of response.body ?? []) octets = Buffer.concat([octets, chunk])
  })().catch(() => {})
  return {
    response,
    done,
    leave: () => controller.abort(),
    octets: () => octets,
    /** the events so far, as [name, data] */
    events: () =>
      [...octets.toString().matchAll(/event: (\w+)\ndata: (.*)\n\n/g)].map(
        ([, name = '', data = '']) => [name, JSON.parse(data)] as const,
      ),
  }
}

const plain = (value: unknown) => JSON.parse(JSON.stringify(value))

describe('live events', () => {
  it('begin with a summary of the gateway, and repeat it', async () => {
    const console = await openConsole({ limits: { summaryInterval: 20 } })
    const { response, events } = await read(console, '/api/events')
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8')
    expect(response.headers.get('x-content-type-options')).toBe('nosniff')
    await until(() => events().length > 0)
    expect(events()[0]).toEqual(['gateway', plain(console.view.info())])
    console.view.now.info = { ...console.view.now.info, queuedMessages: 77 }
    await until(() => events().some(([, { queuedMessages }]) => queuedMessages === 77))
  })

  it('tell every change of state to every reader', async () => {
    const console = await openConsole()
    const readers = [await read(console, '/api/events'), await read(console, '/api/events?sensor=meter-7')]
    console.view.change(change)
    for (const { events } of readers) {
      await until(() => events().length === 2)
      expect(events()[1]).toEqual(['state', plain(change)])
    }
  })

  it('hold the packets of the sensor that is asked for, octets in hexadecimal', async () => {
    const console = await openConsole()
    const all = await read(console, '/api/events')
    const one = await read(console, '/api/events?sensor=meter-7')
    expect([...console.view.watchers.values()]).toEqual(['meter-7'])
    console.view.packet({ ...publish, clientId: 'other' })
    console.view.packet(publish)
    console.view.change(change)
    await until(() => one.events().length === 3 && all.events().length === 2)
    expect(one.events()[1]).toEqual(['packet', { ...plain(publish), bytes: '080c20000100092a' }])
    expect(all.events().map(([name]) => name)).toEqual(['gateway', 'state'])
  })

  it('cost nothing when nobody reads any more', async () => {
    const console = await openConsole()
    const { view } = console
    const own = view.changeListeners.size // the console's own, for its history
    const first = await read(console, '/api/events?sensor=meter-7')
    const second = await read(console, '/api/events')
    expect([view.watchers.size, view.changeListeners.size]).toEqual([1, own + 1])
    first.leave()
    await until(() => view.watchers.size === 0)
    expect(view.changeListeners.size).toBe(own + 1)
    second.leave()
    await until(() => view.changeListeners.size === own)
    await read(console, '/api/events')
    expect(view.changeListeners.size).toBe(own + 1)
  })

  it('survive a gateway that cannot sum itself up', async () => {
    const errors: object[] = []
    const log = { info() {}, error: (fields: object) => void errors.push(fields) }
    const console = await openConsole({ log, limits: { summaryInterval: 10 } })
    const { events } = await read(console, '/api/events')
    const { info } = console.view
    console.view.info = () => {
      throw new Error('odd')
    }
    await until(() => errors.length > 1)
    console.view.info = info
    const before = events().length
    await until(() => events().length > before)
  })
})

describe('captures', () => {
  const local = { address: '127.0.0.1', port: 1884 }

  it('are pcapng files of the sensor that is asked for', async () => {
    const console = await openConsole()
    const { response, octets } = await read(console, '/api/capture?sensor=meter-7')
    expect(response.headers.get('content-type')).toBe('application/x-pcapng')
    expect(response.headers.get('content-disposition')).toBe('attachment; filename="mqttsn.pcapng"')
    console.view.packet({ ...publish, clientId: 'other' })
    console.view.packet(publish)
    const expected = Buffer.concat([pcapngHeader(), pcapngPacket(publish, local)])
    await until(() => octets().length >= expected.length)
    expect(octets().equals(expected)).toBe(true)
  })

  it('hold everybody if nobody is named', async () => {
    const console = await openConsole()
    const { leave } = await read(console, '/api/capture')
    expect([...console.view.watchers.values()]).toEqual([undefined])
    leave()
    await until(() => console.view.watchers.size === 0)
  })

  it('end in good order at their length', async () => {
    const block = pcapngPacket(publish, local).length
    const length = pcapngHeader().length + 2 * block
    const console = await openConsole({ limits: { captureOctets: length + 1 } })
    const { done, octets } = await read(console, '/api/capture')
    for (let i = 0; i < 5; i++) console.view.packet(publish)
    await done
    expect(octets().length).toBe(length)
    expect(console.view.watchers.size).toBe(0)
  })

  it('end in good order at their time', async () => {
    const console = await openConsole({ limits: { captureTime: 50 } })
    const { done, octets } = await read(console, '/api/capture')
    await done
    expect(octets().equals(Buffer.from(pcapngHeader()))).toBe(true)
  })
})

describe('the bounds of both', () => {
  it('allow only so many at once', async () => {
    const console = await openConsole({ limits: { streams: 2 } })
    const first = await read(console, '/api/events?sensor=meter-7')
    await read(console, '/api/capture')
    for (const path of ['/api/events', '/api/capture']) {
      const { status, text } = await ask(console, path)
      expect([status, JSON.parse(text).error]).toEqual([503, 'too-many-streams'])
    }
    expect(console.view.watchers.size).toBe(2)
    first.leave()
    await until(() => console.view.watchers.size === 1)
    expect((await read(console, '/api/events')).response.status).toBe(200)
  })

  it('cut off readers that do not keep up, and not the others', async () => {
    const console = await openConsole({ limits: { backlog: 65_536 } })
    const quick = await read(console, '/api/events?sensor=meter-7')
    const slow = await dial(console)
    slow.pause()
    slow.write('GET /api/events?sensor=meter-7 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n')
    await until(() => console.view.watchers.size === 2)
    const big = { ...publish, bytes: new Uint8Array(16_384) }
    const size = JSON.stringify({ ...big, bytes: Buffer.from(big.bytes).toString('hex') }).length
    let sent = 0
    while (console.view.watchers.size === 2 && sent < 4000) {
      console.view.packet(big)
      sent += 1
      // one turn each, so that who reads can keep up
      await until(() => console.view.watchers.size < 2 || quick.octets().length > sent * size)
    }
    expect(console.view.watchers.size).toBe(1)
    console.view.change(change)
    await until(() => quick.events().some(([name]) => name === 'state'))
  })

  it('are not got round by asking for several on one connection', async () => {
    const console = await openConsole({ limits: { streams: 3 } })
    const socket: Socket = connect(Number(new URL(console.url).port), '127.0.0.1')
    const wish = 'GET /api/events?sensor=meter-7 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n'
    socket.write(wish.repeat(5))
    await until(() => console.view.watchers.size === 3)
    socket.destroy()
    await until(() => console.view.watchers.size === 0)
    expect((await read(console, '/api/events')).response.status).toBe(200)
  })

  it('hold for a reader that says goodbye halfway', async () => {
    const console = await openConsole()
    const socket = await dial(console)
    socket.write('GET /api/capture HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n')
    await until(() => console.view.watchers.size === 1)
    socket.end()
    await everything(socket)
    await until(() => console.view.watchers.size === 0)
  })

  it('have no use for HEAD', async () => {
    const console = await openConsole()
    for (const path of ['/api/events', '/api/capture'])
      expect((await ask(console, path, { method: 'HEAD' })).status).toBe(404)
    expect((await ask(console, '/health/live', { method: 'HEAD' })).status).toBe(200)
  })
})
