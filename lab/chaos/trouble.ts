// The troubles of a round: the gateway is killed or stopped, the broker restarted, the database troubled, and all come back.

import { pause } from '../../src/sensor/pause.ts'
import type { PostgresEngine } from '../postgres/engine.ts'
import type { Mosquitto } from '../processes.ts'
import { beginOutage, type Outage } from './books.ts'
import { troubleEngine } from './engine-trouble.ts'
import { startAgain, troubleNodes } from './nodes/node-trouble.ts'
import type { Nodes } from './nodes/nodes.ts'
import type { WriterWatch } from './nodes/writers.ts'
import type { RoundPlan } from './plan.ts'
import type { ChaosOutcome } from './run.ts'
import type { Wills } from './wills.ts'

/** What runs beside the sensors. */
export interface Cast {
  readonly nodes: Nodes
  readonly mosquitto: Mosquitto
  /** the database, where the store is one */
  readonly engine: PostgresEngine | undefined
  /** what the database notes of those who write, from the moment when the tables are there */
  writers?: WriterWatch
}

/** What troubles happen to, and who is told. */
export interface Scene extends Cast {
  readonly outages: Outage[]
  readonly wills: Wills
  /** whether the sensor of this name speaks DTLS */
  readonly isSecure: (sensor: string) => boolean
  readonly outcome: ChaosOutcome
  readonly signal: AbortSignal
}

/** Ends the gateway as the plan says, and starts it again; several nodes have plans of their own. Rejects if it does not start. */
export async function troubleGateway({ kills, nodeTroubles }: RoundPlan, scene: Scene): Promise<void> {
  const { nodes, engine, wills, outcome, signal } = scene
  const [gateway, ...others] = nodes.all
  if (gateway === undefined || others.length > 0)
    return troubleNodes(nodeTroubles, nodes, outcome.nodes, wills, signal)
  for (const { wait, how } of kills) {
    await pause(wait, signal)
    if (signal.aborted) return
    if (how === 'SIGKILL') {
      outcome.kills += 1
      wills.gatewayKilled()
    } else outcome.stops += 1
    await gateway.end(how)
    await (engine === undefined ? gateway.start() : startAgain(gateway, signal))
  }
}

/** Mosquitto saves its sessions only when it ends with SIGTERM: it is restarted, not killed. */
export async function troubleBroker({ brokerRestart }: RoundPlan, scene: Scene): Promise<void> {
  const { mosquitto, outages, wills, outcome, signal } = scene
  if (brokerRestart === undefined) return
  await pause(brokerRestart.wait, signal)
  if (signal.aborted) return
  const outage = beginOutage()
  outages.push(outage)
  wills.brokerStops()
  outcome.brokerRestarts += 1
  await mosquitto.end('SIGTERM')
  await pause(brokerRestart.away, signal)
  await mosquitto.start()
  outage.end()
}

/**
 * A gateway that is started meanwhile has to wait for the database. Where a node is hurt as well, nobody can take over its sessions of
 * DTLS as long as the database commits nothing: the owner of such a sensor, another node, is well and hears nothing of it.
 */
export async function troubleDatabase(
  { engineTrouble, nodeTroubles }: RoundPlan,
  scene: Scene,
): Promise<void> {
  const { engine, nodes, wills, outcome, signal } = scene
  if (engine === undefined || engineTrouble === undefined) return
  const isDeaf = !nodes.isPair && nodes.all.length > 1 && nodeTroubles.length > 0
  const endSilence = isDeaf ? wills.beginSilence(scene.isSecure) : undefined
  await troubleEngine(engineTrouble, engine, outcome.engine, signal)
  endSilence?.()
}
