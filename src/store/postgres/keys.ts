// Keys of records as whole numbers of 64 bits. Messages have their ids and publishes their tokens as negative numbers, both of 53
// bits at most; the session's own parts lie at 0 and far below all tokens. Pure.

import type { Key } from '../records.ts'

const PROGRESS = -(2n ** 63n)
const WILL = PROGRESS + 1n
/** Topics and filters count upwards from here. */
const TOPICS = -(2n ** 62n)
const FILTERS = -(2n ** 61n)
/** No token is as low. */
const LOWEST_TOKEN = -(2n ** 53n)

/** The number of a key. Records beside sessions have none: they have names in a table of their own. */
export function numberOfKey(key: Key): bigint {
  if (typeof key === 'number') return BigInt(key)
  if (key === 'progress') return PROGRESS
  if (key === 'lasting') return 0n
  if (key === 'will') return WILL
  const [kind, number = ''] = key.split(' ')
  return (kind === 'topic' ? TOPICS : FILTERS) + BigInt(number)
}

/** The key of a number, as text; undefined for what is none. */
export function keyOfNumber(text: string): Key | undefined {
  const short = Number(text)
  if (Number.isSafeInteger(short)) return short === 0 ? 'lasting' : short
  const number = BigInt(text)
  if (number === PROGRESS) return 'progress'
  if (number === WILL) return 'will'
  if (number >= FILTERS && number < LOWEST_TOKEN) return `filter ${Number(number - FILTERS)}`
  if (number >= TOPICS && number < FILTERS) return `topic ${Number(number - TOPICS)}`
  return undefined
}
