// tshark as the judge of our records: with the key log it reads every handshake and every message, connection ids included.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { pcapOf } from '../support/pcap.ts'
import { haveTshark } from '../support/tshark.ts'
import { findKey, World } from './world.ts'

const PORT = 8883

/** What tshark makes of all datagrams of a world: a line for each, with the messages of the application in hex. */
function dissected(world: World): { info: string; data: string }[] {
  const folder = mkdtempSync(join(tmpdir(), 'dtls-capture-'))
  try {
    const [capture, log] = [join(folder, 'capture.pcap'), join(folder, 'keys.log')]
    const datagrams = world.sent.map(({ direction, bytes, remote }) => ({
      bytes,
      from: direction === 'up' ? remote.port : PORT,
      to: direction === 'up' ? PORT : remote.port,
    }))
    writeFileSync(capture, pcapOf(datagrams))
    writeFileSync(
      log,
      world
        .of('keylog')
        .map(({ line }) => `${line}\n`)
        .join(''),
    )
    const how = [
      '-o',
      `tls.keylog_file:${log}`,
      '-d',
      `udp.port==${PORT},dtls`,
      '-d',
      `dtls.port==${PORT},data`,
    ]
    const fields = ['-T', 'fields', '-e', '_ws.col.Info', '-e', 'data.data', '-e', '_ws.malformed']
    const text = execFileSync('tshark', ['-r', capture, ...how, ...fields], {
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    return text
      .toString()
      .trimEnd()
      .split('\n')
      .map((line) => {
        const [info = '', data = '', malformed = ''] = line.split('\t')
        return { info: info + malformed, data: Buffer.from(data, 'hex').toString() }
      })
  } finally {
    rmSync(folder, { recursive: true })
  }
}

describe.skipIf(!haveTshark)('tshark', () => {
  // it knows no suite of ECDHE with keys; their records are like these
  const suites = { CCM_8: 0xc0a8, CCM: 0xc0a4, GCM: 0x00a8 } as const
  for (const [name, suite] of Object.entries(suites)) {
    for (const connectionIdLength of suite === suites.CCM_8 ? (['off', 0, 4] as const) : [4]) {
      it(`reads our ${name} with the key log, connection id of the client: ${connectionIdLength} [DTLS-RUN-5 in part]`, () => {
        const world = new World({ findKey, keyLog: true })
        const client = world.client({ suites: [suite], connectionIdLength }).start()
        client.send('hello there')
        world.answer('hi back')
        client.close()
        const seen = dissected(world)
        expect(seen.map(({ info }) => info)).toEqual([
          'Client Hello',
          'Hello Verify Request',
          'Client Hello',
          'Server Hello, Server Hello Done',
          'Client Key Exchange, Change Cipher Spec, Finished',
          'New Session Ticket, Change Cipher Spec, Finished',
          'Application Data',
          'Application Data',
          'Alert (Level: Warning, Description: Close Notify)',
          'Alert (Level: Warning, Description: Close Notify)',
        ])
        expect(seen.map(({ data }) => data).filter(Boolean)).toEqual(['hello there', 'hi back'])
      })
    }
  }
})
