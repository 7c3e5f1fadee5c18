// What passes between a sensor and the node that serves it, seen live from another one.

import { describe, expect, it, onTestFinished } from 'vitest'
import { type LiveEvent, liveEvents } from '../../../src/cli/running/api.ts'
import type { Packet } from '../../../src/codec/v1/messages.ts'
import type { LookAt, SeenKind, SeenOf } from '../../../src/console/nodes.ts'
import { NodeWatches } from '../../../src/workers/calls/node-watches.ts'
import { NAMES, severalNodes, type TestNode } from '../../console/several-nodes.ts'
import { until } from '../../support/gateway.ts'

/** of gw-2 */
const SENSOR = 'valve-0001'
const publication = (data: string): Packet => ({
  ...{ type: 'publish', dup: false, qos: 1, retain: false, topicIdType: 'normal', topicId: 1, msgId: 7 },
  data: Buffer.from(data),
})

/** What a console tells of a sensor, without what it tells of itself. */
async function follow(node: TestNode, sensor = SENSOR) {
  const leave = new AbortController()
  onTestFinished(() => leave.abort())
  const events: LiveEvent[] = []
  const ended = (async () => {
    for await (const event of liveEvents(
      { url: node.console.url },
      `/api/events?sensor=${sensor}`,
      leave.signal,
      () => {},
    ))
      events.push(event)
  })()
  await until(() => events.length > 0)
  return {
    of: (...names: string[]) => events.filter(({ event }) => names.includes(event)).map(({ data }) => data),
    async leave() {
      leave.abort()
      await ended
    },
  }
}

const watched = (at: (name: string) => TestNode) => NAMES.map((name) => at(name).view.watched)

describe('a console of several nodes shows live', () => {
  it('what a sensor of another node says and hears, as the console of that node does', async () => {
    const { at } = await severalNodes()
    const [here, there] = [await follow(at('gw-1')), await follow(at('gw-2'))]
    await until(() => at('gw-2').view.watched === 2)
    const { view } = at('gw-2')
    view.say(SENSOR, 'received', publication('open'), 'valve/1')
    view.say(SENSOR, 'sent', { type: 'puback', topicId: 1, msgId: 7, returnCode: 3 })
    view.say('door-0004', 'received', publication('of somebody else'))
    view.change(SENSOR, 'asleep', 'DISCONNECT for 300 s')
    await until(() => [here, there].every(({ of }) => of('packet', 'state').length === 3))
    // each watcher is told at its own time
    const timeless = ({ of }: typeof here) =>
      of('packet', 'state').map((one) => ({ ...(one as object), at: 0 }))
    expect(timeless(here)).toEqual(timeless(there))
    expect(here.of('packet')).toMatchObject([
      {
        clientId: SENSOR,
        direction: 'received',
        type: 'PUBLISH',
        topic: 'valve/1',
        lines: expect.any(Array),
      },
      { clientId: SENSOR, direction: 'sent', type: 'PUBACK', refused: 3 },
    ])
    expect(here.of('state')).toMatchObject([{ clientId: SENSOR, to: 'asleep' }])
  })

  it('what it says to its next owner, and to a node that comes later', async () => {
    const { at, cut } = await severalNodes()
    cut.add('gw-3')
    const { of } = await follow(at('gw-1'))
    await until(() => at('gw-2').view.watched === 1)
    at('gw-2').view.say(SENSOR, 'received', publication('one'))
    await until(() => of('packet').length === 1)
    at('gw-1').view.say(SENSOR, 'received', publication('two'))
    await until(() => of('packet').length === 2)
    expect(at('gw-3').view.watched).toBe(0)
    cut.delete('gw-3')
    at('gw-1').watches.link('gw-3')
    await until(() => at('gw-3').view.watched === 1)
    at('gw-3').view.say(SENSOR, 'received', publication('three'))
    await until(() => of('packet').length === 3)
  })

  it('nothing that nobody looks at any more', async () => {
    const { at } = await severalNodes()
    const { leave } = await follow(at('gw-1'))
    await until(() => watched(at).join() === '1,1,1')
    await leave()
    await until(() => watched(at).join() === '0,0,0')
    const { leave: leaveAgain } = await follow(at('gw-3'))
    await until(() => watched(at).join() === '1,1,1')
    at('gw-2').watches.lose('gw-3')
    expect(watched(at)).toEqual([1, 0, 1])
    await leaveAgain()
  })

  it('a capture of a sensor that another node serves', async () => {
    const { at } = await severalNodes()
    const controller = new AbortController()
    const { body } = await fetch(`${at('gw-1').console.url}/api/capture?sensor=${SENSOR}`, {
      signal: controller.signal,
    })
    let octets = Buffer.alloc(0)
    const read = (async () => {
      for await (const chunk of body ?? []) octets = Buffer.concat([octets, chunk])
    })().catch(() => {})
    await until(() => at('gw-2').view.watched === 1)
    at('gw-2').view.say(SENSOR, 'received', publication('captured'))
    await until(() => octets.includes('captured'))
    controller.abort()
    await read
  })
})

/** Two nodes, the second of which looks at what it is told to look at. */
function pair() {
  const told: object[] = []
  const watches: NodeWatches = new NodeWatches({
    send(_node, message) {
      told.push(message)
      return true
    },
    up: () => ['gw-1'],
  })
  const looks: { kind: SeenKind; clientId: string; tell: (seen: object) => void; isOver: boolean }[] = []
  const lookAt: LookAt = (kind, clientId, seen) => {
    const look = { kind, clientId, tell: seen as (seen: object) => void, isOver: false }
    looks.push(look)
    return () => {
      look.isOver = true
    }
  }
  return { told, watches, looks, lookAt }
}

describe('what a node is asked to look at', () => {
  const want = { type: 'watch', id: 1, kind: 'state', sensor: SENSOR }

  it('is looked at when its console is there, and not when it is gone', () => {
    const { watches, looks, lookAt } = pair()
    watches.take('gw-1', want)
    expect(looks).toEqual([])
    watches.serve(lookAt)
    expect(looks).toMatchObject([{ kind: 'state', clientId: SENSOR, isOver: false }])
    watches.serve(undefined)
    expect(looks).toMatchObject([{ isOver: true }])
    watches.serve(lookAt)
    expect(looks).toMatchObject([{ isOver: true }, { isOver: false }])
    watches.take('gw-1', { type: 'unwatch', id: 1 })
    expect(looks).toMatchObject([{ isOver: true }, { isOver: true }])
  })

  it('is bounded in number and in what is told of it, and what is beyond is counted', () => {
    const { told, watches, looks, lookAt } = pair()
    watches.serve(lookAt)
    for (let id = 0; id < 200; id += 1) watches.take('gw-1', { ...want, id })
    // said twice, as after a link was lost on one side only
    watches.take('gw-1', { ...want, id: 0 })
    expect(looks).toHaveLength(192)
    expect(watches.unshown).toBe(8)
    // of another node
    watches.take('gw-3', want)
    expect(looks).toHaveLength(193)
    for (let i = 0; i < 1000; i += 1) looks[0]?.tell({})
    expect(told).toHaveLength(500)
    expect(watches.unshown).toBe(508)
  })

  it.each([
    [{ type: 'watch', id: 1, kind: 'all', sensor: SENSOR }],
    [{ type: 'watch', id: 'one', kind: 'state', sensor: SENSOR }],
    [{ type: 'watch', id: 1, kind: 'state' }],
    [{ type: 'seen', id: 1, seen: 'text' }],
    [{ type: 'call', id: 1 }],
    [null],
  ])('is not %j, which is left to others', (message) => {
    const { watches, looks, lookAt } = pair()
    watches.serve(lookAt)
    expect(watches.take('gw-1', message)).toBe(false)
    expect(looks).toEqual([])
  })

  it.each([
    ['packet', { at: 1, type: 'PUBLISH' }],
    ['packet', { ...packet(), bytes: 7 }],
    ['packet', { ...packet(), lines: [7] }],
    ['broker', { at: 1, direction: 'toBroker', type: 'connect', text: 'a' }],
    ['state', { at: 1, from: 'active', to: 7, why: '' }],
  ] as const)('of kind %s is not believed to be %j', (kind, seen) => {
    const { watches } = pair()
    const all: SeenOf[SeenKind][] = []
    watches.watch(kind, SENSOR, (what) => all.push(what))
    watches.take('gw-2', { type: 'seen', id: 1, seen })
    expect(all).toEqual([])
  })

  it('is of the sensor that was asked for, whatever is said', () => {
    const { watches } = pair()
    const all: SeenOf['packet'][] = []
    watches.watch('packet', SENSOR, (what) => all.push(what))
    watches.take('gw-2', { type: 'seen', id: 1, seen: { ...packet(), clientId: 'other' } })
    expect(all).toMatchObject([{ clientId: SENSOR, bytes: Buffer.from('0216', 'hex') }])
  })
})

function packet() {
  return {
    ...{ at: 1, direction: 'received', address: '127.0.0.1', port: 5, listener: 'a', bytes: '0216' },
    ...{ type: 'PINGREQ', text: '', repeated: false, lines: ['a line'] },
  }
}
