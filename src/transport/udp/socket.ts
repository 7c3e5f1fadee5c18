// UDP sockets: opened exclusively for one address, or shared so that sockets for single addresses may stand beside one for all.

import { createSocket, type Socket } from 'node:dgram'
import { type Endpoint, isWildcard, numericLookup } from '../address.ts'

/** A socket, and where it is bound. */
export interface BoundSocket {
  readonly socket: Socket
  readonly endpoint: Endpoint
}

/** Free ports that are tried where any will do: another program may take one in the moment between two calls. */
const TRIES = 5

/**
 * Whether the system gives a datagram to the socket that is bound to its very address, when another one listens on all of
 * them and both share the port. Windows gives it to either.
 */
export const PREFERS_EXACT = process.platform !== 'win32'

/** A socket that is not bound yet. `shared`: others that say the same may have its port too. */
export function newSocket(family: Endpoint['family'], shared: boolean): Socket {
  const options = { reuseAddr: shared, lookup: numericLookup }
  // each family has sockets of its own: addresses are then written in one way only, and a listener may have just one family
  if (family === 6) return createSocket({ type: 'udp6', ipv6Only: true, ...options })
  return createSocket({ type: 'udp4', ...options })
}

/** Binds a socket; rejects with the system's error. */
export function bindSocket(socket: Socket, port: number, address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    // Stays for good: once bound it does nothing, but an error without any listener would end the process.
    socket.on('error', reject)
    socket.bind({ port, address }, resolve)
  })
}

/**
 * Binds the sockets of a listener: one for its address, or for all addresses of each family. Rejects with the system's error
 * if a program has one of these ports already; a family that this machine does not have is left out after the first.
 */
export async function openSockets(wanted: Endpoint, bothFamilies: boolean): Promise<BoundSocket[]> {
  const hosts: Endpoint[] = [wanted]
  if (bothFamilies && wanted.family === 6) hosts.push({ host: '0.0.0.0', port: wanted.port, family: 4 })
  for (let tries = 1; ; tries += 1) {
    const opened: BoundSocket[] = []
    try {
      for (const each of hosts) {
        const port = opened[0]?.endpoint.port ?? wanted.port
        await openOne({ ...each, port }).then(
          (bound) => opened.push(bound),
          (error: unknown) => {
            if (opened.length === 0 || !isAbsent(error)) throw error
          },
        )
      }
      return opened
    } catch (error) {
      for (const { socket } of opened) socket.close()
      if (wanted.port !== 0 || tries === TRIES || codeOf(error) !== 'EADDRINUSE') throw error
    }
  }
}

/**
 * A shared port can be taken by a second gateway, too: that nobody has it is seen by taking it alone for a moment.
 */
async function openOne(wanted: Endpoint): Promise<BoundSocket> {
  const shared = PREFERS_EXACT && isWildcard(wanted.host)
  const alone = await bound(wanted, false)
  if (!shared) return alone
  alone.socket.close()
  return bound(alone.endpoint, true)
}

async function bound({ host, port, family }: Endpoint, shared: boolean): Promise<BoundSocket> {
  const socket = newSocket(family, shared)
  try {
    await bindSocket(socket, port, host)
    return { socket, endpoint: { host, port: socket.address().port, family } }
  } catch (error) {
    socket.close()
    throw error
  }
}

const codeOf = (error: unknown): unknown =>
  error instanceof Error && 'code' in error ? error.code : undefined

/** Whether the machine does not speak this family at all. */
const isAbsent = (error: unknown): boolean =>
  codeOf(error) === 'EAFNOSUPPORT' || codeOf(error) === 'EADDRNOTAVAIL'

/** Asks the system for a receive buffer of so many octets. */
export function growReceiveBuffer(socket: Socket, octets: number): void {
  try {
    socket.setRecvBufferSize(octets)
  } catch {
    // Some systems refuse what is above their limit instead of granting less: what is there stays, and is read back.
  }
}
