// What is searched for in the list of sensors, as it stands in the address of the page.

import type { SensorState } from '../../states.ts'
import { STATES } from '../../states.ts'
import { listLeft } from '../parts/navigation.ts'
import { SORTS, type SortKey } from './columns.ts'

export interface Wanted {
  readonly search: string
  /** part of a topic, or a filter */
  readonly topic: string
  readonly tag: string
  readonly state: SensorState | undefined
  readonly sort: SortKey
  readonly descending: boolean
}

export const wantedBy = (query: URLSearchParams): Wanted => ({
  search: query.get('search') ?? '',
  topic: query.get('topic') ?? '',
  tag: query.get('tag') ?? '',
  state: STATES.find((state) => state === query.get('state')),
  sort: SORTS.find(({ sort }) => sort === query.get('sort'))?.sort ?? 'clientId',
  descending: query.get('descending') === '1',
})

/** What is wanted, in the address, so that it can be kept and sent. */
export function writeAddress({ search, topic, tag, state, sort, descending }: Wanted): void {
  const parameters = new URLSearchParams()
  if (search !== '') parameters.set('search', search)
  if (topic !== '') parameters.set('topic', topic)
  if (tag !== '') parameters.set('tag', tag)
  if (state !== undefined) parameters.set('state', state)
  if (sort !== 'clientId') parameters.set('sort', sort)
  if (descending) parameters.set('descending', '1')
  listLeft.query = parameters.toString()
  history.replaceState(null, '', `#/sensors${listLeft.query === '' ? '' : `?${listLeft.query}`}`)
}

/** Whether it narrows the list down at all. */
export const isAll = ({ search, topic, tag, state }: Wanted): boolean =>
  search === '' && topic === '' && tag === '' && state === undefined
