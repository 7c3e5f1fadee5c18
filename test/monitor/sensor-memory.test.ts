// What is remembered of sensors that left: bounded, and dated by the clock as it is set now.

import { afterEach, expect, it, vi } from 'vitest'
import { toWall } from '../../src/clock.ts'
import { Gateway } from '../../src/gateway/gateway.ts'
import { createSensorRules } from '../../src/gateway/rules/sensor-rules.ts'
import { createSensorMemory } from '../../src/monitor/sensor-memory.ts'
import type { Effect } from '../../src/session/events.ts'
import { createSession, type Session } from '../../src/session/session.ts'
import { testConfig } from '../support/gateway.ts'

afterEach(() => void vi.restoreAllMocks())

it('forgets a kept session that is deleted after its departure was forgotten', () => {
  const config = testConfig('embedded', {})
  const gateway = new Gateway(config)
  const { env } = createSensorRules(config, Math.random)
  let tell: (effect: Effect) => void = () => {}
  vi.spyOn(gateway, 'observe').mockImplementation(({ effect }) => {
    tell = (one) => effect?.(one)
    return () => {}
  })
  const memories = createSensorMemory(gateway)
  const leave = (session: Session) =>
    tell({ type: 'changed', session, peer: undefined, from: 'active', to: 'disconnected', why: 'test' })
  const kept = createSession('kept', env)
  gateway.sessions.byClientId.set('kept', kept)
  tell({ type: 'drop', reason: 'queue-full', session: kept })
  leave(kept)
  for (let i = 0; i < 1000; i++) leave(createSession(`s${i}`, env))
  expect(memories.departed().some(({ clientId }) => clientId === 'kept')).toBe(false)
  expect(memories.of('kept').dropped).toEqual({ 'queue-full': 1 })
  gateway.sessions.byClientId.delete('kept')
  tell({ type: 'forget', session: kept })
  expect(memories.of('kept').dropped).toEqual({})
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
