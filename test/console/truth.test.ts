// Every number that is shown of lost sensors agrees: overview, metrics, rows, states and events, also for clean sessions.

import { describe, expect, it, onTestFinished } from 'vitest'
import type { GatewayInfo } from '../../src/console/contract/gateway.ts'
import type { HappeningList } from '../../src/console/contract/happenings.ts'
import type { SensorList } from '../../src/console/contract/sensors.ts'
import { Account } from '../../src/simulation/swarm/account.ts'
import { Member, type Swarm } from '../../src/simulation/swarm/member.ts'
import { freshName } from '../support/gateway.ts'
import { startWatched, type WatchedGateway } from '../support/watched-gateway.ts'

/** How many are lost here; the four thousand of the field are replayed with this variable. */
const LOST = Number(process.env['MQTTSN_TEST_LOST'] ?? 200)

/** Members of a swarm that connect with clean sessions, some of which sleep; and the way to silence them all. */
async function connectSwarm({ test }: WatchedGateway, count: number): Promise<() => void> {
  const swarm: Swarm = {
    run: freshName(),
    verify: false,
    sleep: 60,
    tally: {
      published: { 'qos-1': 0, qos0: 0, qos1: 0, qos2: 0 },
      acknowledged: 0,
      unanswered: 0,
      received: 0,
      sessionsLost: 0,
    },
    reached: false,
    up: new Account(),
    down: new Account(),
    enqueue() {},
  }
  const members: Member[] = []
  for (let index = 0; members.length < count; index += 1) {
    const clientId = `${swarm.run}-${index}`
    const member = new Member(index, swarm, { gateway: test.url(), clientId, keepAlive: 60, tRetry: 5000 })
    if (member.role !== 'button') members.push(member) // buttons have no connection
  }
  onTestFinished(() => {
    for (const { sensor } of members) sensor.close()
  })
  for (let i = 0; i < members.length; i += 100) {
    await Promise.all(members.slice(i, i + 100).map((member) => member.connect()))
  }
  return () => {
    for (const { sensor } of members) sensor.close()
  }
}

const linesOf = (total: number) => `?offset=0&limit=${Math.min(5000, total + 10)}`

/** What every place says of them, as one object. */
async function whatIsShown(gateway: WatchedGateway) {
  const { sensors, departed, counters } = await gateway.get<GatewayInfo>('/api/gateway')
  const rows = await gateway.get<SensorList>(`/api/sensors${linesOf(LOST)}`)
  const lost = await gateway.get<SensorList>(`/api/sensors${linesOf(LOST)}&state=lost`)
  const events = await gateway.get<HappeningList>('/api/happenings?kind=lost&limit=1')
  return {
    overview: sensors.lost,
    departed,
    losses: counters.losses,
    rows: rows.items.filter(({ state }) => state === 'lost').length,
    list: lost.total,
    metric: await gateway.metric('mqttsn_sensors{state="lost"}'),
    counter: await gateway.metric('mqttsn_sensors_lost_total{session="clean"}'),
    history: events.total,
  }
}

describe('sensors with clean sessions that are lost all at once', () => {
  it('are counted alike everywhere, and the list names each of them', { timeout: 180_000 }, async () => {
    const gateway = await startWatched()
    const silence = await connectSwarm(gateway, LOST)
    const { sensors } = await gateway.get<GatewayInfo>('/api/gateway')
    expect(sensors.active + sensors.asleep + sensors.awake).toBe(LOST)
    silence()
    // their time is over at once: all of them have been silent for an hour
    for (const session of gateway.test.gateway.sessions.byClientId.values()) {
      session.heardAt -= 3_600_000
      session.wakeAt = 0
      gateway.test.gateway.dispatch(session, { type: 'deadline' })
    }
    expect(gateway.test.gateway.sessions.byClientId.size).toBe(0)
    expect(await whatIsShown(gateway)).toEqual({
      overview: LOST,
      departed: LOST,
      losses: { clean: LOST },
      rows: LOST,
      list: LOST,
      metric: LOST,
      counter: LOST,
      history: LOST,
    })
    const { items } = await gateway.get<SensorList>('/api/sensors?state=lost&limit=1')
    expect(items[0]).toMatchObject({
      departed: true,
      state: 'lost',
      address: expect.stringMatching(/^127\.0\.0\.1:/),
    })
  })

  it('are gone from the numbers of the lost when they come back', async () => {
    const gateway = await startWatched()
    const clientId = freshName()
    const sensor = await gateway.test.connected({ clientId, keepAlive: 60 })
    const session = gateway.test.gateway.sessions.byClientId.get(clientId)
    if (session === undefined) throw new Error('it is not there')
    session.heardAt -= 3_600_000
    gateway.test.gateway.dispatch(session, { type: 'deadline' })
    expect((await gateway.get<GatewayInfo>('/api/gateway')).sensors).toMatchObject({ lost: 1, active: 0 })
    sensor.close()
    await gateway.test.connected({ clientId })
    const { sensors, departed, counters } = await gateway.get<GatewayInfo>('/api/gateway')
    expect([sensors.lost, sensors.active, departed, counters.losses]).toEqual([0, 1, 0, { clean: 1 }])
    expect((await gateway.get<SensorList>('/api/sensors')).total).toBe(1)
  })
})
