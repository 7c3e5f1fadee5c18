// Datagrams that the kernel threw away because the receive buffer was full, read from Linux's /proc.

import { readFileSync } from 'node:fs'
import { endianness } from 'node:os'
import { type Endpoint, withoutZone } from '../address.ts'

/** How long a count holds, milliseconds: the system writes a line per socket of the whole machine for each look. */
const FRESH = 1000

/** The last look at each address; only as long as its transport lives. */
const looks = new WeakMap<Endpoint, { readonly at: number; readonly drops: number | undefined }>()

/**
 * Kernel drops of the socket bound to an address since it was opened, at most a second old; undefined if the system
 * does not tell. `now` is in milliseconds, `read` gives the system's table.
 */
export function kernelDrops(bound: Endpoint, now = performance.now(), read = tableOf): number | undefined {
  const last = looks.get(bound)
  if (last !== undefined && now - last.at < FRESH) return last.drops
  const drops = look(bound, read)
  looks.set(bound, { at: now, drops })
  return drops
}

function look(bound: Endpoint, read: (family: Endpoint['family']) => string): number | undefined {
  try {
    return dropsIn(read(bound.family), bound)
  } catch {
    return undefined
  }
}

const tableOf = (family: Endpoint['family']): string =>
  readFileSync(family === 6 ? '/proc/net/udp6' : '/proc/net/udp', 'latin1')

/** Finds the row of a bound address in the text of /proc/net/udp or udp6; its last column counts drops. */
export function dropsIn(table: string, bound: Endpoint): number | undefined {
  const from = table.indexOf(`: ${localAddress(bound)} `)
  if (from < 0) return undefined
  const drops = Number(table.slice(from, table.indexOf('\n', from)).trim().split(/\s+/).at(-1))
  return Number.isInteger(drops) ? drops : undefined
}

/** As /proc writes it: each 32-bit word of the address as a number of the machine, then the port, all in hex. */
function localAddress({ host, port, family }: Endpoint): string {
  const octets = family === 6 ? octetsOf6(withoutZone(host)) : host.split('.').map(Number)
  const words: number[][] = []
  for (let at = 0; at < octets.length; at += 4) words.push(octets.slice(at, at + 4))
  if (endianness() === 'LE') for (const word of words) word.reverse()
  return `${words.flat().map(hexOf(2)).join('')}:${hexOf(4)(port)}`
}

function octetsOf6(address: string): number[] {
  // URL brings every way of writing an IPv6 address into one: groups of hex digits, at most one "::".
  const [left = '', right] = new URL(`udp://[${address}]`).hostname.slice(1, -1).split('::')
  const head = left === '' ? [] : left.split(':')
  const tail = right === undefined || right === '' ? [] : right.split(':')
  const zeros = Array<string>(8 - head.length - tail.length).fill('0')
  return [...head, ...zeros, ...tail].flatMap((group) => {
    const value = Number.parseInt(group, 16)
    return [value >> 8, value & 0xff]
  })
}

const hexOf = (digits: number) => (value: number) => value.toString(16).toUpperCase().padStart(digits, '0')
