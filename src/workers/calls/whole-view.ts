// All nodes of a cluster as the console sees them: each is asked for its sensors, and what they say is put together.

import { actionPath } from '../../console/api/actions.ts'
import type { BrokerInfo, GatewayInfo } from '../../console/contract/gateway.ts'
import type {
  DeadLetterList,
  DropEntry,
  HappeningList,
  RefusalEntry,
} from '../../console/contract/happenings.ts'
import type { SensorDetail, SensorList } from '../../console/contract/sensors.ts'
import type { LiveTopicList } from '../../console/contract/topics.ts'
import { NodeSilent, type Nodes, noteMissing } from '../../console/nodes.ts'
import type { Action, Awaitable, GatewayView } from '../../console/view.ts'
import { mergeDeadLetters } from '../../monitor/dead-letters.ts'
import { mergeDrops } from '../../monitor/drop-sources.ts'
import { mergeHappenings } from '../../monitor/happenings.ts'
import { mergeLiveTopics } from '../../monitor/live-topics.ts'
import { mergeRefusals } from '../../monitor/recent-refusals.ts'
import { orderOf } from '../../monitor/sensors/sensor-query.ts'
import { sumOfBrokers, sumOfNodes } from '../sums.ts'

/** Rows that one answer of a node may have, of sensors and of all else; and rows of each node that are looked through for a list. */
const MOST_SENSORS = 5000
const MOST_ROWS = 1000
const DEEPEST = 50_000

interface Part {
  readonly offset: number
  readonly limit: number
}

/** `own`: of this node. What is not about sensors, and what is live of all of them, stays this node's. */
export function wholeView(own: GatewayView, nodes: Nodes): GatewayView {
  async function ask(node: string, method: string, url: string, body?: object) {
    const text = body === undefined ? undefined : JSON.stringify(body)
    const answer = await nodes.ask(node, { method, url, body: text })
    if (answer.status >= 500) throw new NodeSilent(node, messageOf(answer.body))
    return answer
  }

  async function look<T>(node: string, path: string, query: object): Promise<T> {
    const { status, body } = await ask(node, 'GET', path + searchOf(query))
    if (status !== 200) throw new NodeSilent(node, messageOf(body))
    return JSON.parse(body) as T
  }

  /** What this node says, and all others say that answer; those that do not are named. */
  async function all<T>(mine: Awaitable<T>, asked: (node: string) => Promise<T>): Promise<[string, T][]> {
    const others = nodes.members().filter((node) => node !== nodes.self)
    const answers = await Promise.all(
      others.map(async (node): Promise<[string, T] | undefined> => {
        try {
          return [node, await asked(node)]
        } catch {
          noteMissing(node)
          return undefined
        }
      }),
    )
    return [[nodes.self, await mine], ...answers.filter((one) => one !== undefined)]
  }
  const values = async <T>(answers: Promise<[string, T][]>): Promise<T[]> =>
    (await answers).map(([, value]) => value)
  const everywhere = <T>(mine: Awaitable<T>, path: string, query: object = {}): Promise<T[]> =>
    values(all(mine, (node) => look<T>(node, path, query)))

  /** The first rows of a list from everywhere, in as many pieces as it takes. */
  async function lists<L extends { readonly items: readonly unknown[]; readonly total: number }>(
    query: Part,
    most: number,
    path: string,
    mine: (query: Part) => Awaitable<L>,
  ): Promise<[string, L][]> {
    const wanted = query.offset + query.limit
    if (wanted > DEEPEST) throw tooDeep()
    return all(mine({ ...query, offset: 0, limit: wanted }), async (node) => {
      let list: L | undefined
      for (let offset = 0; offset < wanted; offset += most) {
        const limit = Math.min(most, wanted - offset)
        const piece = await look<L>(node, path, { ...query, offset, limit })
        list = list === undefined ? piece : { ...piece, items: [...list.items, ...piece.items] }
        if (piece.items.length < limit) break
      }
      return list as L
    })
  }

  /** The other node that serves a sensor; undefined: this one does. */
  function otherOf(clientId: string): string | undefined {
    const owner = nodes.ownerOf(clientId)
    if (owner === undefined) throw inMotion()
    return owner === nodes.self ? undefined : owner
  }
  const pathOf = (clientId: string) => `/api/sensors/${encodeURIComponent(clientId)}`

  return {
    ...own,
    async info() {
      return sumOfNodes(await everywhere<GatewayInfo>(own.info(), '/api/gateway'))
    },
    async broker() {
      return sumOfBrokers(await everywhere<BrokerInfo>(own.broker(), '/api/broker'))
    },
    async sensors(query) {
      const answers = await lists<SensorList>(query, MOST_SENSORS, '/api/sensors', (part) =>
        own.sensors({ ...query, ...part }),
      )
      const items = answers.flatMap(([node, list]) => list.items.map((item) => ({ ...item, node })))
      items.sort(orderOf(query))
      const total = answers.reduce((sum, [, list]) => sum + list.total, 0)
      return { total, items: items.slice(query.offset, query.offset + query.limit) }
    },
    async sensor(clientId) {
      const node = otherOf(clientId)
      if (node === undefined) {
        const sensor = await own.sensor(clientId)
        return sensor && { ...sensor, node: nodes.self }
      }
      const { status, body } = await ask(node, 'GET', pathOf(clientId))
      if (status === 404) return undefined
      return { ...(JSON.parse(body) as SensorDetail), node }
    },
    async act(clientId, action) {
      const node = otherOf(clientId)
      if (node === undefined) {
        const isDone = await own.act(clientId, action)
        if (!isDone && (await own.sensor(clientId)) === undefined) throw inMotion()
        return isDone
      }
      const url = `${pathOf(clientId)}/${actionPath(action.type)}`
      const { status } = await ask(node, 'POST', url, bodyOf(action))
      if (status === 404) throw inMotion()
      return status === 204
    },
    // a sensor may get another owner at any time
    watch(clientId, listener) {
      if (clientId === undefined) return own.watch(undefined, listener)
      return both(own.watch(clientId, listener), nodes.watch('packet', clientId, listener))
    },
    watchBroker: (clientId, listener) =>
      both(own.watchBroker(clientId, listener), nodes.watch('broker', clientId, listener)),
    onChangeElsewhere: (clientId, listener) => nodes.watch('state', clientId, listener),
    async label(clientId, label) {
      const node = otherOf(clientId)
      if (node === undefined) return own.label(clientId, label)
      return (await ask(node, 'PUT', `${pathOf(clientId)}/label`, label ?? {})).status === 200
    },
    async refusals() {
      return mergeRefusals(await everywhere<readonly RefusalEntry[]>(own.refusals(), '/api/refusals'))
    },
    async drops(reason) {
      return mergeDrops(await everywhere<readonly DropEntry[]>(own.drops(reason), '/api/drops', { reason }))
    },
    async happenings(query) {
      const mine = (part: Part) => own.happenings({ ...query, ...part })
      const found = lists<HappeningList>(query, MOST_ROWS, '/api/happenings', mine)
      // each node counts from one
      const named = (await found).map(([node, list]) => ({
        ...list,
        items: list.items.map((item) => (node === nodes.self ? item : { ...item, id: `${node} ${item.id}` })),
      }))
      return mergeHappenings(named, query)
    },
    async topics(query) {
      const mine = (part: Part) => own.topics({ ...query, ...part })
      return mergeLiveTopics(await values(lists<LiveTopicList>(query, MOST_ROWS, '/api/topics', mine)), query)
    },
    async deadLetters(query) {
      const mine = (part: Part) => own.deadLetters({ ...query, ...part })
      const found = lists<DeadLetterList>(query, MOST_ROWS, '/api/dead-letters', mine)
      return mergeDeadLetters(await values(found), query)
    },
  }
}

/** It is between two nodes, or was a moment ago. */
const inMotion = (): NodeSilent =>
  new NodeSilent(undefined, 'No node serves this sensor now: try again in a moment.')

const both = (one: () => void, other: () => void) => (): void => {
  one()
  other()
}

const bodyOf = (action: Action): object =>
  action.type === 'publish'
    ? {
        ...{ topic: action.topic, qos: action.qos, retain: action.retain },
        payload: Buffer.from(action.payload).toString('hex'),
      }
    : {}

function searchOf(query: object): string {
  const parameters = new URLSearchParams()
  for (const [name, value] of Object.entries(query))
    if (value !== undefined) parameters.set(name, String(value))
  const text = parameters.toString()
  return text === '' ? '' : `?${text}`
}

function messageOf(body: string): string {
  try {
    return String((JSON.parse(body) as { message?: unknown }).message ?? 'it refuses').replace(/\.$/, '')
  } catch {
    return 'its answer cannot be read'
  }
}

/** A mistake of who asks: 400. */
const tooDeep = (): Error =>
  Object.assign(
    new Error(
      `lists of all nodes are looked through to row ${DEEPEST}: narrow it down, or ask one node with ?node=`,
    ),
    { statusCode: 400 },
  )
