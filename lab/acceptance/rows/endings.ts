// A node ends: killed, standing still for good, or stopped; or all are stopped and started, one after the other.

import { pause } from '../../../src/sensor/pause.ts'
import type { GoalId } from '../goals.ts'
import { happens, othersThan, type Row, victimOf } from '../scene.ts'
import { LEASE } from '../site.ts'
import { ANSWERED } from '../waits.ts'

/** Milliseconds for which it is watched what becomes of sensors. */
const AFTERMATH = 4000
/** Repetitions that are told one by one. */
const TOLD = 20

/** SIGKILL; `tRetry`: of the sensors. */
export const kill =
  (tRetry: number, served: GoalId, wait: GoalId): Row =>
  async (scene, run) => {
    const victim = victimOf(scene, run)
    let after = 0
    await scene.site.isEven()
    const [{ slots } = { slots: 0 }] = await scene.site.told([victim])
    const happening = await happens(
      scene,
      `SIGKILL of ${victim.name}`,
      async () => {
        const killedAt = performance.now()
        const taken = scene.site.taken(othersThan(scene, victim), slots)
        await victim.end('SIGKILL')
        after = ((await taken) - killedAt) / 1000
      },
      tRetry + AFTERMATH,
    )
    const { seconds, note } = happening.waits()
    await scene.site.restore(victim)
    return [
      { id: served, value: after },
      { id: wait, value: seconds, note },
    ]
  }

/** SIGSTOP for good, as when a machine dies: nothing refuses. */
export const freeze: Row = async (scene, run) => {
  const victim = victimOf(scene, run)
  const happening = await happens(
    scene,
    `SIGSTOP of ${victim.name}`,
    async () => victim.process.signal('SIGSTOP'),
    LEASE + AFTERMATH,
  )
  const { seconds, note } = happening.waits()
  await scene.site.restore(victim)
  return [{ id: 'freeze-wait', value: seconds, note }]
}

export const stop: Row = async (scene, run) => {
  const victim = victimOf(scene, run)
  let took = 0
  const happening = await happens(
    scene,
    `SIGTERM of ${victim.name}`,
    async () => {
      const begun = performance.now()
      await victim.end('SIGTERM')
      took = (performance.now() - begun) / 1000
    },
    AFTERMATH,
  )
  const { seconds, note } = happening.waits(ANSWERED, false)
  const { strays } = happening
  await scene.site.restore(victim)
  return [
    {
      id: 'stop-wait',
      value: seconds,
      note: `${note}; it ended after ${took.toFixed(1)} s; ${strays} had an answer under way when the balancer sent them elsewhere`,
    },
  ]
}

/** As docs/cluster.md says of an upgrade: the next one when the one before is ready. */
export const rolling: Row = async (scene) => {
  const { site, crowd, say, signal } = scene
  const happening = await happens(
    scene,
    'rolling restart',
    async () => {
      for (const node of site.nodes.all) {
        await node.end('SIGTERM')
        await node.start()
        while (!site.balancer.ready.includes(node) && !signal.aborted) await pause(50, signal)
      }
    },
    AFTERMATH,
  )
  const { seconds, note } = happening.waits(ANSWERED, false)
  const { repeated, strayRepeated } = crowd.tally
  for (const what of crowd.repetitions.slice(0, TOLD)) say(`  repeated: ${what}`)
  await site.isEven()
  site.balancer.rehash(Math.random())
  return [
    { id: 'rolling-wait', value: seconds, note },
    {
      id: 'rolling-repeated',
      value: repeated - strayRepeated,
      note: `besides ${strayRepeated} whose answers were under way when the balancer sent them elsewhere`,
    },
  ]
}
