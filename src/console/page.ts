// The console page and what it is made of: files of one folder and those below it, read once, compressed when they were built.

import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import type { FastifyInstance } from 'fastify'
import type { Guard } from './security.ts'
import { isEncrypted } from './sign-in.ts'

/** The page that comes with the gateway, as it was built last; a gateway that runs from its source has it in dist/ too. */
export const ownPage = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? '../../dist/src/console/page' : 'page', import.meta.url),
)

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
const OPEN = new Set(['/theme.js', '/styles/style.css', '/icon.svg'])

/** How a file may be compressed, the best way first, and what its name ends with then. */
const ENCODINGS = [
  ['br', '.br'],
  ['gzip', '.gz'],
] as const

/** A file as it is sent, in one encoding or another. */
interface Asset {
  readonly type: string
  readonly etag: string
  readonly bodies: ReadonlyMap<string, Buffer>
}

/** Everything that is served, by url path. A file may be there as it is, compressed, or both. */
function assetsOf(folder: string): ReadonlyMap<string, Asset> {
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  const names = new Set(paths.map((path) => path.replace(/\.(?:br|gz)$/, '')))
  const assets = new Map<string, Asset>()
  for (const name of names) {
    const type = TYPES[extname(name)]
    if (type === undefined) continue
    const bodies = new Map<string, Buffer>()
    for (const [encoding, ending] of ENCODINGS)
      if (paths.includes(name + ending)) bodies.set(encoding, readFileSync(join(folder, name + ending)))
    const packed = bodies.get('gzip')
    const plain = packed === undefined ? readFileSync(join(folder, name)) : gunzipSync(packed)
    bodies.set('identity', plain)
    const etag = `"${createHash('sha256').update(plain).digest('base64url').slice(0, 22)}"`
    assets.set(`/${name.replaceAll('\\', '/')}`, { type, etag, bodies })
  }
  return assets
}

/** The encodings that a browser takes, as in Accept-Encoding; what it gives no weight to it does not take. */
function accepted(header: unknown): ReadonlySet<string> {
  const names = String(header ?? '')
    .toLowerCase()
    .split(',')
    .map((one) => one.trim().split(/\s*;\s*/))
    .filter(([, weight = '']) => !/^q=0(?:\.0*)?$/.test(weight))
  return new Set(names.map(([name = '']) => name))
}

/** The smallest form of a file that a browser takes. */
function bodyFor({ bodies }: Asset, header: unknown): readonly [encoding: string, body: Buffer | undefined] {
  const wanted = accepted(header)
  const encoding = [...bodies.keys()].find((name) => wanted.has(name)) ?? 'identity'
  return [encoding, bodies.get(encoding)]
}

/** Adds the page's routes; throws if the folder or a file cannot be read, or nothing was built into it. */
export function servePage(app: FastifyInstance, folder: string, guard: Guard): void {
  for (const [path, asset] of assetsOf(folder)) {
    const isStart = path === '/index.html'
    app.get<{ Querystring: { token?: unknown } }>(
      isStart ? '/' : path,
      { schema: { hide: true }, config: { tokenInQuery: isStart, open: OPEN.has(path) } },
      (request, reply) => {
        if (isStart && request.query.token !== undefined) {
          // The token leaves the address bar; a cookie stands for it from now on.
          const cookie = guard.passes?.open(isEncrypted(request))
          if (cookie !== undefined) reply.header('set-cookie', cookie)
          return reply.redirect('/', 303)
        }
        const { etag, type } = asset
        // Browsers ask for the icon of a page at every step; programs have to be those of this gateway.
        const caching = type.startsWith('image/') ? 'max-age=3600' : 'no-cache'
        reply.headers({ etag, 'cache-control': caching, vary: 'accept-encoding' })
        if (request.headers['if-none-match'] === etag) return reply.code(304).send()
        const [encoding, body] = bodyFor(asset, request.headers['accept-encoding'])
        if (encoding !== 'identity') reply.header('content-encoding', encoding)
        return reply.type(type).send(body)
      },
    )
  }
}
