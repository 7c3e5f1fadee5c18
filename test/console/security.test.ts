// Who may speak to the console, and who may not.

import { hostname } from 'node:os'
import { describe, expect, it } from 'vitest'
import { ask, openConsole, post } from './client.ts'

const TOKEN = 'correct horse battery staple'
const bearer = { authorization: `Bearer ${TOKEN}` }

describe('the Host header', () => {
  const statusFor = async (console: { url: string }, host: string) =>
    (await ask(console, '/api/gateway', { headers: { host, ...bearer } })).status

  it('must name this machine where only this machine is served, so that no foreign name can stand for it', async () => {
    const console = await openConsole()
    for (const host of ['127.0.0.1', '127.0.0.1:9999', 'localhost', 'LOCALHOST:8885', '[::1]:8885'])
      expect(await statusFor(console, host), host).toBe(200)
    for (const host of [
      'evil.example',
      'localhost.evil.example',
      '127.0.0.1.evil.example:8885',
      'evil.example@127.0.0.1',
      '192.0.2.1',
      '127.0.0.1/x',
      '127.0.0.1#',
    ])
      expect(await statusFor(console, host), host).toBe(421)
  })

  it('may be any address, but only known names, where every address is served', async () => {
    const console = await openConsole({ url: 'http://0.0.0.0:0', token: TOKEN, hosts: ['gw.example'] })
    const local = { url: console.url.replace('0.0.0.0', '127.0.0.1') }
    for (const host of [
      '192.0.2.1:8885',
      '[2001:db8::1]',
      'localhost',
      hostname(),
      'gw.example',
      'GW.example:80',
    ])
      expect(await statusFor(local, host), host).toBe(200)
    for (const host of ['evil.example', 'x.gw.example']) expect(await statusFor(local, host), host).toBe(421)
  })

  it('is checked for everything, even what is open to everyone', async () => {
    const console = await openConsole()
    for (const path of ['/health/live', '/metrics', '/', '/nowhere']) {
      const { status, text } = await ask(console, path, { headers: { host: 'evil.example' } })
      expect([status, JSON.parse(text).error], path).toEqual([421, 'wrong-host'])
    }
  })
})

describe('other sites', () => {
  const act = (console: Parameters<typeof post>[0], headers: Record<string, string>) =>
    post(console, '/api/sensors/meter-7/disconnect', {}, headers)

  it('cannot act: the Origin must be the console itself', async () => {
    const console = await openConsole()
    const host = new URL(console.url).host
    for (const origin of ['http://evil.example', 'null', 'http://127.0.0.1:1', `http://${host}.evil.example`])
      expect((await act(console, { origin })).status, origin).toBe(403)
    expect((await act(console, { 'sec-fetch-site': 'cross-site' })).status).toBe(403)
    expect((await act(console, { 'sec-fetch-site': 'same-site' })).status).toBe(403)
    expect(console.view.actions).toEqual([])
    const own = { host, origin: `http://${host}`, 'sec-fetch-site': 'same-origin' }
    expect((await act(console, own)).status).toBe(204)
    // behind a proxy that speaks TLS
    expect((await act(console, { host: 'localhost', origin: 'https://localhost' })).status).toBe(204)
    // programs are no browsers
    expect((await act(console, {})).status).toBe(204)
  })

  it('cannot look: there is no CORS, and no stream for them', async () => {
    const console = await openConsole()
    const origin = 'http://evil.example'
    for (const path of ['/api/gateway', '/api/events', '/api/capture'])
      expect((await ask(console, path, { headers: { origin } })).status, path).toBe(403)
    const image = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' }
    expect((await ask(console, '/api/capture', { headers: image })).status).toBe(403)
    const preflight = { 'access-control-request-method': 'POST' }
    const answer = await ask(console, '/api/gateway', { method: 'OPTIONS', headers: preflight })
    expect(answer.status).toBe(404)
    expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control'))).toEqual([])
  })

  it('may link to the page', async () => {
    const console = await openConsole()
    const headers = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' }
    expect((await ask(console, '/', { headers })).status).toBe(200)
    expect((await ask(console, '/api/config', { headers })).status).toBe(403)
  })
})

describe('the token', () => {
  it('is needed for everything but health', async () => {
    const console = await openConsole({ token: TOKEN })
    for (const path of ['/health/live', '/health/ready']) expect((await ask(console, path)).status).toBe(200)
    const closed = [
      '/',
      '/app.js',
      '/metrics',
      '/api/gateway',
      '/api/config',
      '/api/events',
      '/api/capture',
      '/api/openapi.json',
      '/nowhere',
    ]
    for (const path of closed) {
      const { status, headers } = await ask(console, path)
      expect([status, headers['www-authenticate']], path).toEqual([401, 'Bearer realm="mqttsn"'])
    }
    expect((await post(console, '/api/sensors/meter-7/forget', {})).status).toBe(401)
    expect((await post(console, '/api/sensors/meter-7/forget', {}, bearer)).status).toBe(204)
    expect(console.view.actions).toHaveLength(1)
  })

  it('must be right', async () => {
    const console = await openConsole({ token: TOKEN })
    for (const authorization of [
      `Bearer ${TOKEN}x`,
      `Bearer ${TOKEN.slice(0, -1)}`,
      `Basic ${TOKEN}`,
      'Bearer',
      TOKEN,
    ])
      expect((await ask(console, '/metrics', { headers: { authorization } })).status, authorization).toBe(401)
    expect((await ask(console, '/metrics', { headers: bearer })).status).toBe(200)
  })

  it('may stand in the address only where a header cannot be set', async () => {
    const console = await openConsole({ token: TOKEN })
    const query = `?token=${encodeURIComponent(TOKEN)}`
    expect((await ask(console, `/api/gateway${query}`)).status).toBe(401)
    expect((await ask(console, `/metrics${query}`)).status).toBe(401)
    for (const path of ['/api/events', '/api/capture']) {
      const controller = new AbortController()
      const { status } = await fetch(`${console.url}${path}${query}`, { signal: controller.signal })
      controller.abort()
      expect(status, path).toBe(200)
    }
    expect((await ask(console, '/api/events?token=wrong')).status).toBe(401)
  })

  it('becomes a cookie in a browser, and leaves the address bar', async () => {
    const console = await openConsole({ token: TOKEN })
    const stranger = await ask(console, '/')
    expect(stranger.headers['content-type']).toContain('text/html')
    expect(stranger.text).toContain('name="token"')
    const signIn = await ask(console, `/?token=${encodeURIComponent(TOKEN)}`)
    expect([signIn.status, signIn.headers.location]).toEqual([303, '/'])
    const cookie = signIn.headers['set-cookie']?.[0] ?? ''
    expect(cookie).toMatch(/^mqttsn_console_\d+=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/)
    expect(cookie).not.toContain(TOKEN)
    const headers = { cookie: `other=1; ${cookie.split(';')[0]}` }
    for (const path of ['/', '/app.js', '/api/gateway'])
      expect((await ask(console, path, { headers })).status, path).toBe(200)
    const forged = { cookie: `${cookie.split('=')[0]}=${TOKEN}` }
    expect((await ask(console, '/api/gateway', { headers: forged })).status).toBe(401)
    const other = await openConsole({ token: TOKEN })
    expect((await ask(other, '/api/gateway', { headers })).status).toBe(401)
  })

  it('appears in no error and no line of the log', async () => {
    const lines: unknown[] = []
    const log = {
      info: (...line: unknown[]) => void lines.push(line),
      error: (...line: unknown[]) => void lines.push(line),
    }
    const console = await openConsole({ token: TOKEN, log, metrics: () => Promise.reject(new Error('no')) })
    const query = `token=${encodeURIComponent(TOKEN)}`
    const answers = await Promise.all([
      ask(console, `/nowhere?${query}`, { headers: bearer }),
      ask(console, `/api/sensors?${query}`, { headers: bearer }),
      ask(console, '/metrics', { headers: bearer }),
    ])
    expect(answers.map(({ status }) => status)).toEqual([404, 400, 500])
    const told = JSON.stringify([answers, lines])
    expect(told).not.toContain('battery')
    expect(lines).toHaveLength(1)
  })
})

describe('every response', () => {
  it('tells browsers to be careful', async () => {
    const console = await openConsole({ token: TOKEN })
    const answers = await Promise.all([
      ask(console, '/', { headers: bearer }),
      ask(console, '/', {}),
      ask(console, '/app.js', { headers: bearer }),
      ask(console, '/api/gateway', { headers: bearer }),
      ask(console, '/api/gateway', { headers: { host: 'evil.example' } }),
      ask(console, '/nowhere', { headers: bearer }),
      ask(console, '/%zz', { headers: bearer }),
      post(console, '/api/sensors/meter-7/publish', {}, bearer),
    ])
    expect(answers.map(({ status }) => status)).toEqual([200, 401, 200, 200, 421, 404, 400, 400])
    for (const { headers } of answers)
      expect(headers).toMatchObject({
        'content-security-policy': expect.stringMatching(/default-src 'self';.* frame-ancestors 'none'/),
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
        'referrer-policy': 'same-origin',
        'cross-origin-resource-policy': 'same-origin',
      })
    for (const { headers } of answers) expect(headers).not.toHaveProperty('x-powered-by')
    expect(answers[3]?.headers['cache-control']).toBe('no-store')
  })
})
