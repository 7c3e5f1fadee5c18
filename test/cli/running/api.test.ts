// Requests and event streams of the commands that look into a running gateway, against small servers of this test.

import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import {
  askApi,
  askJson,
  escapeControls,
  type LiveEvent,
  liveEvents,
  readEvents,
} from '../../../src/cli/running/api.ts'
import { amount, clock, size, span } from '../../../src/cli/terminal/quantities.ts'

const servers = new Set<Server>()
afterEach(async () => {
  for (const server of servers) {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  servers.clear()
})

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  servers.add(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function eventsOf(...pieces: (string | Uint8Array)[]): Promise<LiveEvent[]> {
  async function* chunks() {
    for (const piece of pieces) yield typeof piece === 'string' ? Buffer.from(piece) : piece
  }
  const events: LiveEvent[] = []
  for await (const event of readEvents(chunks())) events.push(event)
  return events
}

it('reads events, however they are cut, ended and commented', async () => {
  const one = { event: 'state', data: { a: 'ü\u2028' } }
  const text = `: hello\n\nretry: 2000\n\nevent: state\ndata: ${JSON.stringify(one.data)}\n\ndata:[1,\ndata: 2]\n\n`
  const expected = [one, { event: 'message', data: [1, 2] }]
  expect(await eventsOf(text)).toEqual(expected)
  expect(await eventsOf(...[...Buffer.from(text)].map((octet) => Uint8Array.of(octet)))).toEqual(expected)
  expect(await eventsOf(...text.replaceAll('\n', '\r\n'))).toEqual(expected)
})

it('skips what is no event of ours, and ends at one that never ends', async () => {
  expect(await eventsOf('data: no json\n\nevent: x\n\ndata: 1\n\n', 'data: 2')).toEqual([
    { event: 'message', data: 1 },
  ])
  const endless = async () => eventsOf(...new Array<string>(70).fill('x'.repeat(65_536)))
  await expect(endless()).rejects.toThrow('too long')
})

it('sends the token, and says why it was refused', async () => {
  const url = await serve(({ headers }, response) => {
    if (headers.authorization === 'Bearer right') response.end('{"ok":true}')
    else if (headers.authorization === undefined) response.writeHead(401).end('{"message":"?"}')
    else response.writeHead(503).end(JSON.stringify({ message: 'too many \u001b[2J' }))
  })
  expect(await askJson({ url, token: 'right' }, '/api/gateway')).toEqual({ ok: true })
  await expect(askApi({ url }, '/')).rejects.toMatchObject({
    exitCode: 1,
    status: 401,
    message: `${url}: it wants a token: --token or MQTTSN_TOKEN`,
  })
  await expect(askApi({ url, token: 'wrong' }, '/')).rejects.toMatchObject({
    exitCode: 1,
    status: 503,
    message: `${url}: too many \\u{1b}[2J`,
  })
})

it('keeps a path before the API, and follows no redirection', async () => {
  const url = await serve((request, response) => {
    if (request.url === '/behind/proxy/api/gateway') response.end('1')
    else response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end()
  })
  expect(await askJson({ url: `${url}/behind/proxy` }, '/api/gateway')).toBe(1)
  await expect(askApi({ url }, '/')).rejects.toMatchObject({
    exitCode: 1,
    message: `${url}: answered with status 302`,
  })
})

it('tells something else that answers from a gateway', async () => {
  const url = await serve((_, response) => response.end('<h1>hello</h1>'))
  await expect(askJson({ url }, '/')).rejects.toMatchObject({
    exitCode: 3,
    message: `no gateway's console at ${url}: it answers, but not with JSON`,
  })
})

it('follows a stream over its ends, tells once that it is gone, and ends at the signal', async () => {
  let count = 0
  const url = await serve((_, response) => {
    count += 1
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(`data: ${count}\n\n`)
    if (count === 1) response.end()
    if (count === 2) setImmediate(() => response.destroy())
  })
  const lost: string[] = []
  const controller = new AbortController()
  const seen: unknown[] = []
  for await (const { data } of liveEvents({ url }, '/api/events', controller.signal, (why) =>
    lost.push(why),
  )) {
    seen.push(data)
    if (data === 3) controller.abort()
  }
  expect(seen).toEqual([1, 2, 3])
  expect(lost).toHaveLength(2)
  expect(lost[0]).toBe('it ended the stream')
})

it('does not insist where it is refused, first or later', async () => {
  let count = 0
  const url = await serve((_, response) => {
    count += 1
    if (count === 1) response.end('data: 1\n\n')
    else response.writeHead(401).end()
  })
  const read = async () => {
    for await (const _ of liveEvents({ url }, '/', new AbortController().signal, () => {}));
  }
  await expect(read()).rejects.toMatchObject({ exitCode: 1 })
  expect(count).toBe(2)
  await expect(read()).rejects.toMatchObject({ exitCode: 1 })
})

it('writes what could act on a terminal as escapes', () => {
  expect(escapeControls('a\u001b]0;x\u0007\r\n\u202e\u0000ü')).toBe(
    'a\\u{1b}]0;x\\u{7}\\u{d}\\u{a}\\u{202e}\\u{0}ü',
  )
})

it('writes times, sizes and numbers for people', () => {
  const spans: [number, string][] = [
    [0.04, '0.0 ms'],
    [9.94, '9.9 ms'],
    [9.96, '10 ms'],
    [999.4, '999 ms'],
    [999.6, '1.0 s'],
    [59_940, '59.9 s'],
    [59_960, '1 min 0 s'],
    [3_599_400, '59 min 59 s'],
    [3_599_600, '1 h 0 min'],
    [90_000_000, '1 d 1 h'],
  ]
  expect(spans.map(([milliseconds]) => span(milliseconds))).toEqual(spans.map(([, text]) => text))
  expect([0, 1023, 1024, 10_240, 104_857, 4 * 1024 ** 2, 5e15].map(size)).toEqual([
    ...['0 B', '1023 B', '1.0 KiB', '10.0 KiB', '102 KiB', '4.0 MiB', '4547 TiB'],
  ])
  expect([amount(0, 'packet'), amount(1, 'packet'), amount(2, 'packet')]).toEqual([
    ...['0 packets', '1 packet', '2 packets'],
  ])
  expect(clock(new Date(2026, 0, 2, 3, 4, 5, 6).getTime())).toBe('03:04:05.006')
})
