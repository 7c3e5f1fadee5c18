// The troubles of a round: the gateway is killed or stopped, the broker restarted, and both come back.

import { pause } from '../../src/sensor/pause.ts'
import type { GatewayProcess, Mosquitto } from '../processes.ts'
import { beginOutage, type Outage } from './books.ts'
import type { RoundPlan } from './plan.ts'
import type { ChaosOutcome } from './run.ts'
import type { Wills } from './wills.ts'

/** What troubles happen to, and who is told. */
export interface Scene {
  readonly gateway: GatewayProcess
  readonly mosquitto: Mosquitto
  readonly outages: Outage[]
  readonly wills: Wills
  readonly outcome: ChaosOutcome
  readonly signal: AbortSignal
}

/** Ends the gateway as the plan says, and starts it again. Rejects if it does not start. */
export async function troubleGateway({ kills }: RoundPlan, scene: Scene): Promise<void> {
  const { gateway, wills, outcome, signal } = scene
  for (const { wait, how } of kills) {
    await pause(wait, signal)
    if (signal.aborted) return
    if (how === 'SIGKILL') {
      outcome.kills += 1
      wills.gatewayKilled()
    } else outcome.stops += 1
    await gateway.end(how)
    await gateway.start()
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
