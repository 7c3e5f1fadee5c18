// Three nodes with a console each, whose links are calls in memory: each has a third of the sensors.

import { onTestFinished } from 'vitest'
import type { ClusterInfo } from '../../src/console/contract/cluster.ts'
import type { Nodes } from '../../src/console/nodes.ts'
import { type Console, startConsole } from '../../src/console/server.ts'
import type { GatewayView } from '../../src/console/view.ts'
import { NodeCalls } from '../../src/workers/calls/node-calls.ts'
import { NodeWatches } from '../../src/workers/calls/node-watches.ts'
import { wholeView } from '../../src/workers/calls/whole-view.ts'
import { FakeView } from './fake-view.ts'

export const NAMES = ['gw-1', 'gw-2', 'gw-3']
export const SENSORS = 30
/** of these names every third one belongs to each node */
export const ownerOf = (clientId: string): string => NAMES[Number(clientId.slice(-4)) % 3] ?? ''

/** Its methods as an object of their own, as views are that gateways make. */
const asObject = (view: FakeView): GatewayView =>
  Object.fromEntries(
    Object.getOwnPropertyNames(FakeView.prototype).flatMap((name) => {
      const method: unknown = view[name as keyof FakeView]
      return typeof method === 'function' ? [[name, method.bind(view)]] : []
    }),
  ) as unknown as GatewayView

export interface TestNode {
  readonly view: FakeView
  readonly console: Console
  readonly calls: NodeCalls
  readonly watches: NodeWatches
}

/** `patience`: milliseconds. */
export async function severalNodes({
  sensors = SENSORS,
  patience = 3000,
  info = undefined as ClusterInfo | undefined,
} = {}) {
  const nodes = new Map<string, TestNode>()
  /** those that have no link, and those that stand still */
  const [cut, frozen] = [new Set<string>(), new Set<string>()]
  for (const self of NAMES) {
    const view = new FakeView(sensors)
    for (const { clientId } of view.sensors({ offset: 0, limit: sensors }).items)
      if (ownerOf(clientId) !== self) view.act(clientId, { type: 'forget' })
    view.acts.length = 0
    if (info !== undefined) view.clusterInfo = { ...info, node: self }
    const send = (node: string, message: object): boolean => {
      if (cut.has(node) || cut.has(self)) return false
      // as it would go over a link
      const copy: unknown = JSON.parse(JSON.stringify(message))
      const other = () => nodes.get(node)
      if (!frozen.has(node))
        setImmediate(() => other()?.calls.take(self, copy) || other()?.watches.take(self, copy))
      return true
    }
    const calls = new NodeCalls({ patience, send })
    const watches = new NodeWatches({
      send,
      up: () => (cut.has(self) ? [] : NAMES.filter((name) => name !== self && !cut.has(name))),
    })
    const all: Nodes = {
      self,
      members: () => NAMES,
      ownerOf: (clientId) => (clientId === 'nobodys' ? undefined : ownerOf(clientId)),
      ask: (node, request) => calls.ask(node, request),
      watch: watches.watch,
      serve(answer, lookAt) {
        calls.serve(answer)
        watches.serve(lookAt)
      },
    }
    const shown = { ...asObject(view), nodes: all, whole: wholeView(asObject(view), all) }
    const console = await startConsole(shown, { url: 'http://127.0.0.1:0', metrics: async () => '' })
    onTestFinished(() => console.close())
    nodes.set(self, { view, console, calls, watches })
  }
  const at = (name: string): TestNode => nodes.get(name) as TestNode
  return { at, cut, frozen }
}
