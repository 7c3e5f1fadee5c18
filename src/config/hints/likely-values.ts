// What was probably meant by a value that is refused: another spelling of it that would be right. Pure.

import { nearest } from '../reading/nearest.ts'
import { formatDuration, formatSize } from '../sections/units.ts'
import { likelyNetwork, likelyUrl } from './likely-addresses.ts'

/** What the schema says of a place. */
export interface Wanted {
  readonly types: ReadonlySet<string>
  readonly words: readonly string[]
  /** how the documentation calls the kind */
  readonly kind: string
  readonly keys: readonly string[]
  /** of an object: the key among whose words the value is */
  keyOf(word: string): string | undefined
  /** the path without positions */
  readonly section: string
  /** the words of the complaint */
  readonly expected: string
}

type Rule = (value: unknown, wanted: Wanted) => unknown

/** The value that was meant stands in `right`; a rule that fits gives that, or a sentence. */
const sentence = (text: string): { readonly says: string } => ({ says: text })

const YES = /^(true|yes|on|y|enabled?)$/i
const NO = /^(false|no|off|n|disabled?)$/i

const truth: Rule = (value, { types }) => {
  if (!types.has('boolean')) return undefined
  if (value === 0 || value === 1) return value === 1
  return typeof value !== 'string' ? undefined : YES.test(value) ? true : NO.test(value) ? false : undefined
}

const number: Rule = (value, { types, kind }) => {
  if (!types.has('integer') && !types.has('number')) return undefined
  if (typeof value !== 'string' || /^duration|size$/.test(kind)) return undefined
  const digits = value.trim().replace(/(?<=\d)[_ ,.](?=\d{3}(?:\D|$))/g, '')
  return /^\d{1,15}$/.test(digits) ? Number(digits) : undefined
}

/** Words as other programs have them, without blanks and dashes; the one that a place knows counts. */
const SYNONYMS: Readonly<Record<string, readonly string[]>> = {
  warn: ['warning', 'notice'],
  info: ['information', 'informational', 'normal'],
  debug: ['verbose', 'all'],
  fatal: ['critical', 'alert', 'emergency'],
  silent: ['none', 'off', 'quiet', 'false'],
  lmdb: ['disk', 'file', 'persistent', 'database', 'durable'],
  postgres: ['postgresql', 'pg', 'psql', 'sql', 'pgsql', 'timescaledb'],
  memory: ['ram', 'none', 'volatile'],
  pretty: ['text', 'plain', 'console'],
  json: ['structured', 'ndjson'],
  '5': ['v5', '5.0', 'mqtt5', 'mqttv5', 'mqttv50'],
  '3.1.1': ['v311', '311', 'mqttv311', 'mqtt311', '4', '3', '3.1', 'mqttv31'],
  refuse: ['reject', 'deny'],
  'drop-oldest': ['oldest', 'dropold'],
  'drop-newest': ['newest', 'dropnew'],
  'latest-per-topic': ['latest', 'last', 'lastvalue'],
  any: ['all', 'anywhere'],
  port: ['true', 'ports', 'on'],
  off: ['false', 'none', 'never', 'no'],
  always: ['true', 'yes'],
  never: ['false', 'no'],
  store: ['gateway', 'disk', 'spool'],
}

const word: Rule = (value, { words }) => {
  if (
    words.length === 0 ||
    (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean')
  )
    return undefined
  const text = String(value)
  const same = words.find((one) => one.toLowerCase() === text.trim().toLowerCase())
  const plain = text.toLowerCase().replace(/[\s_-]/g, '')
  const synonym = words.find((one) => SYNONYMS[one]?.includes(plain))
  return same ?? synonym ?? (typeof value === 'string' ? nearest(text, words) : undefined)
}

const DURATIONS: readonly [RegExp, number][] = [
  [/^(ms|msecs?|millis|milliseconds?)$/, 1],
  [/^(s|secs?|seconds?)$/, 1000],
  [/^(m|mins?|minutes?)$/, 60_000],
  [/^(h|hrs?|hours?)$/, 3_600_000],
  [/^(d|days?)$/, 86_400_000],
  [/^(w|wks?|weeks?)$/, 604_800_000],
]
const SIZES: readonly [RegExp, number][] = [
  [/^(b|bytes?|octets?)$/, 1],
  [/^(k|ki|kb|kib|kbytes?|kilobytes?)$/, 1024],
  [/^(m|mi|mb|mib|mbytes?|megabytes?)$/, 1024 ** 2],
  [/^(g|gi|gb|gib|gbytes?|gigabytes?)$/, 1024 ** 3],
]

/** The sum of numbers with units, such as `1h 30 min`; undefined if something else is in the text. */
function sum(text: string, units: readonly [RegExp, number][]): number | undefined {
  const plain = text
    .trim()
    .toLowerCase()
    .replace(/^pt?(?=\d)/, '')
    .replace(/(?<=\d),(?=\d)/g, '.')
  if (!/^(?:\d+(?:\.\d+)?\s*[a-z]+[\s,]*)+$/.test(plain)) return undefined
  let total = 0
  for (const [, digits = '', unit = ''] of plain.matchAll(/(\d+(?:\.\d+)?)\s*([a-z]+)/g)) {
    const factor = units.find(([shape]) => shape.test(unit))?.[1]
    if (factor === undefined) return undefined
    total += Number(digits) * factor
  }
  return Math.round(total)
}

const duration: Rule = (value, { kind, expected }) => {
  if (!kind.startsWith('duration')) return undefined
  if (typeof value === 'number' && value >= 1000) {
    const meant = formatDuration(Math.round(value))
    return sentence(`a number is seconds; ${value} milliseconds are "${meant}"`)
  }
  if (typeof value !== 'string') return undefined
  if (kind.includes('never') && /^(never|off|none|no|unlimited|infinite|infinity)$/i.test(value))
    return 'never'
  if (/^(never|off|none|no|unlimited|infinite|disabled)$/i.test(value))
    return expected.includes(', or 0 (') ? 0 : undefined
  const meant = sum(value, DURATIONS)
  return meant === undefined ? undefined : formatDuration(meant)
}

const size: Rule = (value, { kind }) => {
  if (!kind.endsWith('size') || typeof value !== 'string') return undefined
  const meant = sum(value, SIZES)
  return meant === undefined ? undefined : formatSize(meant)
}

const address: Rule = (value, { kind, section }) => {
  if (typeof value !== 'string' && typeof value !== 'number') return undefined
  if (kind === 'network') return likelyNetwork(String(value))
  if (section === 'console.url' && /^https:/i.test(String(value)))
    return sentence('the console has no TLS: write http://, and put a proxy in front')
  return kind.startsWith('url') || section === 'broker' ? likelyUrl(section, String(value)) : undefined
}

const container: Rule = (value, { types, keys, keyOf }) => {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
  if (types.has('array') && !types.has('object') && !Array.isArray(value) && value !== null)
    return sentence(isObject ? 'write it as [ { ... } ]' : 'write it as [ ... ], also if it is one')
  if (!types.has('object') || isObject) return undefined
  if (Array.isArray(value) && value.length === 1) return sentence('write it without [ ]')
  if (typeof value === 'boolean' && keys.includes('enabled')) return { enabled: value }
  const key = typeof value === 'string' ? keyOf(value) : undefined
  if (key !== undefined) return { [key]: value }
  return undefined
}

const text: Rule = (value, { types }) =>
  types.has('string') && !types.has('number') && (typeof value === 'number' || typeof value === 'boolean')
    ? String(value)
    : undefined

const nothing: Rule = (value) =>
  value === null ? sentence('the key has no value: give it one, or leave it out') : undefined

/** The first that fits counts. */
const RULES: readonly Rule[] = [nothing, truth, number, word, duration, size, address, container, text]

/** How a value would be right, in words; undefined where nothing is likely. Holds a part of the value: never ask for a secret. */
export function likelyValueHint(value: unknown, wanted: Wanted): string | undefined {
  for (const rule of RULES) {
    const right = rule(value, wanted)
    if (right === undefined || right === value) continue
    if (isSentence(right)) return right.says
    const text = `write ${JSON.stringify(right)}`
    if (String(right) !== String(value).trim()) return text
    return `${text}, ${typeof right === 'string' ? 'in' : 'without'} quotes`
  }
  return undefined
}

const isSentence = (right: unknown): right is ReturnType<typeof sentence> =>
  typeof right === 'object' && right !== null && 'says' in right
