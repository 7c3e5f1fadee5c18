// What MQTT can carry as a topic name, a topic filter or a ClientId, and which filter matches which name [MQTT 1.5.4, 4.7]. Pure.

/** Octets that a text in an MQTT packet may have. */
const MAXIMUM = 0xffff

/** Levels that a topic may have: MQTT sets no bound, but Mosquitto hangs up above this one. */
const LEVELS = 200

/** Octets of a string in UTF-8; a lone surrogate counts as the three octets of its replacement. */
export function octets(text: string): number {
  let length = text.length
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code < 0x80) continue
    length += code < 0x800 ? 1 : 2
    // a pair of surrogates is four octets in all
    if (code >= 0xd800 && code < 0xdc00 && isLowSurrogate(text.charCodeAt(i + 1))) i += 1
  }
  return length
}

const isLowSurrogate = (code: number): boolean => code >= 0xdc00 && code < 0xe000

/**
 * Whether every broker takes this text: not empty, well-formed, at most 65,535 octets, and none of the characters that MQTT
 * lets a receiver hang up at: controls (U+0000 to U+001F, U+007F to U+009F) and those that are no characters (U+FDD0 to
 * U+FDEF, and the last two of every plane) [MQTT 1.5.4].
 */
export function isText(text: string): boolean {
  if (text.length === 0 || text.length > MAXIMUM) return false
  let length = text.length
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code < 0x7f) {
      if (code < 0x20) return false
      continue
    }
    if (code < 0xa0 || (code >= 0xfdd0 && code <= 0xfdef) || code >= 0xfffe) return false
    length += code < 0x800 ? 1 : 2
    if (code < 0xd800 || code > 0xdfff) continue
    i += 1
    const next = text.charCodeAt(i)
    if (code >= 0xdc00 || !isLowSurrogate(next)) return false
    // a code point that ends with fffe or ffff
    if ((code & 0x3f) === 0x3f && next >= 0xdffe) return false
  }
  return length <= MAXIMUM
}

/** Whether MQTT can carry this ClientId [SN-FLD-3]. */
export const isClientId = (text: string): boolean => isText(text)

/** Whether the filter holds a wildcard. */
export const hasWildcard = (filter: string): boolean => filter.includes('+') || filter.includes('#')

/** Whether a message may be published to this name: a text without wildcards. */
export const isTopicName = (name: string): boolean => isText(name) && !hasWildcard(name) && isShallow(name)

/** Whether it has no more levels than brokers take; only a text of that many octets can have more. */
const isShallow = (name: string): boolean =>
  name.length < LEVELS || name.split('/', LEVELS + 1).length <= LEVELS

const SHARE = '$share'

/** Whether the filter asks for a shared subscription, well-formed or not. */
export const isShared = (filter: string): boolean =>
  filter.startsWith(SHARE) && (filter.length === SHARE.length || filter[SHARE.length] === '/')

/** What a legal shared subscription `$share/<group>/<filter>` shares; any other filter as it is [MQTT 5, 4.8.2]. */
export const sharedFilter = (filter: string): string =>
  isShared(filter) ? filter.slice(filter.indexOf('/', SHARE.length + 1) + 1) : filter

/** Whether the group of a shared subscription is named, and followed by a filter. Brokers hang up at others. */
function hasGroup(filter: string): boolean {
  const end = filter.indexOf('/', SHARE.length + 1)
  return end > SHARE.length + 1 && end < filter.length - 1 && !hasWildcard(filter.slice(0, end))
}

/** Whether this is a legal filter, shared or not: wildcards fill whole levels, and `#` the last one [SN-SUB-10]. */
export function isTopicFilter(filter: string): boolean {
  if (!isText(filter) || !isShallow(filter)) return false
  if (isShared(filter) && !hasGroup(filter)) return false
  if (!hasWildcard(filter)) return true
  const levels = filter.split('/')
  return levels.every(
    (level, i) => !hasWildcard(level) || level === '+' || (level === '#' && i === levels.length - 1),
  )
}

/** Whether a topic name matches a legal filter; wildcards do not match a first level that begins with `$`. */
export function matches(filter: string, name: string): boolean {
  if (filter === name) return true
  if (!hasWildcard(filter)) return false
  if (missesSystem(filter, name)) return false
  const wanted = filter.split('/')
  const levels = name.split('/')
  for (let i = 0; i < wanted.length; i++) {
    if (wanted[i] === '#') return true
    if (i >= levels.length || (wanted[i] !== '+' && wanted[i] !== levels[i])) return false
  }
  return wanted.length === levels.length
}

/** Wildcards do not match a first level that begins with `$`. */
const missesSystem = (filter: string, other: string): boolean =>
  other.startsWith('$') && (filter.startsWith('+') || filter.startsWith('#'))

/** Whether the legal filter `outer` matches every name that the legal filter `inner` matches. */
export function covers(outer: string, inner: string): boolean {
  if (outer === inner) return true
  if (missesSystem(outer, inner)) return false
  const wanted = outer.split('/')
  const levels = inner.split('/')
  for (let i = 0; i < wanted.length; i++) {
    if (wanted[i] === '#') return true
    if (i >= levels.length || levels[i] === '#') return false
    if (wanted[i] !== '+' && wanted[i] !== levels[i]) return false
  }
  return wanted.length === levels.length
}

/** Whether there is a name that both legal filters match. */
export function overlaps(one: string, other: string): boolean {
  if (missesSystem(one, other) || missesSystem(other, one)) return false
  const [a, b] = [one.split('/'), other.split('/')]
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    if (a[i] === '#' || b[i] === '#') return true // also of the level before it, which is where the other one ends
    if (a[i] === undefined || b[i] === undefined) return false
    if (a[i] !== '+' && b[i] !== '+' && a[i] !== b[i]) return false
  }
  return true
}
