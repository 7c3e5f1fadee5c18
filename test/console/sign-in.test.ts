// Signing in: by POST, with a cookie that scripts and other sites cannot use, so many attempts, and out again.

import { describe, expect, it } from 'vitest'
import { createPasses } from '../../src/console/passes.ts'
import { ask, openConsole } from './client.ts'

const TOKEN = 'correct horse battery staple'
const form = 'application/x-www-form-urlencoded'
const json = 'application/json'

const signIn = (console: Awaited<ReturnType<typeof openConsole>>, token: string, type = json, headers = {}) =>
  ask(console, '/sign-in', {
    method: 'POST',
    headers: { 'content-type': type, ...headers },
    body: type === json ? JSON.stringify({ token }) : `token=${encodeURIComponent(token)}`,
  })

describe('signing in', () => {
  it('gives a pass for the token, which opens everything until it is given back', async () => {
    const console = await openConsole({ token: TOKEN })
    const answer = await signIn(console, TOKEN)
    expect(answer.status).toBe(204)
    const [cookie = ''] = answer.headers['set-cookie'] ?? []
    expect(cookie).toMatch(/^mqttsn_console_\d+=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/)
    expect(cookie).not.toContain(TOKEN)
    const headers = { cookie: cookie.split(';')[0] ?? '' }
    expect((await ask(console, '/api/gateway', { headers })).status).toBe(200)
    const second = await signIn(console, TOKEN)
    expect(second.headers['set-cookie']?.[0]).not.toBe(cookie)
    expect((await ask(console, '/sign-out', { method: 'POST', headers })).status).toBe(204)
    expect((await ask(console, '/api/gateway', { headers })).status).toBe(401)
    const bearer = { authorization: `Bearer ${TOKEN}` }
    expect((await ask(console, '/api/gateway', { headers: bearer })).status).toBe(200)
  })

  it('answers a form for people: on to the page, or the page again with what was wrong', async () => {
    const console = await openConsole({ token: TOKEN })
    const right = await signIn(console, TOKEN, form)
    expect([right.status, right.headers.location]).toEqual([303, '/'])
    const wrong = await signIn(console, 'some other token of mine', form)
    expect([wrong.status, wrong.headers['content-type']]).toEqual([401, 'text/html; charset=utf-8'])
    expect(wrong.text).toContain('This is not the token.')
    expect(wrong.text).toContain('action="/sign-in" method="post"')
    expect(wrong.text).not.toContain('some other token')
  })

  it('allows ten wrong tokens a minute from one address, and then not even the right one', async () => {
    const console = await openConsole({ token: TOKEN })
    for (let i = 0; i < 10; i++) expect((await signIn(console, `wrong token number ${i}`)).status).toBe(401)
    const more = await signIn(console, TOKEN)
    expect([more.status, more.headers['retry-after']]).toEqual([429, '60'])
    expect(JSON.parse(more.text).error).toBe('too-many-attempts')
    const bearer = { authorization: `Bearer ${TOKEN}` }
    expect((await ask(console, '/api/gateway', { headers: bearer })).status).toBe(200)
  })

  it('is nothing that another site can do, nor can one send forms elsewhere', async () => {
    const console = await openConsole({ token: TOKEN })
    const origin = { origin: 'http://evil.example' }
    expect((await signIn(console, TOKEN, form, origin)).status).toBe(403)
    expect((await ask(console, '/sign-out', { method: 'POST', headers: origin })).status).toBe(403)
    const open = await openConsole()
    const headers = { 'content-type': form }
    const forged = await ask(open, '/api/sensors/meter-7/disconnect', {
      method: 'POST',
      headers,
      body: 'a=b',
    })
    expect([forged.status, open.view.actions]).toEqual([415, []])
  })

  it('marks the pass for encrypted connections where a proxy has one', async () => {
    const console = await openConsole({ token: TOKEN })
    const answer = await signIn(console, TOKEN, json, { 'x-forwarded-proto': 'https' })
    expect(answer.headers['set-cookie']?.[0]).toMatch(/; Secure$/)
  })
})

it('passes end when they are idle for a week, and there are a thousand at most', () => {
  let now = 0
  const passes = createPasses(80, () => now)
  const cookieOf = () => passes.open(false).split(';')[0]
  const first = cookieOf()
  now += 6 * 86_400_000
  expect(passes.hold(first)).toBe(true)
  now += 8 * 86_400_000
  expect(passes.hold(first)).toBe(false)
  const all = Array.from({ length: 1001 }, cookieOf)
  expect([passes.hold(all[0]), passes.hold(all[1]), passes.hold(all.at(-1))]).toEqual([false, true, true])
})
