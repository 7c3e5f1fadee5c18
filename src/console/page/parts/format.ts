// Numbers, times and octets as people read them. Pure.

const number = new Intl.NumberFormat('en-US')
const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' })
const day = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' })

/** 12,345 */
export const count = (value: number | undefined): string => number.format(value ?? 0)

/** `1 message`, `2 messages` */
export const plural = (value: number, word: string): string =>
  `${count(value)} ${word}${value === 1 ? '' : 's'}`

/** A rate per second: two digits where it is small. */
export function rate(value: number | null | undefined): string {
  if (value === undefined || value === null || !Number.isFinite(value)) return '–'
  if (value === 0) return '0'
  if (value < 10) return value.toFixed(1)
  return number.format(Math.round(value))
}

/** A rate in the unit in which it is a number: `12/s`, `4/min`, `1.5/h` */
export function ratePerMinute(value: number): string {
  if (value >= 120) return `${rate(value / 60)}/s`
  if (value >= 1) return `${rate(value)}/min`
  return `${rate(value * 60)}/h`
}

/** 212 KiB */
export function octets(value: number): string {
  if (value < 1024) return plural(value, 'octet')
  const [unit, size] =
    value < 1024 ** 2
      ? (['KiB', 1024] as const)
      : value < 1024 ** 3
        ? (['MiB', 1024 ** 2] as const)
        : (['GiB', 1024 ** 3] as const)
  const scaled = value / size
  return `${scaled < 10 ? scaled.toFixed(1).replace(/\.0$/, '') : number.format(Math.round(scaled))} ${unit}`
}

/** 14:03:07, with the day if it is not today */
export function time(at: number, now = Date.now()): string {
  const date = new Date(at)
  const today = date.toDateString() === new Date(now).toDateString()
  return today ? clock.format(date) : `${day.format(date)}, ${clock.format(date)}`
}

/** 14:03:07.250 */
export const preciseTime = (at: number): string =>
  `${clock.format(new Date(at))}.${String(Math.floor(at % 1000)).padStart(3, '0')}`

/** `5 s`, `3 min 20 s`, `2 h 5 min`, `4 d 3 h` */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds))
  const pair = (big: number, bigUnit: string, small: number, smallUnit: string) =>
    small === 0 ? `${big} ${bigUnit}` : `${big} ${bigUnit} ${small} ${smallUnit}`
  if (whole < 60) return `${whole} s`
  if (whole < 3600) return pair(Math.floor(whole / 60), 'min', whole % 60, 's')
  if (whole < 86400) return pair(Math.floor(whole / 3600), 'h', Math.floor((whole % 3600) / 60), 'min')
  return pair(Math.floor(whole / 86400), 'd', Math.floor((whole % 86400) / 3600), 'h')
}

/** `just now`, `5 s ago`, `3 min ago`: one unit only, for lists */
export function ago(at: number | null | undefined, now = Date.now()): string {
  if (at === undefined || at === null) return 'never'
  const seconds = Math.floor((now - at) / 1000)
  if (seconds < 1) return 'just now'
  if (seconds < 60) return `${seconds} s ago`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ago`
  return `${Math.floor(seconds / 86400)} d ago`
}

/** `in 3 min 5 s`, or `3 s ago` once it has passed */
export const until = (at: number, now = Date.now()): string =>
  at >= now ? `in ${duration((at - now) / 1000)}` : `${duration((now - at) / 1000)} ago`

/** Octets as a hex dump: lines of offset, hex and printable characters. */
export function hexDump(bytes: Uint8Array, width = 16): string {
  const lines: string[] = []
  for (let at = 0; at < bytes.length; at += width) {
    const part = [...bytes.slice(at, at + width)]
    const hex = part.map((octet) => octet.toString(16).padStart(2, '0')).join(' ')
    const text = part.map((octet) => (octet > 31 && octet < 127 ? String.fromCharCode(octet) : '.')).join('')
    lines.push(`${at.toString(16).padStart(4, '0')}  ${hex.padEnd(width * 3 - 1)}  ${text}`)
  }
  return lines.join('\n')
}

/** `0a0c` as octets; whatever is not hex counts as nothing. */
export const fromHex = (hex: string | undefined): Uint8Array =>
  Uint8Array.from((hex ?? '').match(/[0-9a-f]{2}/gi) ?? [], (pair) => Number.parseInt(pair, 16))

export const toHex = (bytes: Uint8Array): string =>
  [...bytes].map((octet) => octet.toString(16).padStart(2, '0')).join('')
