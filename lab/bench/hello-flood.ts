// A stranger: sends forged hellos to a DTLS listener at a rate, until it is ended. A process of its own, beside the load of the bench.
//   hello-flood PORT RATE

import { randomFillSync } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { DtlsClient } from '../../src/dtls/client/client.ts'
import { systemChance } from '../../src/dtls/crypto/chance.ts'
import type { Effect } from '../../src/dtls/effects.ts'

/** Milliseconds between two volleys. */
const STEP = 5
/** Where the random octets of a hello stand: behind the headers of record and message, and the version. */
const RANDOM = 13 + 12 + 2

const [port = 0, rate = 0] = process.argv.slice(2).map(Number)
const out: Effect[] = []
const remote = { address: '127.0.0.1', port }
new DtlsClient({ remote, psk: { identity: 'stranger', key: new Uint8Array(16) } }, systemChance).start({
  now: 0,
  wall: 0,
  out,
})
const [hello] = out
if (hello?.type !== 'send') throw new Error('a client begins with its hello')
const bytes = Buffer.from(hello.bytes)
const socket = createSocket('udp4')
socket.on('error', () => {})
socket.connect(port, '127.0.0.1', () => {
  console.log('flooding')
  let sent = 0
  const begin = performance.now()
  setInterval(() => {
    const due = Math.min(((performance.now() - begin) * rate) / 1000, sent + (rate * STEP * 4) / 1000)
    for (; sent < due; sent++) {
      randomFillSync(bytes, RANDOM, 32)
      socket.send(Buffer.from(bytes))
    }
  }, STEP)
})
