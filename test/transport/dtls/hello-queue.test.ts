// Who is served first on a DTLS link: everybody with a session, then hellos with a cookie, then the others, as many as time is for.

import { describe, expect, it } from 'vitest'
import { DtlsClient } from '../../../src/dtls/client/client.ts'
import { systemChance } from '../../../src/dtls/crypto/chance.ts'
import type { Effect } from '../../../src/dtls/effects.ts'
import { peekHello } from '../../../src/dtls/server/opening/peek-hello.ts'
import { DtlsServer } from '../../../src/dtls/server/server.ts'
import { HelloQueue } from '../../../src/transport/dtls/hello-queue.ts'

const KEY = new Uint8Array(16)
const remote = { address: '127.0.0.1', port: 5 }
const sentIn = (out: readonly Effect[]): Uint8Array =>
  out.flatMap((effect) => (effect.type === 'send' ? [effect.bytes] : []))[0] ?? new Uint8Array()

/** The two hellos of one client. */
function hellos(): { bare: Uint8Array; withCookie: Uint8Array } {
  const turn = (out: Effect[]) => ({ now: 0, wall: 0, out })
  const client = new DtlsClient({ remote, psk: { identity: 'meter-1', key: KEY } }, systemChance)
  const server = new DtlsServer({ findKey: () => KEY }, systemChance)
  const first: Effect[] = []
  client.start(turn(first))
  const asked: Effect[] = []
  server.receive(Uint8Array.from(sentIn(first)), remote, turn(asked))
  const second: Effect[] = []
  client.receive(sentIn(asked), turn(second))
  return { bare: sentIn(first), withCookie: sentIn(second) }
}

const { bare, withCookie } = hellos()
const record = Uint8Array.of(23, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0)
const nextTurn = () => new Promise((resolve) => setImmediate(resolve))

function queue() {
  const answered: string[] = []
  let dropped = 0
  const waiting = new HelloQueue(
    (bytes) => answered.push(bytes === bare ? 'bare' : 'with cookie'),
    () => dropped++,
  )
  return { answered, waiting, dropped: () => dropped }
}

describe('the queue of hellos', () => {
  it('tells hellos with a cookie from those without, and both from all else', () => {
    expect([peekHello(bare), peekHello(withCookie), peekHello(record)]).toEqual([
      'bare',
      'with-cookie',
      undefined,
    ])
    const broken = [new Uint8Array(), bare.subarray(0, 20), bare.subarray(0, 13)]
    for (const bytes of broken) expect(() => peekHello(bytes)).not.toThrow()
  })

  it('lets those with a session pass, and answers hellos when the turn is over, with a cookie first', async () => {
    const { answered, waiting } = queue()
    expect(waiting.takes(record, remote)).toBe(false)
    for (const bytes of [bare, bare, withCookie]) expect(waiting.takes(bytes, remote)).toBe(true)
    expect(answered).toEqual([])
    await nextTurn()
    expect(answered).toEqual(['with cookie', 'bare', 'bare'])
  })

  it('answers few of a flood while more datagrams wait, and all of them once the socket is empty', async () => {
    const { answered, waiting, dropped } = queue()
    for (let turn = 1; turn <= 3; turn++) {
      // as many as are read at once
      for (let count = 0; count < 32; count++) waiting.takes(bare, remote)
      await nextTurn()
      expect(answered.length).toBeGreaterThan(0)
      expect(answered.length).toBeLessThan(10 * turn)
    }
    for (let count = 0; count < 4; count++) waiting.takes(bare, remote)
    await expect.poll(() => answered.length).toBe(100)
    expect(dropped()).toBe(0)
  })

  it('drops what is too much, tells of each, and still answers those with a cookie', async () => {
    const { answered, waiting, dropped } = queue()
    for (let count = 0; count < 2000; count++) waiting.takes(bare, remote)
    expect(dropped()).toBeGreaterThan(1000)
    waiting.takes(withCookie, remote)
    await nextTurn()
    expect(answered[0]).toBe('with cookie')
    waiting.close()
  })

  it('keeps nothing that is too long for a hello, and nothing after its end', async () => {
    const { answered, waiting } = queue()
    const long = new Uint8Array(10_000)
    long.set(bare)
    expect(waiting.takes(long, remote)).toBe(false)
    waiting.takes(bare, remote)
    waiting.close()
    await nextTurn()
    expect(answered).toEqual([])
  })
})
