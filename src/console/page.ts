// The console page and what it is made of: files of one folder and those below it, read once, and the chart library from its package.

import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { FastifyInstance } from 'fastify'
import type { Guard } from './security.ts'

/** The page that comes with the gateway. */
export const ownPage = fileURLToPath(new URL('page', import.meta.url))

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
}

/** What the sign-in page is made of: served to everyone, as nothing of the gateway is in it. */
const OPEN = new Set([
  '/theme.js',
  '/styles/style.css',
  '/styles/parts.css',
  '/styles/sign-in.css',
  '/icon.svg',
])

/** What a browser without the token gets to see; `wrong`: it came with another token. */
export const signIn = (wrong: boolean): string => `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>Sign in · MQTT-SN gateway</title>
    <link rel="icon" href="/icon.svg" type="image/svg+xml">
    <link rel="stylesheet" href="/styles/style.css">
    <link rel="stylesheet" href="/styles/parts.css">
    <link rel="stylesheet" href="/styles/sign-in.css">
    <script src="/theme.js"></script>
  </head>
  <body class="sign-in">
    <main>
      <form class="panel" action="/" method="get">
        <h1><img src="/icon.svg" alt="" width="28" height="28"> MQTT-SN gateway</h1>
        <p class="muted">This console wants the token of its configuration (“console.token”).</p>
        ${wrong ? '<p class="wrong" role="alert">This is not the token.</p>' : ''}
        <label for="token">Token</label>
        <input id="token" name="token" type="password" autocomplete="current-password" required autofocus>
        <button class="primary">Sign in</button>
      </form>
    </main>
  </body>
</html>
`

/** Url path and file of everything that is served. */
function filesOf(folder: string): ReadonlyMap<string, string> {
  const charts = dirname(createRequire(import.meta.url).resolve('uplot'))
  const files = new Map([
    ['/uplot.js', join(charts, 'uPlot.esm.js')],
    ['/uplot.css', join(charts, 'uPlot.min.css')],
  ])
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (Object.hasOwn(TYPES, extname(name))) files.set(`/${name.replaceAll('\\', '/')}`, join(folder, name))
  }
  return files
}

/** Adds the page's routes; throws if the folder or a file cannot be read. */
export function servePage(app: FastifyInstance, folder: string, guard: Guard): void {
  for (const [path, file] of filesOf(folder)) {
    const body = readFileSync(file)
    const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`
    const type = TYPES[extname(file)] ?? ''
    const isStart = path === '/index.html'
    app.get<{ Querystring: { token?: unknown } }>(
      isStart ? '/' : path,
      { schema: { hide: true }, config: { tokenInQuery: isStart, open: OPEN.has(path) } },
      (request, reply) => {
        if (isStart && request.query.token !== undefined) {
          // The token leaves the address bar; the cookie stands for it from now on.
          if (guard.cookie !== undefined) reply.header('set-cookie', guard.cookie)
          return reply.redirect('/', 303)
        }
        reply.headers({ etag, 'cache-control': 'no-cache' })
        if (request.headers['if-none-match'] === etag) return reply.code(304).send()
        return reply.type(type).send(body)
      },
    )
  }
}
