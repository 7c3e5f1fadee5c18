// What `npm run chaos` has for several nodes and for a database: its plans, and its balancer.

import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { describe, expect, it, onTestFinished } from 'vitest'
import { planEngineTrouble } from '../../lab/chaos/engine-trouble.ts'
import { BalancedLink, Balancer, type Target } from '../../lab/chaos/nodes/balancer.ts'
import { LEASE, planNodeTroubles } from '../../lab/chaos/nodes/node-trouble.ts'
import { unsettledOf } from '../../lab/chaos/nodes/unsettled.ts'
import { describeTroubles, troublesSince } from '../../lab/chaos/tally.ts'

const TRAFFIC = 1500
const rounds = Array.from({ length: 300 }, (_, round) => round)
/** for a machine that is busy with other things */
const TIMEOUT = 30_000

/** A node that is ready as long as it is told to be, with a socket that answers when the test says so. */
async function startTarget(): Promise<Target & { isReady: boolean; socket: Socket; received: string[] }> {
  const server = createServer((_, response) => {
    response.statusCode = target.isReady ? 200 : 503
    response.end()
  })
  const socket = createSocket('udp4')
  server.listen(0, '127.0.0.1')
  socket.bind(0, '127.0.0.1')
  await Promise.all([once(server, 'listening'), once(socket, 'listening')])
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
    socket.close()
  })
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  const received: string[] = []
  const target = {
    port: socket.address().port,
    secure: 0,
    console: `http://127.0.0.1:${port}`,
    isReady: true,
    socket,
    received,
  }
  socket.on('message', (bytes) => received.push(String(bytes)))
  return target
}

function balance(...targets: Target[]): Balancer {
  const over = new AbortController()
  onTestFinished(() => over.abort())
  return new Balancer(targets, over.signal)
}

describe('the balancer of chaos', { timeout: TIMEOUT }, () => {
  it('keeps a sensor with its node as long as that is ready, and moves it to another one afterwards', async () => {
    const [one, two] = [await startTarget(), await startTarget()]
    two.isReady = false
    const balancer = balance(one, two)
    await expect.poll(() => balancer.ready, { timeout: TIMEOUT }).toEqual([one])
    expect(balancer.targetOf('c01')).toBe(one)
    two.isReady = true
    await expect.poll(() => balancer.ready, { timeout: TIMEOUT }).toEqual([one, two])
    expect(balancer.targetOf('c01')).toBe(one)
    one.isReady = false
    await expect.poll(() => balancer.targetOf('c01'), { timeout: TIMEOUT }).toBe(two)
    two.isReady = false
    await expect.poll(() => balancer.ready, { timeout: TIMEOUT }).toEqual([])
    expect([balancer.targetOf('c01'), balancer.moved]).toEqual([two, 1])
  })

  it('has sensors on all nodes that are ready', async () => {
    const [one, two] = [await startTarget(), await startTarget()]
    const balancer = balance(one, two)
    await expect.poll(() => balancer.ready.length, { timeout: TIMEOUT }).toBe(2)
    const targets = rounds.map((number) => balancer.targetOf(`sensor ${number}`))
    for (const target of [one, two])
      expect(targets.filter((each) => each === target).length).toBeGreaterThan(rounds.length / 4)
  })

  it('draws the nodes of all sensors anew when it is told to, and only among those that are ready', async () => {
    const targets = [await startTarget(), await startTarget(), await startTarget()]
    const balancer = balance(...targets)
    await expect.poll(() => balancer.ready.length, { timeout: TIMEOUT }).toBe(3)
    const names = rounds.map((number) => `sensor ${number}`)
    const before = names.map((name) => balancer.targetOf(name))
    const [first] = targets
    if (first !== undefined) first.isReady = false
    await expect.poll(() => balancer.ready.length, { timeout: TIMEOUT }).toBe(2)
    balancer.rehash(0.5)
    const after = names.map((name) => balancer.targetOf(name))
    const moved = after.filter((target, index) => target !== before[index]).length
    expect(after).not.toContain(first)
    expect(moved).toBeGreaterThan(rounds.length / 3)
    expect(moved).toBeLessThan(rounds.length)
    expect(balancer.moved).toBe(moved)
  })

  it('sees another sensor in one whose address has changed, and hears nothing for the old address', async () => {
    const one = await startTarget()
    const balancer = balance(one)
    await expect.poll(() => balancer.ready, { timeout: TIMEOUT }).toEqual([one])
    const link = new BalancedLink(balancer, 'c01')
    const got: string[] = []
    link.onMessage = (bytes) => got.push(String(bytes))
    await link.open()
    onTestFinished(() => link.close())
    const ports: number[] = []
    one.socket.on('message', (_, { port }) => ports.push(port))
    link.send(Buffer.from('before'))
    await expect.poll(() => ports.length, { timeout: TIMEOUT }).toBe(1)
    await link.move()
    link.send(Buffer.from('after'))
    await expect.poll(() => ports.length, { timeout: TIMEOUT }).toBe(2)
    expect(ports[0]).not.toBe(ports[1])
    one.socket.send('to the old one', ports[0])
    one.socket.send('to the new one', ports[1])
    await expect.poll(() => got, { timeout: TIMEOUT }).toEqual(['to the new one'])
  })

  it('lets the node answer that the sensor speaks to, and no other', async () => {
    const [one, two] = [await startTarget(), await startTarget()]
    two.isReady = false
    const balancer = balance(one, two)
    await expect.poll(() => balancer.ready, { timeout: TIMEOUT }).toEqual([one])
    const link = new BalancedLink(balancer, 'c01')
    const got: string[] = []
    link.onMessage = (bytes) => got.push(String(bytes))
    await link.open()
    onTestFinished(() => link.close())
    const asked = once(one.socket, 'message')
    link.send(Buffer.from('question'))
    const [, from] = await asked
    two.socket.send('stray', from.port)
    await expect.poll(() => balancer.strays, { timeout: TIMEOUT }).toBe(1)
    one.socket.send('answer', from.port)
    await expect.poll(() => got, { timeout: TIMEOUT }).toEqual(['answer'])
    expect(two.received).toEqual([])
  })
})

describe('the plans of chaos', () => {
  it('have every trouble of a database, and rounds without', () => {
    const plans = rounds.map((round) => planEngineTrouble(1, round, TRAFFIC))
    expect(new Set(plans.map((plan) => plan?.kind))).toEqual(
      new Set(['restart', 'failover', 'freeze', 'standby', 'cut', undefined]),
    )
    expect(planEngineTrouble(1, 7, TRAFFIC)).toEqual(plans[7])
    for (const plan of plans) if (plan !== undefined) expect(plan.wait).toBeLessThan(TRAFFIC)
  })

  it('hurt whoever serves and whoever waits, and have nodes stand still for shorter and longer than a lease', () => {
    const plans = rounds.flatMap((round) => planNodeTroubles(1, round, TRAFFIC, 2))
    expect(plans.length).toBeGreaterThan(rounds.length)
    for (const meetsServing of [true, false])
      for (const kind of ['kill', 'stop', 'freeze', 'refused', 'silent'])
        expect(plans).toContainEqual(expect.objectContaining({ kind, meetsServing }))
    const still = plans.filter(({ kind }) => kind === 'freeze').map(({ lasts }) => lasts)
    expect(Math.min(...still)).toBeLessThan(LEASE / 2)
    expect(Math.max(...still)).toBeGreaterThan(LEASE * 2)
    expect(planNodeTroubles(1, 7, TRAFFIC, 2)).toEqual(planNodeTroubles(1, 7, TRAFFIC, 2))
  })

  it('cut links and draw nodes anew only where there are more than two', () => {
    const kinds = (nodes: number) =>
      new Set(rounds.flatMap((round) => planNodeTroubles(1, round, TRAFFIC, nodes)).map(({ kind }) => kind))
    const more = [...kinds(3)].filter((kind) => !kinds(2).has(kind))
    expect(more.toSorted()).toEqual(['link', 'rehash'])
  })

  it('are told by their kinds', () => {
    expect(describeTroubles(troublesSince({ kill: 1, stop: 2 }, { kill: 3, stop: 2, freeze: 1 }))).toBe(
      'kill 2, freeze 1',
    )
    expect(describeTroubles({})).toBe('')
  })
})

describe('what nodes have not settled at the end of a round', () => {
  it('is what they say of themselves, and one that says nothing is told too', async () => {
    let [holding, slots] = [3, 500]
    const server = createServer((_, response) => response.end(JSON.stringify({ slots, links: { holding } })))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    const port = typeof address === 'object' ? address?.port : undefined
    const nodes = [{ name: 'gw-1', console: `http://127.0.0.1:${port}` }]
    expect(await unsettledOf(nodes)).toBe('the node gw-1 holds 3 datagrams')
    holding = 0
    expect(await unsettledOf(nodes)).toBe('500 of 1024 slots are served')
    slots = 1024
    expect(await unsettledOf(nodes)).toBeUndefined()
    server.closeAllConnections()
    server.close()
    expect(await unsettledOf(nodes)).toMatch(/^the node gw-1 does not say what it holds/)
  })
})
