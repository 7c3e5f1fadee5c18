// The octet streams under MQTT: TCP, TLS and WebSocket to one broker.

import type { EventEmitter } from 'node:events'
import type { ClientRequest } from 'node:http'
import { connect as connectTcp, isIP, type TcpNetConnectOpts } from 'node:net'
import type { Duplex } from 'node:stream'
import { connect as connectTls, createSecureContext, type SecureContext } from 'node:tls'
import { streamBuilder } from 'mqtt/lib/connect/ws'
import type { Identity, TlsOptions } from '../upstream.ts'

/**
 * Opens a stream for one identity; throws if its certificate or key cannot be used. `onData` gets what comes, in a buffer
 * that is used again when it returns.
 */
export type OpenStream = (identity: Identity, onData: (octets: Buffer) => void, way?: WayOptions) => Duplex

/** Which address of this machine a stream goes out from, of which family, and how the broker's name becomes an address. */
export type WayOptions = Pick<TcpNetConnectOpts, 'localAddress' | 'family' | 'lookup'>

/** octets that are read from a TCP connection at once */
const READ = 65_536

const PORTS = { mqtt: 1883, mqtts: 8883, ws: 80, wss: 443 }

/**
 * Prepares streams to the broker at `url`.
 *
 * Throws an Error that names what is wrong with the URL, or with the certificates that all connections share.
 */
export function streams(url: string, tls: TlsOptions): OpenStream {
  const { scheme, hostname, port, path } = parse(url)
  // Nagle's algorithm would hold back the second of two small packets for up to 40 ms.
  const host = hostOf(url)
  const socket = { host, port, noDelay: true, keepAlive: true }
  if (scheme === 'mqtt') {
    // All connections read into one buffer, because each read is handled completely before another connection reads.
    const buffer = Buffer.allocUnsafeSlow(READ)
    return (_, onData, way) => {
      const callback = (length: number): true => {
        onData(buffer.subarray(0, length))
        return true
      }
      return connectTcp({ ...socket, ...way, onread: { buffer, callback } })
    }
  }

  const verification = { rejectUnauthorized: tls.verify, ...serverName(tls, socket.host) }
  if (scheme === 'mqtts') {
    const shared = secureContext(tls)
    return (identity, onData, way) => {
      const context = secureContext(tls, identity, shared)
      const secured = connectTls({ ...socket, ...way, ...verification, secureContext: context })
      return secured.setNoDelay(true).on('data', onData)
    }
  }

  const shared = scheme === 'wss' ? secureContext(tls) : undefined
  const endpoint = { protocol: scheme, hostname, port, path }
  return (identity, onData, way) => {
    const context = shared && { ...verification, secureContext: secureContext(tls, identity, shared) }
    const options = { ...endpoint, wsOptions: { perMessageDeflate: false, ...way, ...context } }
    return openWebSocket(options).on('data', onData)
  }
}

/** The host of a broker's URL, without brackets. Throws as `streams`. */
export const hostOf = (url: string): string => parse(url).hostname.replace(/^\[|\]$/g, '')

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

/**
 * A WebSocket stream that is `connecting`, and tells `connect`, as those of TCP: before anything that was written meanwhile leaves, when
 * the other side has agreed to speak WebSocket.
 */
function openWebSocket(options: NonNullable<Parameters<typeof streamBuilder>[1]>): Duplex {
  let stream: (Duplex & { connecting: boolean }) | undefined
  // where the socket below the stream is shown
  const finishRequest = (request: ClientRequest, socket: EventEmitter): void => {
    socket.once('open', () => {
      if (stream === undefined) return
      stream.connecting = false
      stream.emit('connect')
    })
    request.end()
  }
  const wsOptions = { ...options.wsOptions, finishRequest }
  // It passes its first argument on to a function that could change the address, and there is none. The type is that
  // of the userland copy of Node's own class.
  const opened = streamBuilder(undefined as never, { ...options, wsOptions }) as unknown as Duplex
  stream = Object.assign(opened, { connecting: true })
  return stream
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
