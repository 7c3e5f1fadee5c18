// Captures as tshark reads them: packets of both IP versions around every kind of datagram.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { pcapngHeader, pcapngPacket } from '../../../src/console/capture/pcapng.ts'
import type { WatchedPacket } from '../../../src/console/contract/live.ts'
import { fromHex, largeVectors, vectors } from '../../codec/vectors.ts'
import { haveTshark } from '../../support/tshark.ts'

let directory: string
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'capture-'))
})
afterAll(() => rmSync(directory, { recursive: true }))

/**
 * Sound messages that tshark 4.0 finds malformed wherever it reads them: WILLTOPIC and WILLTOPICUPD without flags, and
 * encapsulations with a node id of more than 4 octets.
 */
const FAULT_OF_TSHARK = /^(02|010004)(07|1a)$|^(0[89a-f]|[1-9a-f].)fe/

const local = { address: '192.0.2.1', port: 1884 }

const packet = (more: Partial<WatchedPacket> = {}): WatchedPacket => ({
  at: 1_700_000_000_123.456,
  direction: 'received',
  clientId: 'dev1',
  address: '192.0.2.7',
  port: 5000,
  listener: 'field',
  bytes: fromHex('0217'),
  type: 'PINGRESP',
  topic: undefined,
  lines: [],
  text: '',
  refused: undefined,
  repeated: false,
  ...more,
})

/** What tshark reads in these fields, a row for each packet. */
function read(blocks: readonly Uint8Array[], ...fields: string[]): string[][] {
  const file = join(directory, `${Math.random()}.pcapng`)
  writeFileSync(file, Buffer.concat([pcapngHeader(), ...blocks]))
  const checks = ['-o', 'ip.check_checksum:TRUE', '-o', 'udp.check_checksum:TRUE']
  const text = execFileSync(
    'tshark',
    [
      '-n',
      '-r',
      file,
      '-d',
      'udp.port==1884,mqttsn',
      ...checks,
      '-T',
      'fields',
      ...fields.flatMap((field) => ['-e', field]),
    ],
    { stdio: ['ignore', 'pipe', 'ignore'], env: { ...process.env, TZ: 'UTC' } },
  )
  return text
    .toString()
    .split('\n')
    .slice(0, -1)
    .map((line) => line.split('\t'))
}

describe.runIf(haveTshark)('a capture in tshark', () => {
  it('has real addresses, ports, times and directions, and comments that say whose packet it is', () => {
    const rows = read(
      [
        pcapngPacket(packet(), local),
        pcapngPacket(
          packet({
            direction: 'sent',
            at: 1_700_000_001_000,
            type: 'PUBLISH',
            topic: 'room/temp',
            repeated: true,
          }),
          local,
        ),
      ],
      ...[
        'frame.time_epoch',
        'ip.src',
        'udp.srcport',
        'ip.dst',
        'udp.dstport',
        'frame.packet_flags_direction',
      ],
      ...['frame.comment', '_ws.malformed'],
    )
    expect(rows).toEqual([
      [
        '1700000000.123456000',
        '192.0.2.7',
        '5000',
        '192.0.2.1',
        '1884',
        '0x00000001',
        'dev1: PINGRESP on field',
        '',
      ],
      [
        ...['1700000001.000000000', '192.0.2.1', '1884', '192.0.2.7', '5000', '0x00000002'],
        ...['dev1: PUBLISH room/temp (again) on field', ''],
      ],
    ])
  })

  it.each([
    ['192.0.2.7', '192.0.2.1'],
    ['2001:db8::7', '2001:db8::1'],
  ])('reads every message, encapsulated ones and 3-octet lengths too, between %s and %s', (address, here) => {
    const known = vectors.map(({ hex }) => fromHex(hex))
    const long = largeVectors.map(({ hexPrefix, fillByte, fillCount }) =>
      fromHex(hexPrefix + fillByte.repeat(fillCount)),
    )
    const all = [...known, ...long.filter((bytes) => bytes.length < 65_000)]
    const rows = read(
      all.map((bytes) => pcapngPacket(packet({ address, bytes }), { address: here, port: 1884 })),
      ...['mqttsn.msg.type', '_ws.malformed', 'udp.checksum.status', 'ip.checksum.status', 'udp.payload'],
    )
    expect(rows.map((row) => row[4])).toEqual(all.map((bytes) => Buffer.from(bytes).toString('hex')))
    const good = here.includes(':') ? '' : '1'
    const wrong = rows.filter(([type, bad, udp, ip, payload]) => {
      const soundMessage = type !== '' && (bad === '' || FAULT_OF_TSHARK.test(payload ?? ''))
      return !soundMessage || udp !== '1' || ip !== good
    })
    expect(wrong).toEqual([])
    expect(rows.length).toBeGreaterThan(145)
  })

  it('writes addresses of either version, however they are spelt', () => {
    const cases = [
      ['192.0.2.7', '0.0.0.0', '192.0.2.7', '0.0.0.0', '', ''],
      ['::ffff:192.0.2.7', '::', '192.0.2.7', '0.0.0.0', '', ''],
      ['fe80::1%eth0', 'fe80::2%eth0', '', '', 'fe80::1', 'fe80::2'],
      ['::1', '::1', '', '', '::1', '::1'],
      ['1:2:3:4:5:6:7:8', '64:ff9b::192.0.2.33', '', '', '1:2:3:4:5:6:7:8', '64:ff9b::c000:221'],
      ['2001:db8::', '192.0.2.1', '', '', '2001:db8::', '::'],
      ['/dev/ttyUSB0', '192.0.2.1', '0.0.0.0', '192.0.2.1', '', ''],
      ['::zz', '::1', '0.0.0.0', '0.0.0.0', '', ''],
    ]
    const rows = read(
      cases.map(([address = '', here = '']) =>
        pcapngPacket(packet({ address }), { address: here, port: 1884 }),
      ),
      ...['ip.src', 'ip.dst', 'ipv6.src', 'ipv6.dst'],
    )
    expect(rows).toEqual(cases.map((row) => row.slice(2)))
  })

  it('holds octets of any number and content, and comments of any length', () => {
    const rows = read(
      [
        pcapngPacket(packet({ bytes: new Uint8Array(0), clientId: undefined }), local),
        pcapngPacket(packet({ bytes: Uint8Array.of(255), clientId: 'a\u001b[2J\n' }), local),
        pcapngPacket(packet({ bytes: new Uint8Array(65_507).fill(255), topic: 'é'.repeat(40_000) }), local),
        pcapngPacket(packet({ bytes: new Uint8Array(70_000) }), local),
        pcapngPacket(packet(), local),
      ],
      ...['udp.length', 'frame.comment', '_ws.malformed'],
    )
    expect(rows.map(([length]) => length)).toEqual(['8', '9', '65515', '65515', '10'])
    expect(rows[0]?.[1]).toBe('unknown sensor: PINGRESP on field')
    expect(rows[1]?.[1]).not.toContain('\u001b')
    expect(rows[2]?.[1]).toContain('é'.repeat(500))
  })
})

it('is made of blocks whose length stands at both ends and is a multiple of four', () => {
  const capture = Buffer.concat([
    pcapngHeader(),
    ...[0, 1, 2, 3].map((length) => pcapngPacket(packet({ bytes: new Uint8Array(length) }), local)),
  ])
  const types: number[] = []
  for (let at = 0; at < capture.length; ) {
    const length = capture.readUInt32LE(at + 4)
    expect(length % 4).toBe(0)
    expect(capture.readUInt32LE(at + length - 4)).toBe(length)
    types.push(capture.readUInt32LE(at))
    at += length
  }
  expect(types).toEqual([0x0a0d0d0a, 1, 6, 6, 6, 6])
})
