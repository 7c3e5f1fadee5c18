// Links between nodes over TCP: who is let in, what comes over, and what happens when one of them goes.

import { connect, createServer, type Server } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { CREDIT } from '../../../src/cluster/links/connection.ts'
import { FrameType, frameHeader } from '../../../src/cluster/links/frames.ts'
import { linkAddressOf } from '../../../src/cluster/links/peering.ts'
import { freePort } from '../../support/broker.ts'
import { until } from '../../support/gateway.ts'
import { type NodeOptions, Nodes } from './open-nodes.ts'

describe('two nodes', () => {
  it('have one connection, which the one with the smaller name makes, and tell each other what they like', async () => {
    const nodes = new Nodes()
    const [b, a] = [
      await nodes.open('b', { secret: 'the same' }),
      await nodes.open('a', { secret: 'the same' }),
    ]
    await until(() => a.links.up().length === 1 && b.links.up().length === 1)
    a.links.to('b')?.sendMessage({ type: 'look' })
    b.links.to('a')?.sendBatch('answer', Buffer.from('one'), 1, performance.now())
    b.links.to('a')?.sendBatch('forward', Buffer.from('two'), 2, performance.now() - 700)
    await until(() => a.batches.length === 2 && b.messages.length === 1)
    expect(b.messages).toEqual([['a', { type: 'look' }]])
    expect(a.batches.map(({ from, kind, text, count }) => [from, kind, text, count])).toEqual([
      ['b', 'answer', 'one', 1],
      ['b', 'forward', 'two', 2],
    ])
    const [first, second] = a.batches.map(({ since }) => performance.now() - since)
    expect((second ?? 0) - (first ?? 0)).toBeGreaterThan(600)
    expect(a.links.states()).toMatchObject([{ node: 'b', isUp: true, why: undefined }])
    expect([a.links.refused, b.links.refused]).toEqual([0, 0])
  })

  it('do not send more than the other one has taken', async () => {
    const nodes = new Nodes()
    const [a, b] = [await nodes.open('a'), await nodes.open('b')]
    await until(() => a.links.up().length === 1)
    const link = a.links.to('b')
    expect(link?.credit).toBe(CREDIT)
    link?.sendBatch('forward', Buffer.from('x'), CREDIT - 10, performance.now())
    expect(link?.credit).toBe(10)
    await until(() => link?.credit === CREDIT)
    expect(b.batches).toHaveLength(1)
  })

  it('are linked again when one of them comes back, and not with one that was replaced', async () => {
    const nodes = new Nodes()
    const [a, b] = [await nodes.open('a'), await nodes.open('b')]
    await until(() => a.links.up().length === 1)
    const { port } = b.links
    b.links.close()
    await until(() => a.links.up().length === 0)
    await until(() => /ECONNREFUSED/.test(a.links.states()[0]?.why ?? ''))
    const again = await nodes.open('b', { port, incarnation: 2 })
    await until(() => a.links.up().length === 1 && again.links.up().length === 1)
    nodes.add('b', port, 3)
    nodes.change()
    await until(() => a.links.up().length === 0)
    expect(a.links.states()).toMatchObject([{ isUp: false, why: 'its process was replaced by another one' }])
    nodes.members.delete('b')
    nodes.change()
    expect(a.links.states()).toEqual([])
  })

  it('have no link where something differs that matters, and both say what', async () => {
    const cases: [NodeOptions, NodeOptions, RegExp][] = [
      [
        { secret: 'one secret' },
        { secret: 'another one' },
        /does not know the secret of this cluster \(cluster.secret\)/,
      ],
      [{ secret: 'one secret' }, {}, /cluster.secret is set (?:here and not there|there and not here)/],
      [{ about: { cluster: 'other' } }, {}, /another cluster: store.url differs/],
      [
        { about: { listeners: ['street', 'field'] } },
        {},
        /the same names in the same order \(listeners\[\].name\)/,
      ],
    ]
    for (const [one, other, why] of cases) {
      const nodes = new Nodes()
      const [a, b] = [await nodes.open('a', one), await nodes.open('b', other)]
      await until(() => b.links.refused > 0)
      await until(() => why.test(a.links.states()[0]?.why ?? ''))
      expect([a.links.up(), b.links.up()]).toEqual([[], []])
      await until(() => a.said.some((line) => line.startsWith('warn no link') && why.test(line)))
      expect(b.said.join()).toMatch(why)
    }
  })
})

describe('a node', () => {
  /** Octets in frames. */
  const framed = (type: FrameType, body: string | Uint8Array): Buffer =>
    Buffer.concat([frameHeader(type, body.length), Buffer.from(body)])
  const greeting = {
    ...{ protocol: 1, cluster: 'c', node: 'a', incarnation: 1, version: '1', listeners: ['field'] },
    ...{ hasSecret: false, nonce: 'x', time: 0, to: 'b' },
  }
  const hello = framed(FrameType.greeting, JSON.stringify(greeting))
  const proof = framed(FrameType.proof, JSON.stringify({ proof: '', time: 1 }))

  async function called(...words: readonly Uint8Array[]) {
    const b = await new Nodes().open('b')
    const socket = connect(b.links.port, '127.0.0.1')
    onTestFinished(() => void socket.destroy())
    let isClosed = false
    socket.on('close', () => {
      isClosed = true
    })
    socket.resume()
    for (const word of words) socket.write(word)
    return { b, isClosed: () => isClosed }
  }

  it('ends what does not speak as nodes do, at any point', async () => {
    const nonsense: (readonly Uint8Array[])[] = [
      [Buffer.from('GET / HTTP/1.1\r\n\r\n')],
      [proof],
      [framed(FrameType.greeting, 'no JSON')],
      [framed(FrameType.greeting, JSON.stringify({ ...greeting, incarnation: '1' }))],
      [hello, hello],
      [hello, framed(FrameType.forward, '')],
      [hello, framed(FrameType.proof, JSON.stringify({ proof: 'x', time: 1 }))],
      [hello, proof, framed(FrameType.forward, 'short')],
      [hello, proof, framed(FrameType.message, '{')],
      [hello, proof, framed(FrameType.message, '"nonsense"')],
      [hello, proof, framed(FrameType.ping, 'short')],
      [hello, proof, frameHeader(FrameType.forward, 0x7fffffff)],
      [framed(FrameType.greeting, JSON.stringify({ ...greeting, node: 'c' })), proof],
      [framed(FrameType.greeting, JSON.stringify({ ...greeting, node: 'b' })), proof],
      [framed(FrameType.greeting, JSON.stringify({ ...greeting, to: 'd' })), proof],
    ]
    for (const words of nonsense) {
      const { b, isClosed } = await called(...words)
      await until(isClosed)
      expect(b.links.up()).toEqual([])
    }
  })

  it('lets in who speaks well, and waits for nobody who says nothing', async () => {
    const well = await called(hello, proof)
    await until(() => well.b.links.up().length === 1)
    const silent = await called()
    await until(silent.isClosed)
    expect(silent.b.said.join()).toContain('it has not said who it is within 3 s')
    await until(well.isClosed) // it has said nothing for too long since then
    expect(well.b.links.up()).toEqual([])
  })

  it('calls one that does not answer again and again, and another one than it has meant never', async () => {
    const nodes = new Nodes()
    let calls = 0
    const mute: Server = createServer((socket) => {
      calls += 1
      socket.on('error', () => {})
      socket.destroy()
    })
    const port = await freePort()
    mute.listen(port, '127.0.0.1')
    onTestFinished(() => void mute.close())
    const c = await nodes.open('c')
    nodes.add('b', port)
    nodes.add('d', c.links.port)
    const a = await nodes.open('a')
    await until(() => calls > 2)
    await until(
      () =>
        a.links
          .states()
          .find(({ node }) => node === 'd')
          ?.why?.includes('node c answers at the address of node d') === true,
    )
    expect(a.links.up()).toEqual(['c'])
  })
})

it('an address of a link is read with names, IPv4 and IPv6', () => {
  expect(linkAddressOf('10.0.0.11:1886')).toEqual({ host: '10.0.0.11', port: 1886 })
  expect(linkAddressOf('[fd00::1]:1886')).toEqual({ host: 'fd00::1', port: 1886 })
  expect(linkAddressOf('gw-1.gateways:1886')).toEqual({ host: 'gw-1.gateways', port: 1886 })
  expect(linkAddressOf('nothing')).toBeUndefined()
})
