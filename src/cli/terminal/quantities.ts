// Times and sizes as people read them at a glance.

/** Milliseconds as `0.8 ms`, `340 ms`, `12.3 s`, `5 min 12 s`, `2 h 5 min`, `3 d 4 h`. */
export function span(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000)
  if (milliseconds < 9.95) return `${milliseconds.toFixed(1)} ms`
  if (milliseconds < 999.5) return `${milliseconds.toFixed(0)} ms`
  if (milliseconds < 59_950) return `${(milliseconds / 1000).toFixed(1)} s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 1440) return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
  const hours = Math.floor(minutes / 60)
  return `${Math.floor(hours / 24)} d ${hours % 24} h`
}

/** Octets as `17 B`, `3.2 KiB`, `64 MiB`. */
export function size(octets: number): string {
  let [value, unit] = [octets, 'B']
  for (const larger of ['KiB', 'MiB', 'GiB', 'TiB']) {
    if (value < 1023.95) break
    value /= 1024
    unit = larger
  }
  return `${unit === 'B' || value >= 99.95 ? value.toFixed(0) : value.toFixed(1)} ${unit}`
}

/** A number of things: `1 packet`, `2 packets`. */
export const amount = (number: number, thing: string): string =>
  `${number} ${thing}${number === 1 ? '' : 's'}`

/** `14:03:05.123`, in local time. */
export function clock(at: number): string {
  const time = new Date(at)
  const two = (value: number) => String(value).padStart(2, '0')
  const milliseconds = String(time.getMilliseconds()).padStart(3, '0')
  return `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}.${milliseconds}`
}
