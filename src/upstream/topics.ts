// What MQTT allows as a topic name or filter [MQTT 4.7], and which filter matches which name.

const NUL = String.fromCharCode(0)
const MAXIMUM = 65_535

/** Whether MQTT can carry it as a topic name: not empty, no NUL, no wildcard, at most 65,535 octets. */
export function isTopicName(topic: string): boolean {
  return isText(topic) && !topic.includes('+') && !topic.includes('#')
}

/** Whether MQTT can carry it as a topic filter: wildcards fill whole levels, `#` only the last. */
export function isTopicFilter(filter: string): boolean {
  if (!isText(filter)) return false
  if (!hasWildcard(filter)) return true
  const levels = filter.split('/')
  return levels.every((level, index) => {
    if (level === '#') return index === levels.length - 1
    return level === '+' || !hasWildcard(level)
  })
}

export function hasWildcard(filter: string): boolean {
  return filter.includes('+') || filter.includes('#')
}

/** Whether a valid `filter` matches a valid `topic`; wildcards do not match a first level that starts with `$`. */
export function matches(filter: string, topic: string): boolean {
  if (filter === topic) return true
  if (topic.startsWith('$') && (filter.startsWith('+') || filter.startsWith('#'))) return false
  const asked = filter.split('/')
  const given = topic.split('/')
  for (const [index, level] of asked.entries()) {
    // `a/#` matches `a` as well
    if (level === '#') return given.length >= index
    if (index >= given.length || (level !== '+' && level !== given[index])) return false
  }
  return asked.length === given.length
}

function isText(text: string): boolean {
  return text.length > 0 && !text.includes(NUL) && Buffer.byteLength(text) <= MAXIMUM
}
