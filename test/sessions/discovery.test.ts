// ADVERTISE, standing by, SEARCHGW [6.1].

import { describe, expect, it } from 'vitest'
import {
  type Advertising,
  advertiseDue,
  createDiscovery,
  mayAnswerAll,
  onAdvertise,
} from '../../src/sessions/discovery.ts'
import { World } from '../support/world.ts'

const MINUTE = 60_000

function advertising(more: Partial<Advertising> = {}): Advertising {
  return { interval: 20 * MINUTE, standbyFor: undefined, missed: 3, ...more }
}

/** Seconds, from now on, at which ADVERTISE goes out when asked ten times a second. */
function times(
  discovery: ReturnType<typeof createDiscovery>,
  from: number,
  to: number,
  healthy: (now: number) => boolean = () => true,
): number[] {
  const found: number[] = []
  for (let now = from; now < to; now += 100) {
    if (advertiseDue(discovery, healthy(now), now)) found.push((now - from) / 1000)
  }
  return found
}

describe('ADVERTISE', () => {
  it('goes out at the start and every T_ADV [SN-ADV-1 in part]', () => {
    const discovery = createDiscovery(advertising(), 5000)
    expect(times(discovery, 5000, 5000 + 61 * MINUTE)).toEqual([0, 1200, 2400, 3600])
  })

  it('is off with T_ADV 0 [SN-ADV-2 in part]', () => {
    expect(times(createDiscovery(advertising({ interval: 0 }), 0), 0, 60 * MINUTE)).toEqual([])
  })

  it('pauses while the broker cannot be reached, and goes out at once when it can again [SN-ADV-3]', () => {
    const discovery = createDiscovery(advertising(), 0)
    const outage = (now: number) => now < 10 * MINUTE || now >= 50 * MINUTE
    expect(times(discovery, 0, 75 * MINUTE, outage)).toEqual([0, 3000, 4200])
  })

  it('of another gateway changes nothing for one that stands by for nobody [SN-ADV-6]', () => {
    const discovery = createDiscovery(advertising(), 0)
    const before = structuredClone(discovery)
    onAdvertise(discovery, 2, 900, 1000)
    expect(discovery).toEqual(before)
  })
})

describe('a gateway that stands by', () => {
  const standby = advertising({ standbyFor: 7, interval: 10 * MINUTE, missed: 3 })

  it('is silent while the watched one advertises, and starts after N_ADV missed ones [SN-ADV-6]', () => {
    const discovery = createDiscovery(standby, 0)
    for (let now = 0; now <= 60 * MINUTE; now += 15 * MINUTE) {
      expect(times(discovery, now, now + 15 * MINUTE)).toEqual([])
      onAdvertise(discovery, 7, 15 * 60, now + 15 * MINUTE)
    }
    // heard last at 75 minutes; three times 15 minutes later it counts as gone
    expect(times(discovery, 75 * MINUTE, 141 * MINUTE)).toEqual([45 * 60, 55 * 60, 65 * 60])
  })

  it('starts when the watched one is never heard [SN-ADV-6]', () => {
    expect(times(createDiscovery(standby, 0), 0, 41 * MINUTE)).toEqual([30 * 60, 40 * 60])
  })

  it('steps back when the watched one returns [SN-ADV-6]', () => {
    const discovery = createDiscovery(standby, 0)
    expect(times(discovery, 0, 31 * MINUTE)).toHaveLength(1)
    onAdvertise(discovery, 7, 900, 31 * MINUTE)
    expect(times(discovery, 31 * MINUTE, 75 * MINUTE)).toEqual([])
  })

  it('does not mind other gateways [SN-ADV-6]', () => {
    const discovery = createDiscovery(standby, 0)
    onAdvertise(discovery, 8, 65_535, 1000)
    expect(times(discovery, 0, 31 * MINUTE)).toEqual([30 * 60])
  })
})

describe('SEARCHGW', () => {
  it('is answered at once, to any sender, with its radius [SN-SGW-1, SN-SGW-3, SN-SGW-2 in part]', () => {
    const world = new World()
    const sensor = world.sensor()
    world.receive({ type: 'searchgw', radius: 2 }, sensor.peer)
    expect(world.effects).toEqual([{ type: 'gwinfo', peer: sensor.peer, radius: 2 }])
  })

  it('leaves no record, and GWINFO changes nothing [SN-SGW-4]', () => {
    const world = new World()
    const sensor = world.sensor()
    sensor.send({ type: 'searchgw', radius: 1 })
    sensor.send({ type: 'gwinfo', gwId: 9, gwAdd: new Uint8Array([4, 1, 2, 3, 4]) })
    expect([world.sessions.byPeer.size, world.sessions.byClientId.size]).toEqual([0, 0])
    expect(world.drops()).toEqual(['wrong-direction'])
  })

  it('changes no state, and needs none [SN-SGW-1]', () => {
    const world = new World()
    const sensor = world.sensor()
    sensor.connect('dev1')
    sensor.sleep(300)
    sensor.send({ type: 'searchgw', radius: 1 })
    expect(world.session('dev1').state).toBe('asleep')
    expect(world.effects.at(-1)).toMatchObject({ type: 'gwinfo', peer: sensor.peer })
  })

  it('is answered a limited number of times per source [SN-SGW-4, SN-ROB-3]', () => {
    const world = new World()
    const sensor = world.sensor()
    const answers = () => world.effects.filter(({ type }) => type === 'gwinfo').length
    for (let i = 0; i < 10; i++) world.receive({ type: 'searchgw', radius: 1 }, sensor.peer)
    expect(answers()).toBe(3)
    world.advance(1000)
    sensor.send({ type: 'searchgw', radius: 1 })
    expect(answers()).toBe(4)
  })
})

it('a flood of SEARCHGW is answered to the whole network ten times a second', () => {
  const discovery = createDiscovery(advertising(), 5000)
  let answers = 0
  for (let now = 5000; now < 6000; now += 1) if (mayAnswerAll(discovery, now)) answers += 1
  expect(answers).toBe(10)
})
