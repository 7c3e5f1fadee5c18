// The sensor's end of a UDP link, IPv4 or IPv6: one socket, connected to one gateway.

import { createSocket, type Socket } from 'node:dgram'
import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { SensorError } from './failure.ts'
import type { SecuredSession } from './security.ts'

/** What carries a sensor's datagrams. A test puts its own in place to lose, repeat or reorder them. */
export interface SensorTransport {
  /** Sends one datagram; failures are reported to `onError`, never thrown. */
  send(bytes: Uint8Array): void
  /** set by the Sensor: called with each datagram, whose octets then belong to the Sensor */
  onReceive: (bytes: Uint8Array) => void
  /** set by the Sensor */
  onError: (error: Error) => void
  close(): void
  /** the port that it sends from, of a UDP socket */
  readonly localPort?: number
  /** Resolves when datagrams can reach the gateway: with DTLS after a handshake, if there is no session. */
  ready?(): Promise<void>
  /** The gateway left a CONNECT or a waking sensor without an answer: it may have lost its end of the session. */
  doubt?(): void
  /** set by the Sensor: the gateway ended the session */
  onEnded?: () => void
  /** set by the Sensor: a handshake succeeded */
  onSecured?: (session: SecuredSession) => void
}

/** Host, port and address family of `udp://host:port` or `dtls://host:port`. Rejects with SensorError `invalid` or `transport`. */
export async function resolveGateway(url: string): Promise<{ address: string; port: number; family: 4 | 6 }> {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  const host = parsed?.hostname.replace(/^\[|\]$/g, '') ?? ''
  const port = Number(parsed?.port)
  if (!/^(?:udp|dtls):$/.test(parsed?.protocol ?? '') || host === '' || port < 1) {
    throw new SensorError(
      'invalid',
      `gateway: expected udp://host:port or dtls://host:port, got ${JSON.stringify(url)}`,
    )
  }
  const family = isIP(host)
  if (family !== 0) return { address: host, port, family: family === 6 ? 6 : 4 }
  try {
    const found = await lookup(host)
    return { address: found.address, port, family: found.family === 6 ? 6 : 4 }
  } catch {
    throw new SensorError('transport', `gateway: cannot find the address of ${host}`)
  }
}

/** Octets that may wait for a send buffer with room. What is above is lost, as the network would do. */
const MOST_WAITING = 4 * 1024 * 1024

/** Opens a socket that talks to one gateway only: datagrams from elsewhere do not reach it. */
export async function openUdp(
  url: string,
  bind: { address?: string; port?: number } = {},
): Promise<SensorTransport> {
  const { address, port, family } = await resolveGateway(url)
  const socket = createSocket(family === 6 ? 'udp6' : 'udp4')
  try {
    await step(socket, (done) => socket.bind({ address: bind.address, port: bind.port ?? 0 }, done))
    await step(socket, (done) => socket.connect(port, address, done))
  } catch (error) {
    socket.close()
    throw new SensorError('transport', `cannot reach ${url}: ${message(error)}`)
  }
  return transportOf(socket)
}

function transportOf(socket: Socket): SensorTransport {
  let open = true
  const transport: SensorTransport = {
    onReceive: () => {},
    onError: () => {},
    localPort: socket.address().port,
    send(bytes) {
      // Without a callback a failed send arrives as the event `error`, like an ICMP refusal.
      if (open && socket.getSendQueueSize() <= MOST_WAITING) socket.send(bytes)
    },
    close() {
      if (open) socket.close()
      open = false
    },
  }
  socket.on('message', (bytes) => transport.onReceive(bytes))
  socket.on('error', (error) => transport.onError(error))
  return transport
}

/** Runs one asynchronous socket operation, whose failure is reported by the event `error`. */
function step(socket: Socket, start: (done: () => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('error', reject)
    start(() => {
      socket.off('error', reject)
      resolve()
    })
  })
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
