// ClientId patterns: `*` stands for any characters, `?` for one. Pure.

/** Whether the pattern fits every ClientId. */
export const matchesEverything = (pattern: string): boolean => /^\*+$/.test(pattern)

/**
 * A test whether a ClientId fits the pattern as a whole, case sensitive. A pattern comes from the configuration but the
 * ClientId from anyone: the work is bounded by the product of both lengths, which a regular expression would not guarantee.
 */
export function globToMatcher(pattern: string): (clientId: string) => boolean {
  if (matchesEverything(pattern)) return () => true
  if (!/[*?]/.test(pattern)) return (clientId) => clientId === pattern
  const wanted = tokensOf(pattern)
  return (clientId) => fits(wanted, [...clientId])
}

/** The same for a pattern with places, written as `place`, where a text stands that is no pattern. */
export function filledGlobToMatcher(
  pattern: string,
  place: string,
  text: string,
): (other: string) => boolean {
  const wanted = pattern.split(place).flatMap((part, i) => (i === 0 ? [] : [...text]).concat(tokensOf(part)))
  return (other) => fits(wanted, [...other])
}

// no characters, so that they differ from those of a text
const ANY = 'any characters'
const ONE = 'one character'

const tokensOf = (pattern: string): string[] =>
  [...pattern.replace(/\*+/g, '*')].map((each) => (each === '*' ? ANY : each === '?' ? ONE : each))

// On a mismatch it is enough to let the last `*` take one more: what came before it has been matched as early as it can.
function fits(wanted: readonly string[], text: readonly string[]): boolean {
  let w = 0
  let star = -1
  let taken = 0
  for (let t = 0; t < text.length; ) {
    if (wanted[w] === ANY) {
      star = w++
      taken = t
    } else if (w < wanted.length && (wanted[w] === ONE || wanted[w] === text[t])) {
      w++
      t++
    } else if (star >= 0) {
      w = star + 1
      t = ++taken
    } else return false
  }
  while (wanted[w] === ANY) w++
  return w === wanted.length
}
