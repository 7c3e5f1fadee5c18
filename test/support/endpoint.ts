// The far end of a link in tests: a plain UDP socket that collects what it receives.

import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { once } from 'node:events'

/** A bound socket and what came in. */
export interface Endpoint {
  readonly socket: Socket
  readonly port: number
  /** The next datagram not yet taken; rejects after `wait` milliseconds (5,000). */
  next(wait?: number): Promise<{ bytes: Uint8Array; remote: RemoteInfo }>
  /** datagrams not yet taken */
  readonly waiting: number
  send(bytes: Uint8Array, port: number, address: string): Promise<void>
  close(): Promise<void>
}

/** Binds a socket on 127.0.0.1, ::1 or another address of the loopback interface; port 0 takes a free one. */
export async function openEndpoint(address: string, port = 0, shared = false): Promise<Endpoint> {
  const socket = createSocket(
    address.includes(':')
      ? { type: 'udp6', ipv6Only: true, reuseAddr: shared }
      : { type: 'udp4', reuseAddr: shared },
  )
  const inbox: { bytes: Uint8Array; remote: RemoteInfo }[] = []
  let arrived = () => {}
  socket.on('message', (bytes, remote) => {
    inbox.push({ bytes: new Uint8Array(bytes), remote })
    arrived()
  })
  socket.bind(port, address)
  await once(socket, 'listening')
  return {
    socket,
    port: socket.address().port,
    get waiting() {
      return inbox.length
    },
    async next(wait = 5000) {
      if (inbox.length === 0) {
        await new Promise<void>((resolve, reject) => {
          const timer = setTimeout(
            () => reject(new Error(`nothing arrived at ${address} within ${wait} ms`)),
            wait,
          )
          arrived = () => {
            clearTimeout(timer)
            resolve()
          }
        })
      }
      const first = inbox.shift()
      if (first === undefined) throw new Error('two readers wait for one datagram')
      return first
    },
    send: (bytes, to, host) =>
      new Promise((resolve, reject) =>
        socket.send(bytes, to, host, (error) => (error ? reject(error) : resolve())),
      ),
    close: () => new Promise((resolve) => socket.close(() => resolve())),
  }
}
