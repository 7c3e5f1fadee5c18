// The primary of the database dies, and only after a while its standby takes over.

import { pause } from '../../../src/sensor/pause.ts'
import { AWAY } from '../goals.ts'
import { happens, type Row } from '../scene.ts'
import { WITH_DATABASE, WITHOUT_DATABASE } from '../waits.ts'

const AFTERMATH = 8000

export const failover: Row = async (scene) => {
  const { site, crowd, signal } = scene
  const { engine } = site
  const before = await site.takeovers()
  let backAt = 0
  const happening = await happens(
    scene,
    'failover',
    async () => {
      await engine.primary.kill()
      await pause(AWAY, signal)
      await engine.promote()
      backAt = performance.now()
    },
    AFTERMATH,
  )
  const gap = happening.waits(WITHOUT_DATABASE, false)
  const pings = happening.waits(['ping'], false)
  happening.waits(WITH_DATABASE)
  // those who waited when it came back, and whoever came in the seconds after it
  const late = crowd.waits.between(happening.from, backAt + AFTERMATH, WITH_DATABASE)
  const until = Math.max(
    0,
    ...late.filter(({ since }) => since <= backAt).map((wait) => wait.until ?? performance.now()),
  )
  const takeovers = (await site.takeovers()) - before
  const { refused } = crowd.tally
  await engine.rejoin()
  return [
    { id: 'failover-gap', value: gap.seconds, note: `${gap.note}; PINGRESP ${pings.seconds.toFixed(1)} s` },
    {
      id: 'failover-back',
      value: Math.max(0, until - backAt) / 1000,
      note: `${refused} answers "try later" meanwhile`,
    },
    { id: 'failover-takeovers', value: takeovers },
  ]
}
