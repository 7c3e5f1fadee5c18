// The console's server: health, metrics, the page, and what it does with clients that behave badly.

import { once } from 'node:events'
import { createServer } from 'node:net'
import { describe, expect, it } from 'vitest'
import { startConsole } from '../../src/console/server.ts'
import { until } from '../support/gateway.ts'
import { ask, dial, everything, openConsole, post } from './client.ts'
import { scriptedView } from './scripted-view.ts'

describe('health', () => {
  it('is live as long as the process answers', async () => {
    const { status, text } = await ask(await openConsole(), '/health/live')
    expect([status, JSON.parse(text)]).toEqual([200, { live: true }])
  })

  it('is ready while a listener is bound and the broker can be reached', async () => {
    const { status, text } = await ask(await openConsole(), '/health/ready')
    expect([status, JSON.parse(text)]).toEqual([200, { ready: true, reasons: [] }])
  })

  it('is not ready otherwise, and says why', async () => {
    const view = scriptedView()
    view.now.listeners = []
    view.now.broker = { ...view.now.broker, healthy: false }
    view.now.store = { ...view.now.store, error: 'the disk of /secret/place is full' }
    const { status, text } = await ask(await openConsole({}, view), '/health/ready')
    const reasons = ['no listener is bound', 'the broker cannot be reached', 'the store cannot write']
    expect([status, JSON.parse(text)]).toEqual([503, { ready: false, reasons }])
  })

  it('is not ready while more messages wait for sensors than may, since some are lost [SN-ROB-1]', async () => {
    const view = scriptedView()
    view.now.info = { ...view.now.info, queuesFull: true }
    const { status, text } = await ask(await openConsole({}, view), '/health/ready')
    const reasons = ['more messages wait for sensors than may']
    expect([status, JSON.parse(text)]).toEqual([503, { ready: false, reasons }])
  })

  it('tells a broker that refuses the gateway from one that cannot be reached, and not more to everyone', async () => {
    const view = scriptedView()
    const trouble = 'the broker refused: not authorized (0x87)'
    view.now.broker = { ...view.now.broker, healthy: false, trouble }
    const { text } = await ask(await openConsole({}, view), '/health/ready')
    expect(JSON.parse(text)).toEqual({ ready: false, reasons: ['the broker does not accept the gateway'] })
  })
})

describe('metrics', () => {
  it('are passed on as Prometheus wants them', async () => {
    const { headers, text } = await ask(await openConsole(), '/metrics')
    expect(headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8')
    expect(text).toBe('some_metric 1\n')
  })

  it('that cannot be made are an error in the log, which does not get out', async () => {
    const errors: object[] = []
    const log = { info() {}, error: (fields: object) => void errors.push(fields) }
    const metrics = () => Promise.reject(new Error('the secret cause'))
    const { status, text } = await ask(await openConsole({ log, metrics }), '/metrics')
    expect(status).toBe(500)
    expect(text).not.toContain('secret')
    expect(errors).toMatchObject([{ err: { message: 'the secret cause' } }])
  })
})

describe('the page', () => {
  it('is served with its files, and with nothing else', async () => {
    const console = await openConsole()
    const types = await Promise.all(
      ['/', '/app.js'].map(async (path) => {
        const { status, headers } = await ask(console, path)
        return `${path} ${status} ${headers['content-type']}`
      }),
    )
    expect(types).toEqual(['/ 200 text/html; charset=utf-8', '/app.js 200 text/javascript; charset=utf-8'])
    for (const path of [
      '/notes.txt',
      '/../package.json',
      '/..%2f..%2fpackage.json',
      '/app.js/',
      '//etc/passwd',
    ])
      expect((await ask(console, path)).status, path).toBe(404)
  })

  it('is not sent again to a browser that has it', async () => {
    const console = await openConsole()
    const { headers } = await ask(console, '/app.js')
    const again = await ask(console, '/app.js', { headers: { 'if-none-match': headers.etag ?? '' } })
    expect([again.status, again.text]).toEqual([304, ''])
  })

  it('comes compressed as the client wants it, and plain to one that wants nothing', async () => {
    const console = await openConsole({ page: undefined })
    const { text: plain, headers: plainHeaders } = await ask(console, '/app.js')
    expect(plainHeaders['content-encoding']).toBeUndefined()
    const sizeOf = async (wanted: string) => {
      const { headers } = await ask(console, '/app.js', { headers: { 'accept-encoding': wanted } })
      expect(headers).toMatchObject({ vary: 'accept-encoding', etag: plainHeaders.etag })
      return [headers['content-encoding'], Number(headers['content-length'])] as const
    }
    const [brotli, smallest] = await sizeOf('gzip, deflate, br')
    const [gzip, small] = await sizeOf('gzip;q=0.5, br;q=0')
    expect([brotli, gzip]).toEqual(['br', 'gzip'])
    expect(smallest).toBeLessThan(small)
    expect(small).toBeLessThan(plain.length / 2)
    expect(await sizeOf('deflate, *;q=0')).toEqual([undefined, Buffer.byteLength(plain)])
  })

  it('that comes with the gateway exists', async () => {
    const { text } = await ask(await openConsole({ page: undefined }), '/')
    expect(text).toContain('<!doctype html>')
  })
})

describe('bad clients', () => {
  it('that do not speak HTTP get 400 and are cut', async () => {
    const socket = await dial(await openConsole())
    socket.write('\x16\x03\x01 hello\r\n\r\n')
    expect(await everything(socket)).toMatch(/^HTTP\/1.1 400 /)
  })

  it('that never finish their headers are cut in time', async () => {
    const socket = await dial(await openConsole({ limits: { requestTime: 200 } }))
    socket.write('GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ')
    expect(await everything(socket)).toMatch(/^HTTP\/1.1 408 /)
  })

  it('that never finish their body are cut in time', async () => {
    const console = await openConsole({ limits: { requestTime: 200 } })
    const socket = await dial(console)
    const lines = [
      'POST /api/sensors/meter-7/publish HTTP/1.1',
      'Host: 127.0.0.1',
      'Content-Type: application/json',
      'Content-Length: 30',
    ]
    socket.write(`${lines.join('\r\n')}\r\n\r\n{"topic":`)
    await everything(socket)
    expect(console.view.actions).toEqual([])
  })

  it('that send more than 64 KiB get 413, and nothing happens', async () => {
    const console = await openConsole()
    const { status, text } = await post(console, '/api/sensors/meter-7/publish', {
      topic: 'a',
      text: 'x'.repeat(65_536),
    })
    expect([status, JSON.parse(text).error]).toEqual([413, 'too-large'])
    expect(console.view.actions).toEqual([])
  })

  it('that send endless headers get 431', async () => {
    const { status } = await ask(await openConsole(), '/', { headers: { 'x-long': 'x'.repeat(20_000) } })
    expect(status).toBe(431)
  })

  it('beyond the number of connections make the one give way that has been idle for longest', async () => {
    const console = await openConsole({ limits: { connections: 2 } })
    const first = await dial(console)
    const second = await dial(console)
    await dial(console)
    expect(await everything(first)).toBe('')
    expect(second.destroyed).toBe(false)
  })

  it('are answered while one address holds as many idle connections as it can, for health and all else', async () => {
    const console = await openConsole({ limits: { connections: 30, connectionsPerAddress: 20 } })
    const idle = await Promise.all(Array.from({ length: 60 }, () => dial(console)))
    for (const path of ['/health/live', '/health/ready', '/metrics'])
      expect((await ask(console, path)).status, path).toBe(200)
    await until(() => idle.filter(({ closed }) => !closed).length <= 20)
    expect(idle.filter(({ closed }) => !closed).length).toBeGreaterThan(15)
  })

  it('that are being answered stay, and a newcomer is turned away only where all are', async () => {
    const console = await openConsole({ limits: { connections: 2, connectionsPerAddress: 2 } })
    const streams = [await dial(console), await dial(console)]
    for (const socket of streams) {
      socket.write('GET /api/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n')
      await once(socket, 'data')
    }
    await expect(ask(console, '/health/live')).rejects.toThrow()
    expect(streams.map(({ destroyed }) => destroyed)).toEqual([false, false])
    streams[0]?.destroy()
    const live = () =>
      ask(console, '/health/live').then(
        ({ status }) => status,
        () => 0,
      )
    await expect.poll(live).toBe(200)
  })

  it('get errors that they can read', async () => {
    const console = await openConsole()
    for (const path of ['/api/nothing', '/%zz', `/api/sensors/${'x'.repeat(5000)}`]) {
      const { status, headers, text } = await ask(console, path)
      expect(status).toBeGreaterThanOrEqual(400)
      expect(headers['content-type']).toContain('application/json')
      expect(JSON.parse(text)).toEqual({ error: expect.any(String), message: expect.any(String) })
      expect(text.length).toBeLessThan(400)
    }
  })
})

describe('start and stop', () => {
  const start = (url: string, token?: string) =>
    startConsole(scriptedView(), { url, token, metrics: async () => '' })

  it('says what is wrong with an address', async () => {
    for (const url of ['8885', 'https://127.0.0.1:1', 'http://a:b@127.0.0.1:1', 'http://127.0.0.1:1/api'])
      await expect(start(url), url).rejects.toThrow(/console: ".*" is not http:\/\/address:port/)
  })

  it('asks for a token, and a long one, before others than this machine can reach it', async () => {
    await expect(start('http://0.0.0.0:0')).rejects.toThrow('a token is needed, because 0.0.0.0')
    await expect(start('http://[::]:0')).rejects.toThrow('a token is needed')
    await expect(start('http://192.0.2.1:0')).rejects.toThrow('a token is needed')
    await expect(start('http://127.0.0.1:0', 'short')).rejects.toThrow('at least 16 characters')
  })

  it('says that a port is taken', async () => {
    const other = createServer()
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    const address = other.address()
    const port = typeof address === 'object' ? address?.port : undefined
    await expect(start(`http://127.0.0.1:${port}`)).rejects.toThrow(
      `console: cannot listen on http://127.0.0.1:${port}: listen EADDRINUSE`,
    )
    other.close()
  })

  it('listens on one address for localhost, and on IPv6', async () => {
    expect((await openConsole({ url: 'http://localhost:0' })).url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
    const six = await openConsole({ url: 'http://[::1]:0' })
    expect((await ask(six, '/health/live')).status).toBe(200)
  })

  it('ends every connection and frees the port', async () => {
    const console = await startConsole(scriptedView(), { url: 'http://127.0.0.1:0', metrics: async () => '' })
    const idle = await dial(console)
    const busy = await dial(console)
    busy.write('GET /api/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n')
    await new Promise((resolve) => busy.once('data', resolve))
    const ended = Promise.all([everything(idle), everything(busy)])
    await console.close()
    await ended
    const next = await start(console.url)
    await next.close()
  })
})
