// Which sensors of a chaos run speak DTLS, and with which keys.

import { createHash } from 'node:crypto'
import { roles } from './roles.ts'

/** Whether this one does, where a share of them do: evenly among all kinds of sensors. */
export function isSecure(name: string, share: number): boolean {
  const index = roles.findIndex((role) => role.name === name)
  return index >= 0 && Math.floor((index + 1) * share) > Math.floor(index * share)
}

/** Its identity is its name. The key is worth nothing, but another one for each. */
export const keyOf = (name: string): { identity: string; key: string } => ({
  identity: name,
  key: createHash('sha256').update(`chaos ${name}`).digest('hex').slice(0, 32),
})

/** The file of keys for the gateway. */
export const pskText = (): string =>
  roles
    .map(({ name }) => keyOf(name))
    .map(({ identity, key }) => `${identity}:${key}\n`)
    .join('')
