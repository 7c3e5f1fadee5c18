// What a forwarder gets for its nodes over real UDP: octets in, octets out [5.5].

import { afterAll, beforeAll, expect, it } from 'vitest'
import { fromHex, toHex } from '../codec/vectors.ts'
import { type Endpoint, openEndpoint } from '../support/endpoint.ts'
import { TestGateway } from '../support/gateway.ts'

let test: TestGateway
let port: number
const endpoints: Endpoint[] = []

beforeAll(async () => {
  const listener = { url: 'udp://127.0.0.1:0', forwarders: ['127.0.0.1'] }
  test = await TestGateway.start('embedded', { gateway: { id: 7 }, listeners: [listener] })
  port = Number(new URL(test.url()).port)
})

afterAll(async () => {
  await Promise.all(endpoints.map((endpoint) => endpoint.close()))
  await test?.stop()
})

/** Sends one datagram from a fresh port, and gives the answer. */
async function ask(hex: string): Promise<string> {
  const endpoint = await openEndpoint('127.0.0.1')
  endpoints.push(endpoint)
  await endpoint.send(fromHex(hex), port, '127.0.0.1')
  return toHex((await endpoint.next()).bytes)
}

it.each([
  [1, '030101', 1],
  [3, '030103', 3],
  [0, '030100', 3],
  [4, '030104', 3],
  [255, '0301ff', 3],
])(
  'answers SEARCHGW of radius %i to the node that asked, Ctrl radius in two bits [SN-FWD-7, SN-COD-8]',
  async (_, search, ctrl) => {
    expect(await ask(`05fe001234${search}`)).toBe(`05fe0${ctrl}1234030207`)
  },
)

it('answers other messages of a node with Ctrl radius 0, whatever Ctrl it sent [SN-FWD-3, SN-FWD-6]', async () => {
  expect(await ask('05feff12340216')).toBe('05fe0012340218')
})
