// What another machine can cause at the port for links, in the cluster and out of it: bounded, and said in words that help.

import { connect, type Socket } from 'node:net'
import { expect, it, onTestFinished } from 'vitest'
import { FrameType, frameHeader } from '../../../src/cluster/links/frames.ts'
import { createGreeting, prove } from '../../../src/cluster/links/greeting.ts'
import { linkAddressOf } from '../../../src/cluster/links/peering.ts'
import { until } from '../../support/gateway.ts'
import { Nodes } from './open-nodes.ts'

/** Octets in frames. */
const framed = (type: FrameType, body: string | Uint8Array): Buffer =>
  Buffer.concat([frameHeader(type, body.length), Buffer.from(body)])

const ABOUT = { cluster: 'c', node: 'a', incarnation: 1, version: '1', listeners: ['field'] }
const greeted = () => framed(FrameType.greeting, JSON.stringify(createGreeting(ABOUT, undefined, 'b')))
const proof = framed(
  FrameType.proof,
  JSON.stringify({ proof: prove(undefined, 'dialer', new Uint8Array(), new Uint8Array()), time: 1 }),
)

function call(port: number): { socket: Socket; isClosed(): boolean } {
  const socket = connect(port, '127.0.0.1')
  onTestFinished(() => void socket.destroy())
  let isClosed = false
  socket.on('close', () => {
    isClosed = true
  })
  socket.on('error', () => {})
  return { socket, isClosed: () => isClosed }
}

it('a node that says all that it must and never reads is given up before it fills the memory of others', async () => {
  const b = await new Nodes().open('b')
  const { socket } = call(b.links.port)
  socket.write(Buffer.concat([greeted(), proof]))
  socket.pause()
  const beat = setInterval(() => socket.write(framed(FrameType.ping, new Uint8Array(8))), 200)
  onTestFinished(() => clearInterval(beat))
  await until(() => b.links.up().length === 1)
  const message = { type: 'told', part: 'x'.repeat(100_000) }
  let sent = 0
  for (; b.links.to('a') !== undefined && sent < 2000; sent += 1) b.links.to('a')?.sendMessage(message)
  expect(b.links.up()).toEqual([])
  expect(sent).toBeLessThan(1000)
  expect(b.said.join()).toContain('it does not take what it is sent')
})

it('a batch that was sent at no time ends the link: nothing of it could grow too old (R3)', async () => {
  const b = await new Nodes().open('b')
  const { socket, isClosed } = call(b.links.port)
  socket.resume()
  const batch = new Uint8Array(12)
  new DataView(batch.buffer).setFloat64(0, Number.NaN)
  socket.write(Buffer.concat([greeted(), proof, framed(FrameType.forward, batch)]))
  await until(isClosed)
  expect(b.batches).toEqual([])
})

it('callers that say nothing do not keep a node of the cluster out, however many they are', async () => {
  const b = await new Nodes().open('b')
  const silent = Array.from({ length: 100 }, () => call(b.links.port))
  await until(() => silent.filter(({ isClosed }) => isClosed()).length >= 36)
  const { socket } = call(b.links.port)
  socket.resume()
  socket.write(Buffer.concat([greeted(), proof]))
  await until(() => b.links.up().length === 1)
})

it('of what a stranger says a few letters are repeated in the log, and nothing that is no letter', async () => {
  const b = await new Nodes().open('b')
  const { socket, isClosed } = call(b.links.port)
  const strange = { ...ABOUT, node: 'n\u001b[31m'.repeat(100), listeners: ['\nfake line'.repeat(100)] }
  socket.resume()
  socket.write(framed(FrameType.greeting, JSON.stringify(createGreeting(strange, undefined, 'b'))))
  await until(isClosed)
  const { node = '', why = '' } = b.links.lastRefused ?? {}
  expect(why).toContain('fake line')
  expect(node + why).not.toMatch(/\p{C}/u)
  expect([node.length, why.length].every((length) => length < 500)).toBe(true)
})

it('a node whose address leads back to the one who calls is told from one of the same name, and the key is named', async () => {
  const nodes = new Nodes()
  const a = await nodes.open('a')
  nodes.add('b', a.links.port)
  nodes.change()
  await until(() => /cluster\.advertise/.test(a.links.states()[0]?.why ?? ''))
  expect(a.links.states()).toMatchObject([
    {
      node: 'b',
      isUp: false,
      why: 'the address of node b leads back to node a: give node b an address at which others reach it (cluster.advertise)',
    },
  ])
})

it('an address with a port that there cannot be is none', () => {
  expect(linkAddressOf('10.0.0.11:65536')).toBeUndefined()
  expect(linkAddressOf('10.0.0.11:0')).toBeUndefined()
})
