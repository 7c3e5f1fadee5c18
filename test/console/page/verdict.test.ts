// The verdict of the overview, without a browser: what counts as all right, and what does not.

import { describe, expect, it } from 'vitest'
import type { Happening } from '../../../src/console/contract/happenings.ts'
import { type Condition, checks } from '../../../src/console/page/data/health.ts'
import type { Recent } from '../../../src/console/page/data/lately.ts'
import { verdict } from '../../../src/console/page/data/verdict.ts'
import { FakeView } from '../fake-view.ts'

const TWINS = {
  ...{ id: '1', at: 0, firstAt: 0, times: 1, kind: 'contested', tone: 'bad' },
  clientId: 'pump-3',
} as Happening

const quiet: Recent = { drops: {}, datagrams: 1000, lost: 0, refused: 0, refusals: 0, kernelDrops: 0 }

/** A gateway of a hundred sensors where all is well, but for what is changed. */
function condition(changed: {
  sensors?: Record<string, number>
  info?: Partial<Condition['info']>
  recent?: Partial<Recent>
}): Condition {
  const view = new FakeView(0)
  const info = view.info()
  return {
    info: { ...info, ...changed.info, sensors: { ...info.sensors, active: 100, ...changed.sensors } },
    broker: view.broker(),
    listeners: view.listeners(),
    recent: { ...quiet, ...changed.recent },
  }
}
const judge = (changed: Parameters<typeof condition>[0]) => verdict(checks(condition(changed)))

describe('the verdict of the overview', () => {
  it('is good where nothing is wrong, and then says so alone', () => {
    expect(judge({})).toMatchObject({ tone: 'good', headline: 'Everything works.', next: '' })
  })

  it('never says that everything works over sensors that were lost, also if they are not listed any more', () => {
    const headlines = [
      judge({ sensors: { active: 0, lost: 4000 } }),
      judge({ recent: { lost: 4000 }, info: { forgotten: 4000 } }),
      judge({ sensors: { lost: 20 } }),
    ]
    expect(headlines.map(({ tone, headline }) => [tone, headline])).toEqual([
      ['bad', '4,000 of 4,000 sensors are lost.'],
      ['warn', '4,000 sensors lost within five minutes.'],
      ['warn', '20 of 120 sensors are lost.'],
    ])
  })

  it('tells of a few lost sensors without an alarm', () => {
    expect(judge({ sensors: { lost: 2 } })).toMatchObject({
      tone: 'good',
      next: '100 listening, 0 asleep, 2 lost.',
    })
  })

  it.each([
    ['refusals', { recent: { refusals: 3 } }, /refused 3 times/],
    ['dead letters', { info: { deadLetters: 1 } }, /will not have 1 message/],
    ['two devices with one ClientId', { recent: { twins: TWINS } }, /Two devices have the ClientId pump-3/],
    [
      'an overflow',
      { recent: { drops: { 'queue-full': 80 } } },
      /80 messages dropped within five minutes: queue full/,
    ],
    ['full queues', { info: { queuesFull: true } }, /limit for what waits/],
    ['a broker that refuses logins', { recent: { refused: 2 } }, /refused 2 connections/],
  ])('wants a look at %s, with what to do and a paragraph of the docs', (_what, changed, headline) => {
    const { tone, headline: found, next, reasons } = judge(changed)
    expect([tone, found]).toEqual(['warn', expect.stringMatching(headline)])
    expect(next).not.toBe('')
    expect(reasons).toEqual([expect.objectContaining({ docs: expect.stringMatching(/^\/docs\/operation#/) })])
  })

  it('counts several things, and names the worst as the headline if it is bad', () => {
    const several = judge({ recent: { refusals: 3 }, info: { deadLetters: 1 } })
    expect(several.headline).toBe('It works, but 2 things need a look.')
    const bad = judge({ recent: { refusals: 3, kernelDrops: 9 } })
    expect(bad.headline).toBe('The operating system lost 9 datagrams within five minutes.')
    expect(bad.reasons.map(({ id }) => id)).toEqual(['listeners', 'refusals'])
  })
})
