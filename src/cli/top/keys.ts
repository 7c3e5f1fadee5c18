// What the keys do in `mqttsn top`: which sensors are shown, and in which order. Pure.

import type { SensorQuery } from '../../console/contract/sensors.ts'

export const SORTS = ['clientId', 'state', 'heardAt', 'queued', 'topics'] as const
export type Sort = (typeof SORTS)[number]

/** What is looked at. */
export interface Looking {
  readonly sort: Sort
  readonly descending: boolean
  readonly search: string
  readonly state: SensorQuery['state']
  readonly offset: number
  /** the search is being typed */
  readonly typing: boolean
}

const ESCAPE = '\x1b'
const LONGEST_SEARCH = 64
/** Columns whose largest value comes first when they are chosen. */
const largestFirst = (sort: Sort): boolean => sort === 'heardAt' || sort === 'queued' || sort === 'topics'

/** What a piece of terminal input is made of: single characters, and sequences such as that of an arrow key. */
export const keysOf = (input: string): string[] =>
  input.match(new RegExp(`${ESCAPE}\\[[0-9;]*[~A-Za-z]|.`, 'gsu')) ?? []

/** What is looked at after a key, with so many sensors on a page; `quit` at the end. */
export function pressKey(looking: Looking, key: string, page: number): Looking | 'quit' {
  if (key === '\x03') return 'quit' // Ctrl-C is a key like others, as long as keys arrive one by one
  if (looking.typing) return type(looking, key)
  switch (key) {
    case 'q':
      return 'quit'
    case 's': {
      const sort = SORTS[(SORTS.indexOf(looking.sort) + 1) % SORTS.length] ?? 'clientId'
      return { ...looking, sort, descending: largestFirst(sort), offset: 0 }
    }
    case 'r':
      return { ...looking, descending: !looking.descending, offset: 0 }
    case '/':
      return { ...looking, typing: true, search: '', offset: 0 }
    case ESCAPE:
      return { ...looking, search: '', offset: 0 }
    case ' ':
    case `${ESCAPE}[B`:
    case `${ESCAPE}[6~`:
      return { ...looking, offset: looking.offset + page }
    case `${ESCAPE}[A`:
    case `${ESCAPE}[5~`:
      return { ...looking, offset: Math.max(0, looking.offset - page) }
    default:
      return looking
  }
}

function type(looking: Looking, key: string): Looking {
  const { search } = looking
  switch (key) {
    case '\r':
    case '\n':
      return { ...looking, typing: false }
    case ESCAPE:
      return { ...looking, typing: false, search: '' }
    case '\x7f':
    case '\b':
      return { ...looking, search: [...search].slice(0, -1).join('') }
    default:
      if (/\p{C}/u.test(key) || search.length >= LONGEST_SEARCH) return looking
      return { ...looking, search: search + key }
  }
}
