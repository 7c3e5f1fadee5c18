// What Home Assistant's Supervisor accepts as an app (add-on): its configuration, its translations, and its options.

import { z } from 'zod'

const element = z
  .string()
  .regex(
    /^(?:bool|email|url|port|device(?:\(subsystem=[a-z]+\))?|(?:str|password|int)(?:\(\d*,\d*\))?|float(?:\([\d.]*,[\d.]*\))?|match\(.*\)|list\(.+\))\??$/,
  )
const elements = z.record(z.string(), z.union([element, z.array(element).length(1)]))
const port = z.string().regex(/^\d{1,5}\/(?:tcp|udp)$/)

/** `config.yaml`: every key is one that the Supervisor knows, with a value that it takes. */
export const appConfig = z
  .strictObject({
    name: z.string().min(1),
    version: z.string().regex(/^\d+\.\d+\.\d+$/),
    slug: z.string().regex(/^[-_.A-Za-z0-9]+$/),
    description: z.string().min(1),
    arch: z.array(z.enum(['aarch64', 'amd64'])).min(1),
    startup: z.enum(['initialize', 'system', 'services', 'application', 'once']),
    boot: z.enum(['auto', 'manual', 'manual_only']),
    stage: z.enum(['stable', 'experimental', 'deprecated']),
    backup: z.enum(['hot', 'cold']),
    timeout: z.int().min(10).max(300),
    services: z.array(z.string().regex(/^(?:mqtt|mysql):(?:provide|want|need)$/)),
    map: z.array(
      z.strictObject({
        type: z.enum([
          'data', 'homeassistant_config', 'addon_config', 'ssl', 'addons', 'backup', 'share', 'media', 'all_addon_configs',
        ]), // biome-ignore format: one line reads better
        read_only: z.boolean().default(true),
        path: z.string().optional(),
      }),
    ),
    ports: z.record(port, z.int().min(1).max(65_535).nullable()),
    ingress: z.boolean(),
    ingress_port: z.int().min(0).max(65_535),
    panel_icon: z.string().regex(/^mdi:[a-z0-9-]+$/),
    panel_title: z.string(),
    panel_admin: z.boolean(),
    watchdog: z.string().regex(/^(?:https?|\[PROTO:\w+\]|tcp):\/\/\[HOST\]:(?:\[PORT:\d+\]|\d+).*$/),
    options: z.record(z.string(), z.unknown()),
    schema: z.record(
      z.string(),
      z.union([element, z.array(z.union([element, elements])).length(1), elements]),
    ),
  })
  // an option with a default is a required one, and one without must be marked
  .superRefine(({ options, schema }, { addIssue }) => {
    for (const [key, kind] of Object.entries(schema)) {
      const isOptional = typeof kind === 'string' && kind.endsWith('?')
      if (isOptional === key in options) addIssue(`${key}: either a default, or "?"`)
    }
    for (const key of Object.keys(options)) if (!(key in schema)) addIssue(`${key}: not in the schema`)
  })

export type AppConfig = z.output<typeof appConfig>

const words = z.strictObject({ name: z.string().min(1), description: z.string().min(1).optional() })

/** `translations/en.yaml`. */
export const translations = z.strictObject({
  configuration: z.record(z.string(), words.extend({ fields: z.record(z.string(), words).optional() })),
  network: z.record(port, z.string().min(1)),
})

function fits(kind: string, value: unknown): boolean {
  const [, type = '', range = ''] = /^(\w+)(?:\((.*)\))?\??$/.exec(kind) ?? []
  if (type === 'bool') return typeof value === 'boolean'
  if (type === 'int') {
    const [least = '', most = ''] = range.split(',')
    const inRange = Number(value) >= Number(least || -Infinity) && Number(value) <= Number(most || Infinity)
    return Number.isInteger(value) && inRange
  }
  if (typeof value !== 'string') return false
  if (type === 'match') return new RegExp(range).test(value)
  return type !== 'list' || range.split('|').includes(value)
}

/** What is wrong with options, as the Supervisor sees it before it starts the app. */
export function wrongOptions({ schema }: AppConfig, options: Readonly<Record<string, unknown>>): string[] {
  const check = (kind: AppConfig['schema'][string] | undefined, value: unknown): boolean => {
    if (kind === undefined) return false
    if (typeof kind === 'string') return fits(kind, value)
    if (Array.isArray(kind)) return Array.isArray(value) && value.every((one) => check(kind[0], one))
    if (typeof value !== 'object' || value === null) return false
    const given = Object.entries(value)
    return given.length === Object.keys(kind).length && given.every(([key, one]) => check(kind[key], one))
  }
  const isNeeded = (kind: unknown) => !(typeof kind === 'string' && kind.endsWith('?'))
  return [
    ...Object.entries(options).flatMap(([key, value]) => (check(schema[key], value) ? [] : [key])),
    ...Object.keys(schema).filter((key) => isNeeded(schema[key]) && !(key in options)),
  ]
}
