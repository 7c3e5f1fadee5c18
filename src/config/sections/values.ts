// The kinds of values in the configuration, each with the words that tell what was expected. zod's `error` is that text.
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these references are resolved by the gateway

import { z } from 'zod'
import { isText, isTopicFilter, isTopicName } from '../../mqtt-topics.ts'
import { expandTemplate, type Variable } from './template.ts'
import { DURATION, formatDuration, formatSize, parseDuration, parseSize, SIZE } from './units.ts'

/** What a schema says beyond JSON Schema: how the documentation calls the kind, and how to treat the text. */
export interface Kind {
  /** how the documentation calls it */
  kind?: string
  /** variables that are filled in at run time */
  template?: readonly Variable[]
  /** never shown */
  secret?: boolean
}

/** Carries the `Kind` of a schema into its JSON Schema, under one extra keyword. */
export const kind = (facts: Kind): { 'x-mqttsn': Kind } => ({ 'x-mqttsn': facts })

/** A whole number. */
export const whole = (min: number, max: number) => {
  const error = `a whole number from ${min} to ${max}`
  return z.number({ error }).int({ error }).min(min, { error }).max(max, { error })
}

/** true or false. */
export const yesNo = () => z.boolean({ error: 'true or false' })

/** One of a few words. */
export const oneOf = <const T extends readonly string[]>(...words: T) =>
  z.enum(words, { error: `one of ${words.map((word) => `"${word}"`).join(', ')}` })

/** A text of bounded length; empty only if `min` is 0. */
export const text = (expected: string, min = 1, max = 1024) =>
  z.string({ error: expected }).min(min, { error: expected }).max(max, { error: expected })

/** A list of bounded length, empty by default. */
export const list = <T extends z.ZodType>(element: T, max = 1000) =>
  z.array(element, { error: 'a list [ ... ]' }).max(max, { error: `at most ${max} entries` })

interface Range {
  readonly min: number
  readonly max: number
  /** what 0 means, where it is allowed besides the range */
  readonly zero?: string
}

interface Unit {
  readonly kind: string
  readonly example: string
  readonly shape: RegExp
  parse(value: string | number): number | undefined
  format(value: number): string
}

const DURATIONS: Unit = {
  kind: 'duration',
  example: '10 (seconds), "500ms" or "20m"',
  shape: DURATION,
  parse: parseDuration,
  format: formatDuration,
}
const SIZES: Unit = {
  kind: 'size',
  example: '1024 (octets), "64KiB" or "4MiB"',
  shape: SIZE,
  parse: parseSize,
  format: formatSize,
}

// A codec, so that the effective configuration can be written back as people write it.
function measure({ min, max, zero }: Range, unit: Unit) {
  const off = zero === undefined ? '' : `, or 0 (${zero})`
  const error = `a ${unit.kind} from ${unit.format(min)} to ${unit.format(max)}${off}, such as ${unit.example}`
  return z
    .codec(
      z.union([z.number().min(0, { error }), z.string().regex(unit.shape, { error })], { error }),
      z.number(),
      {
        decode(value, context) {
          const result = unit.parse(value)
          if (
            result !== undefined &&
            ((result >= min && result <= max) || (result === 0 && zero !== undefined))
          )
            return result
          context.issues.push({ code: 'custom', message: error, input: value })
          return z.NEVER
        },
        encode: unit.format,
      },
    )
    .meta(kind({ kind: unit.kind }))
}

/** A duration in milliseconds, written in seconds or with a unit. */
export const duration = (range: Range) => measure(range, DURATIONS)

/** A number of octets, written as number or with a unit. */
export const size = (range: Range) => measure(range, SIZES)

/** A ClientId pattern with `*` and `?`. */
export const glob = () =>
  text('a ClientId pattern of 1 to 256 characters, * and ? are wildcards', 1, 256).meta(
    kind({ kind: 'pattern' }),
  )

/** A text with variables. */
export const template = (variables: readonly Variable[], expected: string) =>
  text(expected, 0, 65_535).meta(kind({ kind: 'template', template: variables }))

/** A text with variables that goes into MQTT packets as one: a ClientId or a user name [MQTT 1.5.4]. */
export const nameTemplate = (variables: readonly Variable[], expected: string) => {
  const error = `${expected}, without control characters`
  const isLegal = (value: string) =>
    value === '' || isText(expandTemplate(value, { clientId: 'x', identity: 'x', gatewayId: 1 }))
  return text(error, 0, 65_535)
    .refine(isLegal, { error })
    .meta(kind({ kind: 'template', template: variables }))
}

/** PEM text; the common mistake is to give the file's name. */
export const pem = (facts: Kind) => {
  const error = 'PEM text ("-----BEGIN ..."); a file is read with "${file:name.pem}"'
  return text(error, 0, 1024 * 1024)
    .refine((value) => value === '' || value.includes('-----BEGIN '), { error })
    .meta(kind({ kind: 'PEM', ...facts }))
}

/** A topic name without wildcards, which may hold `${clientId}` [MQTT 4.7]. */
export const topicName = () => {
  const error = 'an MQTT topic name of at most 200 levels, without wildcards and control characters'
  return text(error, 1, 65_535)
    .refine((value) => isTopicName(expandTemplate(value, { clientId: 'x', identity: 'x' })), { error })
    .meta(kind({ kind: 'topic name', template: ['clientId', 'identity'] }))
}

/** A topic filter that may hold variables of the sensor, or `!` and one that is excepted. */
export const permissionFilter = () => {
  const error = 'an MQTT topic filter, such as "sensors/${clientId}/#", or "!" and one that is excepted'
  const isLegal = (value: string) =>
    isTopicFilter(expandTemplate(value.replace(/^!/, ''), { clientId: 'x', identity: 'x' }))
  return text(error, 1, 65_535)
    .refine(isLegal, { error })
    .meta(kind({ kind: 'topic filter', template: ['clientId', 'identity'] }))
}

/** A topic filter [MQTT 4.7]. */
export const topicFilter = () => {
  const error = 'an MQTT topic filter, such as "#" or "sensors/+/state"'
  return text(error, 1, 65_535)
    .refine(isTopicFilter, { error })
    .meta(kind({ kind: 'topic filter' }))
}
