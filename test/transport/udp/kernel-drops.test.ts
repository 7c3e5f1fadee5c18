// Reading /proc/net/udp and udp6. The tables are written as Linux prints them on a little-endian machine.

import { endianness } from 'node:os'
import { describe, expect, it } from 'vitest'
import { dropsIn, kernelDrops, totalKernelDrops } from '../../../src/transport/udp/kernel-drops.ts'

const HEAD =
  '   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n'
const row = (local: string, drops: number) =>
  `  123: ${local} 00000000:0000 07 00000000:00000000 00:00000000 00000000  1000        0 4711 2 00000000aabbccdd ${drops}\n`

describe.skipIf(endianness() !== 'LE')('kernel drops', () => {
  it('are those of the bound address and port, not of a neighbour on the same port', () => {
    const table = HEAD + row('00000000:075C', 1) + row('0100007F:075C', 22) + row('0100007F:075D', 3)
    expect(dropsIn(table, { host: '127.0.0.1', port: 1884, family: 4 })).toBe(22)
    expect(dropsIn(table, { host: '0.0.0.0', port: 1884, family: 4 })).toBe(1)
  })

  it.each([
    ['::1', '00000000000000000000000001000000'],
    ['::', '00000000000000000000000000000000'],
    ['fe80::fc:ff:fe00:1%eth0', '000080FE00000000FF00FC00010000FE'],
    ['2001:db8:1:2:3:4:5:6', 'B80D0120020001000400030006000500'],
    ['::ffff:127.0.0.1', '0000000000000000FFFF00000100007F'],
  ])('are found for %s', (host, written) => {
    expect(dropsIn(HEAD + row(`${written}:0016`, 5), { host, port: 22, family: 6 })).toBe(5)
  })

  it('are looked up once a second, however often they are asked for', () => {
    const tables = [HEAD + row('0100007F:075C', 1), HEAD + row('0100007F:075C', 2), '']
    let looks = 0
    const at = (time: number) => ({ now: () => time, read: () => tables[looks++] ?? '' })
    const bound = { host: '127.0.0.1', port: 1884, family: 4 } as const
    expect([10, 11, 1009].map((time) => kernelDrops(bound, at(time)))).toEqual([1, 1, 1])
    expect(looks).toBe(1)
    expect(kernelDrops({ ...bound }, at(1009))).toBe(2) // another transport at the same address
    expect(kernelDrops(bound, at(1010))).toBeUndefined()
    expect(kernelDrops(bound, at(1011))).toBeUndefined()
    expect(looks).toBe(3)
  })

  it('rest for 200 times as long as a look took, on a machine with thousands of sockets', () => {
    let time = 0
    let looks = 0
    const slow = {
      now: () => time,
      read: () => {
        time += 14
        looks += 1
        return HEAD + row('0100007F:075C', looks) + row('0100007F:075D', looks)
      },
    }
    const bound = [1884, 1885].map((port) => ({ host: '127.0.0.1', port, family: 4 }) as const)
    expect(totalKernelDrops(bound, slow)).toBe(2)
    expect(looks).toBe(1)
    time = 14 + 200 * 14 - 1
    expect(totalKernelDrops(bound, slow)).toBe(2)
    time += 1
    expect(totalKernelDrops(bound, slow)).toBe(4)
    expect(looks).toBe(2)
  })

  it('are undefined when the socket is not in the table', () => {
    expect(dropsIn(HEAD, { host: '127.0.0.1', port: 1884, family: 4 })).toBeUndefined()
    expect(dropsIn('', { host: '::1', port: 1884, family: 6 })).toBeUndefined()
  })
})
