// Each alert, finding and event links to a paragraph that exists.

import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { docsOf, SUBJECTS } from '../../src/console/contract/docs.ts'
import { DROPPED } from '../../src/gateway/reports/dropped-messages.ts'
import { EXPLANATIONS } from '../../src/gateway/reports/refusal-texts.ts'

const root = resolve(import.meta.dirname, '../..')
const page = readFileSync(join(root, 'docs/operation.md'), 'utf8')
const anchors = [...page.matchAll(/<a id="([\w-]+)"><\/a>/g)].map(([, id = '']) => id)

describe('the links into the docs', () => {
  it('lead to a paragraph each, and no paragraph is left alone', () => {
    expect([...anchors].sort()).toEqual([...SUBJECTS].sort())
    for (const subject of SUBJECTS) expect(docsOf(subject)).toBe(`/docs/operation#${subject}`)
  })

  it('are in every alert', () => {
    const alerts = readFileSync(join(root, 'deploy/alerts.yml'), 'utf8')
      .split(/- alert: /)
      .slice(1)
    for (const alert of alerts) {
      const [, anchor = ''] = /docs: \/docs\/operation#([\w-]+)/.exec(alert) ?? []
      expect(anchors, alert.split('\n')[0]).toContain(anchor)
    }
  })

  it('name keys of the configuration that exist', () => {
    const keys = readFileSync(join(root, 'docs/configuration.md'), 'utf8')
    const named = [...Object.values(EXPLANATIONS), ...DROPPED.values()].flatMap(
      ({ key }) => key?.split(', ') ?? [],
    )
    const unknown = named.filter(
      (key) => !keys.includes(`\`${key}\``) && !keys.includes(`\`${key.split(/[.[]/)[0]}`),
    )
    expect(unknown).toEqual([])
  })
})
