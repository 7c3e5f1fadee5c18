// Whether this machine has the addresses that connections to the broker are to go out from.

import { createServer } from 'node:net'
import type { SystemError } from '../mqtt/failures/system-error.ts'

/** What is wrong with an address of the list. */
export interface MissingAddress {
  /** place in the list */
  readonly index: number
  readonly address: string
  /** a sentence that names the key to change */
  readonly says: string
}

/** Those that cannot be used; binds a socket to each for a moment. */
export async function missingAddresses(addresses: readonly string[]): Promise<MissingAddress[]> {
  const tried = await Promise.all(
    addresses.map(async (address, index) => {
      const error = await bindingError(address)
      return error && { index, address, says: `${address}: ${reasonOf(error)}: see broker.localAddresses` }
    }),
  )
  return tried.filter((one) => one !== undefined)
}

/** Rejects with a sentence that names the key, if one of them cannot be used. */
export async function requireLocalAddresses(addresses: readonly string[]): Promise<void> {
  const missing = await missingAddresses(addresses)
  if (missing.length > 0) throw new Error(missing.map(({ says }) => says).join('; '))
}

function bindingError(address: string): Promise<SystemError | undefined> {
  return new Promise((resolve) => {
    const server = createServer((socket) => socket.destroy())
    // where no port is left the address is there
    server.once('error', (error: SystemError) => resolve(error.code === 'EADDRINUSE' ? undefined : error))
    server.listen({ host: address, port: 0, exclusive: true }, () => server.close(() => resolve(undefined)))
  })
}

const reasonOf = ({ code, message }: SystemError): string =>
  code === 'EADDRNOTAVAIL' ? 'this machine does not have the address (EADDRNOTAVAIL)' : message
