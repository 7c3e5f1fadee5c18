// Linux's tables of UDP sockets, /proc/net/udp and udp6: how they are read, and how they write addresses.

import { readFileSync } from 'node:fs'
import { endianness } from 'node:os'
import { type Endpoint, withoutZone } from '../address.ts'

/** The system's table; throws where there is none. Written anew for each look, a line per socket of the whole machine. */
export const readTable = (family: Endpoint['family']): string =>
  readFileSync(family === 6 ? '/proc/net/udp6' : '/proc/net/udp', 'latin1')

/** An address as the tables write it: each 32-bit word as a number of the machine, then the port, all in hex. */
export function writtenAddress({ host, port, family }: Endpoint): string {
  const octets = family === 6 ? octetsOf6(withoutZone(host)) : host.split('.').map(Number)
  const words: number[][] = []
  for (let at = 0; at < octets.length; at += 4) words.push(octets.slice(at, at + 4))
  if (endianness() === 'LE') for (const word of words) word.reverse()
  return `${words.flat().map(hexOf(2)).join('')}:${hexOf(4)(port)}`
}

/** The IPv4 address and the port in a field of a table. */
export function readAddress4(written: string): { host: string; port: number } {
  const [word = '', port = ''] = written.split(':')
  const octets = [0, 2, 4, 6].map((at) => Number.parseInt(word.slice(at, at + 2), 16))
  if (endianness() === 'LE') octets.reverse()
  return { host: octets.join('.'), port: Number.parseInt(port, 16) }
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
