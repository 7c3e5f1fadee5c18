// docs/brokers.md: what the table of abilities gives.

import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect, it } from 'vitest'
import { brokersDocument } from '../../lab/docs/brokers.ts'

it('docs/brokers.md is what the table of abilities gives', () => {
  const file = resolve(import.meta.dirname, '../../docs/brokers.md')
  expect(readFileSync(file, 'utf8'), 'run npx tsx lab/docs/brokers.ts').toBe(brokersDocument())
})
