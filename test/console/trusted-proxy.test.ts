// The console behind a proxy that signs its users in, as Home Assistant's ingress does: below a path, in a frame, without a token.

import { createServer, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { haveChromium, inChromium, openBrowser, visit } from './browser.ts'
import { type Answer, openConsole } from './client.ts'

const TOKEN = 'correct horse battery staple'
const PROXY = '127.0.0.2'

/** A request from an address of its own. */
function askFrom(
  localAddress: string,
  { url }: { url: string },
  path: string,
  headers: Record<string, string> = {},
  method = 'GET',
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { hostname: host, port } = new URL(url)
    const sent = request({ host, port, path, method, headers, localAddress, agent: false }, (response) => {
      let text = ''
      response.on('data', (chunk: Buffer) => (text += chunk))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }))
    })
    sent.on('error', reject)
    sent.end(method === 'POST' ? '{}' : undefined)
  })
}

const guarded = () => openConsole({ token: TOKEN, trustedProxies: [PROXY] })
const host = { host: 'home.example:8123' }

describe.skipIf(process.platform !== 'linux')('what a trusted proxy brings', () => {
  it('needs no token and may name any host, and may be framed by the proxy`s own site', async () => {
    const console = await guarded()
    const { status, headers } = await askFrom(PROXY, console, '/api/gateway', host)
    expect(status).toBe(200)
    expect(headers['x-frame-options']).toBe('SAMEORIGIN')
    expect(headers['content-security-policy']).toMatch(/default-src 'self';.* frame-ancestors 'self'$/)
  })

  it('is known by the address of its connection, which no header can claim', async () => {
    const console = await guarded()
    const claims = {
      'x-forwarded-for': PROXY,
      'x-real-ip': PROXY,
      forwarded: `for=${PROXY}`,
      'x-ingress-path': '/x',
    }
    const { status, headers } = await askFrom('127.0.0.3', console, '/api/gateway', claims)
    expect(status).toBe(401)
    expect(headers['x-frame-options']).toBe('DENY')
    expect((await askFrom('127.0.0.3', console, '/api/gateway', { ...claims, ...host })).status).toBe(421)
    const forwarded = { 'x-forwarded-host': '127.0.0.1' }
    expect((await askFrom('127.0.0.3', console, '/api/gateway', { ...host, ...forwarded })).status).toBe(421)
  })

  it('must not come from another site all the same', async () => {
    const console = await guarded()
    const act = (headers: Record<string, string>) =>
      askFrom(
        PROXY,
        console,
        '/api/sensors/meter-7/disconnect',
        { ...host, 'content-type': 'application/json', ...headers },
        'POST',
      )
    expect((await act({ origin: 'http://evil.example' })).status).toBe(403)
    expect((await act({ 'sec-fetch-site': 'cross-site' })).status).toBe(403)
    expect((await act({ origin: 'http://home.example:8123' })).status).toBe(204)
    const behind = { host: '172.30.33.4:8099', 'x-forwarded-host': 'home.example:8123' }
    expect((await act({ ...behind, origin: 'https://home.example:8123' })).status).toBe(204)
    expect((await act({ ...behind, origin: 'https://evil.example' })).status).toBe(403)
  })
})

const BASE = '/api/hassio_ingress/secret-of-the-session'

/** Home Assistant, as far as ingress goes: a page with a frame, and a proxy that takes the path away and passes the rest on. */
async function startHall(console: { url: string }): Promise<{ url: string }> {
  const server: Server = createServer((incoming, answer) => {
    const { url = '', headers, method } = incoming
    if (!url.startsWith(`${BASE}/`)) {
      answer.writeHead(200, { 'content-type': 'text/html' })
      answer.end(
        `<!doctype html><link rel="icon" href="data:,"><iframe id="app" src="${BASE}/" width="1200" height="700"></iframe>`,
      )
      return
    }
    const { hostname, port } = new URL(console.url)
    const path = url.slice(BASE.length)
    const passed = request(
      { host: hostname, port, path, method, headers, localAddress: PROXY, agent: false },
      (response) => {
        answer.writeHead(response.statusCode ?? 500, response.headers)
        response.pipe(answer)
      },
    )
    passed.on('error', () => answer.destroy())
    answer.on('close', () => passed.destroy())
    incoming.pipe(passed)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

describe.skipIf(!haveChromium || process.platform !== 'linux')(`the page below a path, ${inChromium}`, () => {
  it('works in a frame: its parts, its data, its live events and its actions stay below the path', async () => {
    const console = await openConsole({ token: TOKEN, trustedProxies: [PROXY], page: undefined })
    const hall = await startHall(console)
    const browser = await openBrowser()
    onTestFinished(() => browser.close())
    const { page } = await visit(browser, hall.url)
    const outside: string[] = []
    page.on('request', (request) => {
      const { pathname } = new URL(request.url())
      if (!pathname.startsWith(`${BASE}/`)) outside.push(pathname)
    })
    const frame = page.frameLocator('#app')
    await frame.locator('#link[data-status="live"]').waitFor()
    await frame.locator('nav a[href="#/sensors"]').click()
    await frame.getByText('meter-7').first().click()
    await frame.locator('main').getByText('meter-7').first().waitFor()
    expect(outside).toEqual([])
  })
})
