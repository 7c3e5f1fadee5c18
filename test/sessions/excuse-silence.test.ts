// Silence while nobody listened: sensors get that time back.

import { expect, it } from 'vitest'
import { excuseSilence } from '../../src/sessions/excuse-silence.ts'
import { World } from '../support/world.ts'

/** A sensor with a keep-alive of 10 s whose gateway was deaf for 20 s. */
function deafFor20Seconds(excuses: boolean) {
  const world = new World()
  const sensor = world.sensor()
  sensor.connect('dev1', { duration: 10 })
  const session = world.session('dev1')
  const since = session.heardAt
  const now = since + 20_000
  if (excuses) excuseSilence(world.sessions, since, now)
  return { world, session, heardAt: session.heardAt - since }
}

it('a sensor has as much time left as it had when nobody listened any more [SN-STA-3]', () => {
  expect(deafFor20Seconds(true).heardAt).toBe(20_000)
  expect(deafFor20Seconds(false).heardAt).toBe(0)
})

it('nobody counts as heard later than now', () => {
  const { world, session } = deafFor20Seconds(true)
  const { heardAt } = session
  excuseSilence(world.sessions, heardAt - 5000, heardAt)
  expect(session.heardAt).toBe(heardAt)
})

it('the time of sessions without a sensor is not touched', () => {
  const world = new World()
  const sensor = world.sensor()
  sensor.connect('dev1', { cleanSession: false })
  sensor.send({ type: 'disconnect', duration: null })
  const session = world.session('dev1')
  const { heardAt } = session
  excuseSilence(world.sessions, heardAt, heardAt + 20_000)
  expect(session.heardAt).toBe(heardAt)
})
