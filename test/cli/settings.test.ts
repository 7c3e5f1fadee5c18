// The configuration file checked and loaded from the console of a running program, as at SIGHUP.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { HappeningList } from '../../src/console/contract/happenings.ts'
import type { CheckReport, ReloadAnswer, SettingsReport } from '../../src/console/contract/settings.ts'
import { settings as base, start } from '../support/process.ts'

it('is checked, refused with line and key, and applied', { timeout: 60_000 }, async () => {
  const content = { console: { enabled: true, url: 'http://127.0.0.1:0' }, store: { type: 'memory' } }
  const gateway = await start(content, '-c', 'c.json')
  const { console: url } = (await gateway.said('gateway started')) as unknown as { console: string }
  const file = join(gateway.directory, 'c.json')
  const ask = async <Answer>(path: string, method = 'GET'): Promise<Answer> =>
    (await fetch(url + path, { method })).json() as Promise<Answer>
  const report = await ask<SettingsReport>('/api/settings')
  expect([report.reloadable, report.file?.endsWith('c.json')]).toEqual([true, true])
  expect(await ask<CheckReport>('/api/settings/check', 'POST')).toMatchObject({
    valid: true,
    applied: [],
    waiting: [],
  })

  writeFileSync(file, JSON.stringify({ ...base, ...content, limits: { sensors: 77 }, workers: 2 }))
  const expected = { valid: true, applied: ['limits.sensors'], waiting: ['workers'] }
  expect(await ask<CheckReport>('/api/settings/check', 'POST')).toMatchObject(expected)
  expect(await ask<ReloadAnswer>('/api/settings/reload', 'POST')).toMatchObject({ ...expected, ended: [] })
  await gateway.said('configuration: limits applied')
  const { settings } = await ask<SettingsReport>('/api/settings')
  expect(settings.find(({ path }) => path === 'limits.sensors')).toMatchObject({ value: 77, changed: true })

  writeFileSync(file, JSON.stringify({ ...base, ...content, limits: { sensors: 'many' } }, undefined, 1))
  const wrong = await ask<ReloadAnswer>('/api/settings/reload', 'POST')
  expect(wrong.valid).toBe(false)
  expect(wrong.problems).toMatchObject([{ path: 'limits.sensors', line: expect.any(Number) }])
  const { items } = await ask<HappeningList>('/api/happenings?kind=reload')
  expect(items.map(({ tone }) => tone)).toEqual(['bad', 'warn', 'good'])
})
