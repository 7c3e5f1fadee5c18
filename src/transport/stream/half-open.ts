// Finds TCP connections whose other side has vanished without a word while something was on its way to it: the system repeats that
// for a quarter of an hour before it gives up, and its keep-alive, which finds idle ones, is silent meanwhile. Linux says what is not
// acknowledged; elsewhere it stays with the system's own patience.

import { readFile } from 'node:fs/promises'
import { isIPv6, type Socket } from 'node:net'
import { writtenAddress } from '../udp/proc-table.ts'

/** How often it is looked, and how long nothing may be acknowledged, milliseconds; together well within two minutes. */
export interface Patience {
  readonly every: number
  readonly most: number
}
const PATIENCE: Patience = { every: 15_000, most: 75_000 }

/** Octets that were sent and not acknowledged; undefined where that cannot be told. */
async function unacknowledged({
  localAddress,
  localPort,
  remoteAddress,
  remotePort,
}: Socket): Promise<number | undefined> {
  if (localAddress === undefined || remoteAddress === undefined) return undefined
  const family = isIPv6(localAddress) ? 6 : 4
  const place = (host: string, port = 0) => writtenAddress({ host, port, family })
  const ends = ` ${place(localAddress, localPort)} ${place(remoteAddress, remotePort)} `
  const table = await readFile(family === 6 ? '/proc/net/tcp6' : '/proc/net/tcp', 'latin1').catch(() => '')
  const at = table.indexOf(ends)
  // the state, and then the octets in hex
  return at < 0 ? undefined : Number.parseInt(table.slice(at + ends.length + 3, at + ends.length + 11), 16)
}

/** Destroys the connection with an error once nothing is acknowledged any more; ends with it. */
export function watchHalfOpen(socket: Socket, { every, most }: Patience = PATIENCE): void {
  /** octets acknowledged when there last was a sign of life, and when that was */
  let acknowledged = 0
  let aliveAt = performance.now()
  let writtenThen = socket.bytesWritten
  const noteLife = (): void => {
    aliveAt = performance.now()
    writtenThen = socket.bytesWritten
  }
  async function look(): Promise<void> {
    // whoever speaks is there, and what was not sent need not be acknowledged
    if (socket.bytesWritten === writtenThen || performance.now() - aliveAt < every) return
    const open = await unacknowledged(socket)
    if (open === undefined || socket.destroyed) return
    const now = socket.bytesWritten - socket.writableLength - open
    if (open === 0 || now > acknowledged) {
      acknowledged = now
      if (open === 0) noteLife()
      else aliveAt = performance.now()
    } else if (performance.now() - aliveAt >= most)
      socket.destroy(new Error(`the other side has acknowledged nothing for ${Math.round(most / 1000)} s`))
  }
  socket.on('data', noteLife)
  const timer = setInterval(() => void look(), every)
  timer.unref()
  socket.once('close', () => clearInterval(timer))
}
