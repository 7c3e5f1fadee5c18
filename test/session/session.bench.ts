// What the session core costs per message, without sockets and broker: an uplink PUBLISH at QoS 0 and at QoS 1, the
// broker's answer included. Figures vary with the machine and its other work: compare, do not trust.
// Run with: npm run bench:micro

import { bench, describe } from 'vitest'
import { decode, type Publish } from '../../src/codec/v1/frame.ts'
import type { Effect } from '../../src/session/events.ts'
import { dispatch } from '../../src/sessions/dispatch.ts'
import { receive } from '../../src/sessions/door.ts'
import { World } from '../support/world.ts'

/** As many sensors as would be found by their address in a gateway of some size. */
const SENSORS = 1000

const world = new World()
const sensors = Array.from({ length: SENSORS }, (_, index) => {
  const sensor = world.sensor(`10.0.${index >> 8}.${index & 255}`)
  sensor.connect(`sensor${index}`)
  sensor.send({ type: 'register', topicId: 0, msgId: 1, topicName: `room/${index}` })
  return { peer: sensor.peer, session: world.session(`sensor${index}`) }
})
const env = {
  settings: world.settings,
  totals: world.totals,
  spooled: world.spooled,
  deadLetters: world.deadLetters,
  policyFor: () => {
    throw new Error('no sensor connects here')
  },
  nameAtBroker: ({ clientId }: { clientId: string }) => clientId,
  isOwnName: () => false,
  random: () => 0,
}
const message = (flags: string) => decode(Buffer.from(`0b0c${flags}0001000132312e35`, 'hex')) as Publish
const qos0 = message('00')
const qos1 = message('20')

let turn = 0
let msgId = 0
function next() {
  const sensor = sensors[turn % SENSORS]
  turn += 1
  if (sensor === undefined) throw new Error('there are sensors')
  return sensor
}

const readUplink = () => 'gone' as const
const leavesAtOnce = () => true

/** What the gateway's shell would have to do for it. */
function publish(packet: Publish): Effect[] {
  const { peer, session } = next()
  const out: Effect[] = []
  const now = world.now
  receive(world.sessions, packet, peer, { readUplink, leavesAtOnce, now, env, out })
  for (const effect of out) {
    if (effect.type !== 'publish' || packet.qos === 0) continue
    const { token } = effect
    dispatch(
      world.sessions,
      session,
      { type: 'published', token, outcome: 0 },
      { readUplink, leavesAtOnce, now, env, out },
    )
  }
  return out
}

for (const [packet, effect] of [
  [qos0, 'publish'],
  [qos1, 'send'],
] as const) {
  if (!publish(packet).some(({ type }) => type === effect))
    throw new Error(`QoS ${packet.qos} does not ${effect}`)
}

describe('session core', () => {
  bench('PUBLISH at QoS 0', () => void publish(qos0))
  bench('PUBLISH at QoS 1, until PUBACK', () => {
    msgId = (msgId % 0xffff) + 1
    publish({ ...qos1, msgId })
  })
})
