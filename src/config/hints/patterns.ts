// Patterns that are legal and were probably meant otherwise: regular expressions, wildcards of SQL and of MQTT, lists. Pure.

/** What in a ClientId pattern belongs to another language. */
const FOREIGN: readonly [shape: RegExp, what: string][] = [
  [/\\[dwsDWSbB.*+?$^()[\]-]/, 'a regular expression'],
  [/\[\^|\[[^\]]*\w-\w[^\]]*\]|\][*+?{]/, 'a regular expression'],
  [
    /(?:^|[^\p{L}\p{N}])\.\*|\.\+|\)[*+?{]|\w[+](?:$|[^\p{L}\p{N}])|\{\d+(?:,\d*)?\}/u,
    'a regular expression',
  ],
  [/^\^|\$$|\|/, 'a regular expression'],
  [/^\/.+\/[gimsuy]*$/, 'a regular expression'],
  [/(?:^|\/)[+#]$|^[+#]\//, 'a topic filter of MQTT'],
  [/%$|^%/, 'a pattern of SQL'],
  [/,\s/, 'a list; give each its own rule'],
  [/^\s|\s$/, 'a text with a blank at its end'],
]

/** Why a ClientId pattern probably fits nothing, and what might have been meant; undefined for a plain one. */
export function strangePattern(
  pattern: string,
): { readonly what: string; readonly meant?: string | undefined } | undefined {
  const what = FOREIGN.find(([shape]) => shape.test(pattern))?.[1]
  return what === undefined ? undefined : { what, meant: globOf(pattern) }
}

/** A pattern for at least the same ClientIds; undefined where that would be a guess. */
function globOf(pattern: string): string | undefined {
  const glob = pattern
    .trim()
    .replace(/^\/(.+)\/[gimsuy]*$/, '$1')
    .replace(/^\^|\$$/g, '')
    .replace(/(?:\\[dwsDWS]|\[[^\]]*\]|\.)(?:[*+]|\{\d+,\d*\})\??/g, '*')
    .replace(/\\[dwsDWS]|\[[^\]]*\](?!\{)/g, '?')
    .replace(/(?:^|(?<=\/))[+#]$|%/g, '*')
    .replace(/\\([.$^*+?()[\]-])/g, '$1')
    .replace(/\*+/g, '*')
  return glob === '' || glob === pattern || /[[\]{}()\\|^$+,\s#]/.test(glob) ? undefined : glob
}

/** The filter that was probably meant by one in which `*` stands as a level or at its end, where MQTT has + and #. */
export function meantFilter(filter: string): string | undefined {
  if (!/(?:^|\/)\*{1,2}(?:\/|$)|\.\*$|[^/]\*$/.test(filter)) return undefined
  const levels = filter.replace(/\.\*$/, '').split('/')
  const meant = levels.map((level, i) => {
    if (level === '*') return '+'
    return i === levels.length - 1 && level === '**' ? '#' : level
  })
  const text = meant.join('/')
  return text.includes('*') || text === filter ? undefined : text
}

/** Whether the first pattern fits whatever the second fits; sure if true. A wildcard of the second is taken by one of the first. */
export function coversPattern(first: string, second: string): boolean {
  const wanted = [...first.replace(/\*+/g, '*')]
  const given = [...second.replace(/\*+/g, '*')]
  // reached[w]: the first w signs of `first` cover what of `second` has been looked at
  let reached = wanted.map((_, w) => wanted.slice(0, w).every((sign) => sign === '*'))
  reached.push(wanted.every((sign) => sign === '*'))
  for (const sign of given) {
    const next = new Array<boolean>(wanted.length + 1).fill(false)
    for (const [w, one] of wanted.entries()) {
      if (one === '*') next[w + 1] = Boolean(reached[w + 1] || reached[w] || next[w])
      else next[w + 1] = Boolean(reached[w] && (one === sign || (one === '?' && sign !== '*')))
    }
    reached = next
  }
  return reached[wanted.length] ?? false
}

/** Octets of the shortest ClientId that a pattern fits. */
export const shortestOf = (pattern: string): number =>
  [...pattern].reduce((sum, sign) => {
    if (sign === '*') return sum
    const point = sign.codePointAt(0) ?? 0
    return sum + (point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4)
  }, 0)
