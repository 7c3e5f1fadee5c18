// A sensor with more topic names than it may have is named in the log, and not more often than once a minute.

import { expect, it } from 'vitest'
import { createTopicWarnings } from '../../src/gateway/reports/topic-warnings.ts'
import { createLog } from '../../src/log.ts'
import { World } from '../support/world.ts'

it('names each sensor once a minute, however many of its names are forgotten', () => {
  const lines: string[] = []
  const log = createLog(
    { level: 'info', format: 'json', payloads: false },
    { write: (line: string) => void lines.push(line) },
  )
  const world = new World()
  for (const [i, clientId] of ['a', 'b'].entries()) world.sensor('10.0.0.1', 5000 + i).connect(clientId)
  let now = 0
  const warn = createTopicWarnings(log, () => now)
  for (; now <= 60_000; now += 100) {
    warn(world.session('a'))
    if (now === 500) warn(world.session('b'))
  }
  const named = lines.map((line) => JSON.parse(line)).map(({ clientId, level }) => [clientId, level])
  expect(named).toEqual([
    ['a', 'warn'],
    ['b', 'warn'],
    ['a', 'warn'],
  ])
})
