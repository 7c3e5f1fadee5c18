// Datagrams that the kernel threw away because the receive buffer was full, read from Linux's /proc.

import { readFileSync } from 'node:fs'
import { endianness } from 'node:os'
import { type Endpoint, withoutZone } from './address.ts'

/** Kernel drops of the socket bound to an address since it was opened; undefined if the system does not tell. */
export function kernelDrops(bound: Endpoint): number | undefined {
  try {
    return dropsIn(readFileSync(bound.family === 6 ? '/proc/net/udp6' : '/proc/net/udp', 'latin1'), bound)
  } catch {
    return undefined
  }
}

/** Finds the row of a bound address in the text of /proc/net/udp or udp6; its last column counts drops. */
export function dropsIn(table: string, bound: Endpoint): number | undefined {
  const local = localAddress(bound)
  const row = table
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .find((columns) => columns[1] === local)
  const drops = Number(row?.at(-1))
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
