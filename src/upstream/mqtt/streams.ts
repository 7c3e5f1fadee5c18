// The octet streams under MQTT: TCP, TLS and WebSocket to one broker.

import { type LookupAddress, lookup } from 'node:dns'
import { connect as connectTcp, isIP, type LookupFunction } from 'node:net'
import type { Duplex } from 'node:stream'
import { connect as connectTls, createSecureContext, type SecureContext } from 'node:tls'
import { streamBuilder as openWebSocket } from 'mqtt/lib/connect/ws'
import type { Identity, TlsOptions } from '../upstream.ts'

/**
 * Opens a stream for one identity; throws if its certificate or key cannot be used. `onData` gets what comes, in a buffer
 * that is used again when it returns.
 */
export type OpenStream = (identity: Identity, onData: (octets: Buffer) => void) => Duplex

/** octets that are read from a TCP connection at once */
const READ = 65_536

const PORTS = { mqtt: 1883, mqtts: 8883, ws: 80, wss: 443 }

/**
 * Prepares the way to the broker at `url`. `turn`: which of the addresses of a name is tried first; the others follow where
 * nothing listens there.
 *
 * Throws an Error that names what is wrong with the URL, or with the certificates that all connections share.
 */
export function streams(url: string, tls: TlsOptions, turn: () => number = () => 0): OpenStream {
  const { scheme, hostname, port, path } = parse(url)
  // Nagle's algorithm would hold back the second of two small packets for up to 40 ms.
  const host = hostname.replace(/^\[|\]$/g, '')
  const resolver = isIP(host) === 0 ? { lookup: rotated(turn) } : {}
  const socket = { host, port, noDelay: true, keepAlive: true, ...resolver }
  if (scheme === 'mqtt') {
    // All connections read into one buffer, because each read is handled completely before another connection reads.
    const buffer = Buffer.allocUnsafeSlow(READ)
    return (_, onData) => {
      const callback = (length: number): true => {
        onData(buffer.subarray(0, length))
        return true
      }
      return connectTcp({ ...socket, onread: { buffer, callback } })
    }
  }

  const verification = { rejectUnauthorized: tls.verify, ...serverName(tls, socket.host) }
  if (scheme === 'mqtts') {
    const shared = secureContext(tls)
    return (identity, onData) => {
      const context = secureContext(tls, identity, shared)
      const secured = connectTls({ ...socket, ...verification, secureContext: context })
      return secured.setNoDelay(true).on('data', onData)
    }
  }

  const shared = scheme === 'wss' ? secureContext(tls) : undefined
  const endpoint = { protocol: scheme, hostname, port, path }
  return (identity, onData) => {
    const context = shared && { ...verification, secureContext: secureContext(tls, identity, shared) }
    const options = { ...endpoint, wsOptions: { perMessageDeflate: false, ...resolver, ...context } }
    // It passes its first argument on to a function that could change the address, and there is none. The type is that
    // of the userland copy of Node's own class.
    return (openWebSocket(undefined as never, options) as unknown as Duplex).on('data', onData)
  }
}

type OnFound = (error: NodeJS.ErrnoException | null, found: LookupAddress[]) => void

/**
 * Looks a name up, and begins with another of its addresses at each turn: a broker may accept connections and yet not answer. Whoever
 * asks while a lookup is under way gets what that one finds: each occupies one of the few threads that the store needs, too, for
 * seconds where no name server answers.
 */
function rotated(turn: () => number): LookupFunction {
  let waiting: OnFound[] | undefined
  return (name, options, callback) => {
    const answer: OnFound = (error, found) => {
      const start = found?.length > 0 ? turn() % found.length : 0
      const addresses = error ? [] : [...found.slice(start), ...found.slice(0, start)]
      if (error || options.all === true) callback(error, addresses)
      else callback(null, addresses[0]?.address ?? '', addresses[0]?.family)
    }
    if (waiting !== undefined) return void waiting.push(answer)
    waiting = [answer]
    lookup(name, { ...options, all: true }, (error, found) => {
      const all = waiting ?? []
      waiting = undefined
      for (const each of all) each(error, found)
    })
  }
}

function parse(url: string): { scheme: keyof typeof PORTS; hostname: string; port: number; path: string } {
  if (!URL.canParse(url)) throw new Error('the broker URL is not a URL')
  const { protocol, hostname, port, pathname, search, username, password } = new URL(url)
  const scheme = protocol.slice(0, -1)
  if (scheme !== 'mqtt' && scheme !== 'mqtts' && scheme !== 'ws' && scheme !== 'wss') {
    throw new Error(`the broker URL starts with ${protocol}//, but mqtt, mqtts, ws or wss is needed`)
  }
  // It would end up in logs, and every sensor would share it.
  if (username !== '' || password !== '') throw new Error('the broker URL must not hold a user or password')
  if (hostname === '') throw new Error('the broker URL has no host')
  const path = pathname === '' ? '/' : pathname
  return { scheme, hostname, port: port === '' ? PORTS[scheme] : Number(port), path: path + search }
}

function serverName(tls: TlsOptions, host: string): { servername?: string } {
  const name = tls.serverName ?? (isIP(host) === 0 ? host : undefined)
  return name === undefined ? {} : { servername: name }
}

/** One context serves all connections without a certificate of their own: it holds the parsed authorities. */
function secureContext(tls: TlsOptions, identity?: Identity, shared?: SecureContext): SecureContext {
  const own = ownCertificate(identity)
  if (shared !== undefined && own === undefined) return shared
  const { ca, cert, key } = { ...tls, ...own }
  return createSecureContext({ ca, cert, key, minVersion: 'TLSv1.2' })
}

function ownCertificate(identity?: Identity): { cert: string; key: string | undefined } | undefined {
  return identity?.cert === undefined ? undefined : { cert: identity.cert, key: identity.key }
}
