// Who may speak to the console: checks of Host, Origin and token, and the headers that tell browsers to be careful.

import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { isIP, type Socket } from 'node:net'
import { hostname } from 'node:os'
import type { FastifyRequest } from 'fastify'
import { createPasses, type Passes } from './passes.ts'

/** Where the console listens. */
export interface ConsoleAddress {
  /** a name or a numeric address without brackets */
  readonly host: string
  readonly port: number
  readonly loopback: boolean
}

/** Why a request is not served. */
export interface Refusal {
  readonly status: number
  readonly error: string
  readonly message: string
}

export interface Guard {
  /** what the response must carry */
  headers(request: FastifyRequest): Readonly<Record<string, string>>
  /** undefined if the request may pass */
  refusal(request: FastifyRequest): Refusal | undefined
  /** what stands for the token in browsers; undefined if no token is needed */
  readonly passes: Passes | undefined
  /** whether this is the token */
  isToken(text: string): boolean
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** served to everyone: says nothing worth hiding */
    open?: boolean
    /** the token may come as `?token=`, where a header cannot be set */
    tokenInQuery?: boolean
  }
}

/** On every response. Scripts and styles come from here or not at all, and nobody may frame the page. */
export const HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  // with no-referrer a browser would not even tell us where our own forms come from
  'referrer-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
}

/** The same behind a proxy that has its users signed in: its own pages may frame this one. */
const FRAMED: Readonly<Record<string, string>> = {
  ...HEADERS,
  'content-security-policy': (HEADERS['content-security-policy'] ?? '').replace(
    "frame-ancestors 'none'",
    "frame-ancestors 'self'",
  ),
  'x-frame-options': 'SAMEORIGIN',
}

/** Octets of a token below which it could be guessed. */
const SHORTEST_TOKEN = 16

function parseUrl(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined
}

/** Takes the console's url apart; throws with a clear message if it is none. */
export function parseConsoleUrl(text: string): ConsoleAddress {
  const url = parseUrl(text)
  const plain = url?.protocol === 'http:' && url.username === '' && url.pathname === '/' && url.search === ''
  if (url === undefined || !plain)
    throw new Error(`console: "${text}" is not http://address:port, such as "http://127.0.0.1:8885"`)
  // Both loopback addresses may stand behind the name; one socket needs one address.
  const host = url.hostname === 'localhost' ? '127.0.0.1' : url.hostname.replace(/^\[|\]$/g, '')
  const loopback = host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
  return { host, port: url.port === '' ? 80 : Number(url.port), loopback }
}

/** Throws if the console would be open to others. */
export function checkToken(address: ConsoleAddress, token: string | undefined): void {
  if (token === undefined && !address.loopback)
    throw new Error(`console: a token is needed, because ${address.host} can be reached from outside`)
  if (token !== undefined && Buffer.byteLength(token) < SHORTEST_TOKEN)
    throw new Error(`console: the token needs at least ${SHORTEST_TOKEN} characters`)
}

const isWildcard = (host: string) => host === '0.0.0.0' || host === '::'

/** Whether a Host header names the console. A name that is not ours may be a foreign page's, bound to our address. */
function hostCheck({ host, loopback }: ConsoleAddress, more: readonly string[]): (name: string) => boolean {
  const names = new Set([host, ...more, ...(loopback ? ['localhost', '127.0.0.1', '::1'] : [])])
  if (isWildcard(host)) names.add('localhost').add(hostname())
  const known = new Set([...names].map((name) => name.toLowerCase()))
  // Rebinding needs a name: a bare address is harmless where every address is served.
  return (name) => known.has(name) || (isWildcard(host) && isIP(name) !== 0)
}

/** `[::1]:8885` as `{ host: '[::1]:8885', name: '::1' }`, in the form that browsers give to an Origin. */
function parseHost(header: string | undefined): { host: string; name: string } | undefined {
  if (header === undefined || !/^[\w.:[\]-]+$/.test(header)) return undefined
  const url = parseUrl(`http://${header}`)
  return url && { host: url.host, name: url.hostname.replace(/^\[|\]$/g, '') }
}

const digest = (text: string) => createHash('sha256').update(text).digest()
const same = (a: string, b: string) => timingSafeEqual(digest(a), digest(b))

const refuse = (status: number, error: string, message: string): Refusal => ({ status, error, message })

/** What is asked of requests. */
export interface GuardRules {
  readonly token: string | undefined
  /** further names that the console is known by, for example behind a proxy */
  readonly hosts: readonly string[]
  /** addresses of proxies that let nobody through who has not signed in with them */
  readonly trustedProxies: readonly string[]
}

/** The checks of one console. */
export function createGuard(address: ConsoleAddress, { token, hosts, trustedProxies }: GuardRules): Guard {
  const isOurs = hostCheck(address, hosts)
  const trusted = new Set(trustedProxies)
  // the address of the connection itself: no header of a request has a say in it
  const isTrusted = ({ socket }: FastifyRequest) =>
    trusted.size > 0 && trusted.has((socket.remoteAddress ?? '').replace(/^::ffff:/, ''))
  const passes = token === undefined ? undefined : createPasses(address.port)

  function mayPass(request: FastifyRequest): boolean {
    const { headers, query, routeOptions, ip } = request
    if (token === undefined || passes === undefined) return true
    if (routeOptions.config.open === true || isTrusted(request)) return true
    const bearer = /^Bearer +(\S.*)$/i.exec(headers.authorization ?? '')?.[1]
    if (bearer !== undefined) return same(bearer, token)
    if (routeOptions.config.tokenInQuery === true) {
      const { token: given } = query as { token?: unknown }
      if (typeof given === 'string') {
        const isRight = passes.mayTry(ip) && same(given, token)
        if (!isRight) passes.noteWrong(ip)
        return isRight
      }
    }
    return passes.hold(headers.cookie)
  }

  return {
    passes,
    isToken: (text) => token === undefined || same(text, token),
    headers: (request) => (isTrusted(request) ? FRAMED : HEADERS),
    refusal(request) {
      const { headers, method } = request
      const proxied = isTrusted(request)
      // a proxy may be known by any name, and may put its own in the place of ours
      const forwarded = proxied ? [headers['x-forwarded-host']].flat()[0] : undefined
      const host = parseHost(forwarded ?? headers.host)
      if (host === undefined || !(proxied || isOurs(host.name)))
        return refuse(421, 'wrong-host', 'The Host header does not name this console.')
      if (headers.origin !== undefined && parseUrl(headers.origin)?.host !== host.host)
        return refuse(403, 'wrong-origin', 'Requests of other sites are not served.')
      const site = headers['sec-fetch-site']
      // Following a link to the page is harmless; anything else that another site causes is not wanted.
      const link =
        method === 'GET' && headers['sec-fetch-mode'] === 'navigate' && request.routeOptions.url === '/'
      if ((site === 'cross-site' || site === 'same-site') && !link)
        return refuse(403, 'wrong-origin', 'Requests of other sites are not served.')
      if (!mayPass(request))
        return refuse(401, 'unauthorized', 'A token is needed: Authorization: Bearer TOKEN.')
      return undefined
    },
  }
}

/**
 * Bounds the connections of a server, in all and of one address. A new one is always taken, so that who asks for the health of
 * the gateway gets an answer: the one that has been idle for longest gives way, of whoever has most. One that is being answered
 * stays; the new one is turned away only where all are.
 */
export function boundConnections(
  server: Server,
  { connections, connectionsPerAddress }: { connections: number; connectionsPerAddress: number },
): void {
  /** by address, in the order in which they came or were last answered; true: a request is being answered */
  const byAddress = new Map<string, Map<Socket, boolean>>()
  const owners = new WeakMap<Socket, Map<Socket, boolean>>()
  let count = 0

  const largest = () => [...byAddress.values()].reduce((most, one) => (one.size > most.size ? one : most))

  function leave(socket: Socket, address: string): void {
    const own = owners.get(socket)
    if (own?.delete(socket) !== true) return
    count -= 1
    if (own.size === 0) byAddress.delete(address)
  }

  server.on('connection', (socket: Socket) => {
    const address = socket.remoteAddress ?? ''
    const own = byAddress.get(address) ?? new Map<Socket, boolean>()
    byAddress.set(address, own.set(socket, false))
    owners.set(socket, own)
    count += 1
    socket.once('close', () => leave(socket, address))
    if (count <= connections && own.size <= connectionsPerAddress) return
    const crowd = own.size > connectionsPerAddress ? own : largest()
    const [victim = socket] = [...crowd].find(([, isBusy]) => !isBusy) ?? []
    leave(victim, victim.remoteAddress ?? '')
    victim.destroy()
  })

  server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    const own = owners.get(socket)
    if (own?.has(socket)) own.set(socket, true)
    response.once('close', () => {
      if (own?.delete(socket)) own.set(socket, false) // at the end of the line
    })
  })
}
