// Durations and sizes as people write them: "10s", "20m", "64KiB". Pure.

const MILLISECONDS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const
const OCTETS = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 } as const

/** A duration as text: a number, then a unit; without unit it is seconds. */
export const DURATION = /^\d+(\.\d+)?(ms|s|m|h|d)?$/
/** A size as text: a number, then a unit; without unit it is octets. */
export const SIZE = /^\d+(\.\d+)?(B|KiB|MiB|GiB)?$/

function parse<U extends string>(text: string, shape: RegExp, units: Readonly<Record<U, number>>, plain: U) {
  if (!shape.test(text)) return undefined
  const unit = text.replace(/^[\d.]+/, '')
  const factor = Object.entries<number>(units).find(([name]) => name === unit)?.[1] ?? units[plain]
  return Math.round(Number.parseFloat(text) * factor)
}

function format(value: number, units: Readonly<Record<string, number>>, smallest: string): string {
  const fitting = Object.entries(units).filter(([, factor]) => value >= factor && value % factor === 0)
  const [unit, factor] = fitting.at(-1) ?? [smallest, 1]
  return `${value / factor}${unit}`
}

/** Milliseconds from "500ms", "10s", "20m", "2h", "7d", or a number of seconds; undefined if it is none of these. */
export const parseDuration = (value: string | number): number | undefined =>
  typeof value === 'number' ? Math.round(value * 1000) : parse(value, DURATION, MILLISECONDS, 's')

/** The shortest exact text for milliseconds. */
export const formatDuration = (ms: number): string => (ms === 0 ? '0s' : format(ms, MILLISECONDS, 'ms'))

/** Octets from "64KiB", "4MiB", "1GiB", or a number of octets; undefined if it is none of these. */
export const parseSize = (value: string | number): number | undefined =>
  typeof value === 'number' ? Math.round(value) : parse(value, SIZE, OCTETS, 'B')

/** The shortest exact text for octets. */
export const formatSize = (octets: number): string => format(octets, OCTETS, 'B')
