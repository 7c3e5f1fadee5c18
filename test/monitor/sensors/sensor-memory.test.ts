// What is remembered of sensors that left: bounded, and dated by the clock as it is set now.

import { afterEach, expect, it, vi } from 'vitest'
import { toWall } from '../../../src/clock.ts'
import { Gateway } from '../../../src/gateway/gateway.ts'
import { createSensorRules } from '../../../src/gateway/rules/sensor-rules.ts'
import { createRoster } from '../../../src/monitor/sensors/roster.ts'
import { unlabelled } from '../../../src/monitor/sensors/sensor-info.ts'
import { createSensorMemory } from '../../../src/monitor/sensors/sensor-memory.ts'
import type { Effect } from '../../../src/session/events.ts'
import { createSession, type Session } from '../../../src/session/session.ts'
import { testConfig } from '../../support/gateway.ts'

afterEach(() => void vi.restoreAllMocks())

it('forgets a kept session that is deleted after its departure was forgotten', () => {
  const config = testConfig('embedded', {})
  const gateway = new Gateway(config)
  const { env } = createSensorRules(config, Math.random)
  const observers: ((effect: Effect) => void)[] = []
  vi.spyOn(gateway, 'observe').mockImplementation(({ effect }) => {
    if (effect !== undefined) observers.push(effect)
    return () => {}
  })
  const tell = (effect: Effect) => {
    for (const observe of observers) observe(effect)
  }
  const memories = createSensorMemory(gateway)
  const roster = createRoster({ gateway, memories, labelOf: () => unlabelled, sensors: () => 10 })
  const leave = (session: Session) =>
    tell({ type: 'changed', session, peer: undefined, from: 'active', to: 'disconnected', why: 'test' })
  const kept = createSession('kept', env)
  gateway.sessions.byClientId.set('kept', kept)
  tell({ type: 'drop', reason: 'queue-full', session: kept })
  leave(kept)
  for (let i = 0; i < 1000; i++) leave(createSession(`s${i}`, env))
  expect(roster.list({ offset: 0, limit: 5000 }).total).toBe(1001)
  expect(memories.of('kept').dropped).toEqual({ 'queue-full': 1 })
  gateway.sessions.byClientId.delete('kept')
  expect(roster.departed('kept')).toBe(undefined)
  expect(roster.count()).toMatchObject({ departed: 1000, forgotten: 0 })
  tell({ type: 'forget', session: kept })
  expect(memories.of('kept').dropped).toEqual({})
  leave(createSession('last', env))
  expect(roster.count()).toMatchObject({ departed: 1000, forgotten: 1 })
  const tomorrow = Date.now() + 90_000_000
  vi.spyOn(Date, 'now').mockImplementation(() => tomorrow)
  expect(roster.count()).toMatchObject({ departed: 0, forgotten: 1001 })
})

it('tells times by the clock as it is set now', () => {
  expect(Math.abs(toWall(performance.now()) - Date.now())).toBeLessThan(50)
  const year = 365 * 86_400_000
  const set = Date.now() + year
  vi.spyOn(Date, 'now').mockImplementation(() => set)
  expect(Math.abs(toWall(performance.now()) - set)).toBeLessThan(50)
  vi.restoreAllMocks()
  expect(Math.abs(toWall(performance.now()) - Date.now())).toBeLessThan(50)
})
