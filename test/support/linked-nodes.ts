// Three nodes of a cluster as processes of their own, whose owners stand in a plain table; behind a balancer that translates addresses.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { expect, onTestFinished } from 'vitest'
import type { SensorOptions } from '../../src/sensor/sensor.ts'
import { slotOfName } from '../../src/sessions/slots.ts'
import { Balancer } from './balancer.ts'
import { freePort, type RestartableBroker, startMosquitto } from './broker.ts'
import { freshName, TestSensor } from './gateway.ts'

/** What a node has counted. */
export interface LinkedCounts {
  readonly forwarded: number
  readonly answered: number
  readonly held: number
  readonly holding: number
  readonly asked: number
  readonly refused: number
  readonly dropped: Readonly<Record<string, number>>
}

export interface LinkedNode {
  readonly name: string
  readonly child: ChildProcess
  /** of its listener */
  readonly port: number
  /** of its links */
  readonly linkPort: number
  ask(...what: unknown[]): Promise<unknown>
  counts(): Promise<LinkedCounts>
}

export interface LinkedNodes {
  readonly mosquitto: RestartableBroker
  readonly nodes: readonly LinkedNode[]
  readonly balancer: Balancer
  /** Sends all that sensors say to this node from now on; undefined: loses it. */
  turnTo(node: number | undefined): void
  /** A sensor of a slot of this node, not yet connected. */
  sensorOf(node: number, options?: SensorOptions): TestSensor
}

export interface LinkedOptions {
  readonly hold?: number
  readonly secrets?: readonly (string | undefined)[]
  readonly workers?: number
}

const COUNT = 3

/** Starts them from a program that was compiled; all links are up when it resolves, unless their secrets differ. */
export async function startLinkedNodes(
  program: string,
  { hold = 2000, secrets = [], workers = 2 }: LinkedOptions = {},
): Promise<LinkedNodes> {
  const mosquitto = await startMosquitto()
  onTestFinished(() => mosquitto.close())
  const linkPorts = await Promise.all(Array.from({ length: COUNT }, () => freePort()))
  const table = linkPorts.map((port, i) => ({ node: `gw-${i + 1}`, address: `127.0.0.1:${port}` }))
  const nodes = await Promise.all(
    table.map(async ({ node: name }, i): Promise<LinkedNode> => {
      const config = {
        workers,
        listeners: [{ url: 'udp://127.0.0.1:0', name: 'sensors' }],
        broker: { url: mosquitto.url, clientId: freshName() },
        store: { type: 'memory' },
        gateway: { warmUp: 0 },
        console: { enabled: false },
        timers: { tRetry: '2s' },
        log: { level: 'silent' },
      }
      const task = { config, self: name, nodes: table, secret: secrets[i], hold }
      const child = spawn(process.execPath, [program, JSON.stringify(task)], {
        stdio: ['pipe', 'pipe', 'inherit'],
      })
      const ended = once(child, 'exit')
      onTestFinished(async () => {
        child.kill('SIGKILL')
        await ended
      })
      const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
      const said = async (): Promise<unknown> => JSON.parse(String((await lines.next()).value))
      const url = String(await said())
      let last: Promise<unknown> = Promise.resolve()
      const ask = (...what: unknown[]): Promise<unknown> => {
        const answer = last.then(async () => {
          child.stdin.write(`${JSON.stringify(what)}\n`)
          return said()
        })
        last = answer
        return answer
      }
      const counts = async () => (await ask('counts')) as LinkedCounts
      return { name, child, port: Number(new URL(url).port), linkPort: linkPorts[i] ?? 0, ask, counts }
    }),
  )
  let way: number | undefined = 0
  const balancer = await Balancer.open(() => (way === undefined ? undefined : nodes[way]?.port), {
    isStrict: true,
  })
  onTestFinished(() => balancer.close())
  if (new Set(secrets).size <= 1)
    for (const node of nodes)
      await expect.poll(() => node.ask('up'), { timeout: 20_000 }).toHaveLength(COUNT - 1)
  return {
    mosquitto,
    nodes,
    balancer,
    turnTo(node) {
      way = node
    },
    sensorOf(node, options) {
      let clientId = freshName()
      while (slotOfName(clientId) % COUNT !== node) clientId = freshName()
      const sensor = new TestSensor({ gateway: balancer.url, clientId, tRetry: 4000, ...options })
      onTestFinished(() => sensor.close())
      return sensor
    },
  }
}
