// The files that follow from the schema, and the configuration that comes with the project.

import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { documentedExamples, generatedFiles } from '../../lab/docs/configuration.ts'
import { forwardSchema } from '../../src/config/forward/schema.ts'
import { loadConfig } from '../../src/config/load.ts'
import { alternatives, configModel, modelOf, type Node } from '../../src/config/model.ts'
import { load } from './files.ts'

const root = resolve(import.meta.dirname, '../..')
const read = (name: string) => readFileSync(resolve(root, name), 'utf8')

describe('generated files', () => {
  it.each(Object.entries(generatedFiles()))('%s is what the schema gives', (name, content) => {
    expect(read(name), 'run npx tsx lab/docs/configuration.ts').toBe(content)
  })

  it('describe every key', () => {
    const undescribed = (node: Node, path: string): string[] =>
      alternatives(node).flatMap((one) => [
        ...(one.items ? undescribed(one.items, `${path}[]`) : []),
        ...Object.entries(one.properties ?? {}).flatMap(([key, inner]) => [
          ...(inner.description ? [] : [`${path}.${key}`]),
          ...undescribed(inner, `${path}.${key}`),
        ]),
      ])
    expect(undescribed(configModel(), '')).toEqual([])
    expect(undescribed(modelOf(forwardSchema), 'forward')).toEqual([])
  })

  it('hold examples that are valid', () => {
    for (const [section, example] of Object.entries(documentedExamples)) {
      expect(() => load({ [section]: example }), section).not.toThrow()
    }
  })

  it('include a JSON Schema by which other tools accept and reject as the gateway does', () => {
    const { $schema, ...schema } = JSON.parse(read('docs/gateway.config.schema.json'))
    expect($schema).toContain('json-schema.org/draft-07')
    const validator = z.fromJSONSchema(schema)
    const right = [
      {},
      JSON.parse(read('gateway.config.json')),
      { broker: 'embedded' },
      { $comment: ['one', 'two'], listeners: [{ $comment: 'three' }] },
      { timers: { tRetry: '5s' } },
    ]
    const wrong = [
      { colour: 1 },
      { timers: { tRetry: 'soon' } },
      { gateway: { id: 256 } },
      { log: { level: 'loud' } },
    ]
    for (const value of right) expect(validator.safeParse(value).success, JSON.stringify(value)).toBe(true)
    for (const value of wrong) expect(validator.safeParse(value).success, JSON.stringify(value)).toBe(false)
  })
})

describe('gateway.config.json', () => {
  it('is valid, without warnings, beside a local broker', () => {
    const { config, warnings } = loadConfig({ file: resolve(root, 'gateway.config.json'), env: {} })
    expect(warnings).toEqual([])
    expect(config.broker.url).toBe('mqtt://127.0.0.1:1883')
    expect(config.listeners.map(({ url }) => url)).toEqual(['udp://127.0.0.1:1884'])
  })

  it('names the schema that editors find beside it', () => {
    const { $schema } = JSON.parse(read('gateway.config.json'))
    expect(JSON.parse(read($schema)).properties.listeners).toBeDefined()
  })
})
