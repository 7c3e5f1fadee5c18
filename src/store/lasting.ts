// What seldom changes of a session, in parts: a record per topic and per subscription, so that one more costs one record and not
// the whole list. It is remembered what is on the disk, and only what differs is written. Pure.

import type { Subscription } from '../session/broker/subscription.ts'
import type { WillData } from '../session/message.ts'
import type { LastingRecord } from '../session/record.ts'
import type { Session } from '../session/session.ts'
import { SparseMap } from '../session/sparse.ts'

/** `topic 513` by its id, `filter 3` by the order in which subscriptions came. */
export type PartKey = 'lasting' | 'will' | `topic ${number}` | `filter ${number}`

/** A topic: its name; confirmed, learned, suppressed. */
export type TopicPart = readonly [name: string, confirmed: boolean, learned: boolean, suppressed: boolean]

/** A subscription, with its filter. */
export type FilterPart = readonly [filter: string, subscription: Subscription]

/** What is on the disk of one session; `undefined` for a part that may be there, with unknown contents. */
export interface WrittenParts {
  head: readonly unknown[] | undefined
  will: WillData | undefined
  mayHaveWill: boolean
  readonly topics: SparseMap<number, TopicPart | undefined>
  readonly filters: SparseMap<string, WrittenFilter>
  nextFilter: number
}

interface WrittenFilter {
  readonly ordinal: number
  readonly subscription: Subscription | undefined
}

/** Nothing is on the disk. */
export const nothingWritten = (): WrittenParts => ({
  head: undefined,
  will: undefined,
  mayHaveWill: false,
  topics: new SparseMap(),
  filters: new SparseMap(),
  nextFilter: 1,
})

/** What has to be written; `confirm` is to be called when it is on the disk. Until then its contents there are unknown. */
export interface PartChanges {
  readonly records: readonly (readonly [PartKey, object | undefined])[]
  confirm(): void
}

/** Names that are suppressed without having an id. */
const nameless = ({ topics }: Session): string[] =>
  [...topics.suppressed].filter((name) => !topics.byName.has(name))

const isSame = (a: readonly unknown[] | undefined, b: readonly unknown[]): boolean =>
  a !== undefined && a.length === b.length && a.every((one, i) => one === b[i])

/** The parts in which a session differs from what is on the disk. */
export function changedParts(session: Session, written: WrittenParts): PartChanges {
  const records: [PartKey, object | undefined][] = []
  const confirmed: (() => void)[] = []
  changeHead(session, written, records, confirmed)
  changeTopics(session, written, records, confirmed)
  changeFilters(session, written, records, confirmed)
  return {
    records,
    confirm() {
      for (const step of confirmed) step()
    },
  }
}

/** What the head says, to be compared. */
const headOf = ({
  identity,
  rule,
  cleanSession,
  keepAlive,
  topics: { next, suppressed, unconfirmed },
}: Pick<LastingRecord, 'identity' | 'rule' | 'cleanSession' | 'keepAlive'> & {
  readonly topics: Pick<LastingRecord['topics'], 'next' | 'suppressed' | 'unconfirmed'>
}): readonly unknown[] => [
  identity,
  rule,
  cleanSession,
  keepAlive,
  next,
  unconfirmed !== undefined,
  ...(unconfirmed ?? []),
  ...suppressed,
]

type Records = [PartKey, object | undefined][]

function changeHead(session: Session, written: WrittenParts, records: Records, confirmed: (() => void)[]) {
  const { clientId, identity, rule, cleanSession, keepAlive, topics } = session
  const suppressed = nameless(session)
  const unconfirmed = topics.isSecondRound ? [...topics.unconfirmed] : undefined
  const lists = { next: topics.next, suppressed, unconfirmed }
  const head = headOf({ identity, rule, cleanSession, keepAlive, topics: lists })
  if (!isSame(written.head, head)) {
    written.head = undefined
    const secondRound = unconfirmed && { isSecondRound: true, unconfirmed }
    const named = { names: [], confirmed: [], learned: [], suppressed, next: topics.next, ...secondRound }
    const proved = { ...(identity !== undefined && { identity }), ...(rule !== undefined && { rule }) }
    records.push([
      'lasting',
      { clientId, ...proved, cleanSession, keepAlive, topics: named, subscriptions: [] },
    ])
    confirmed.push(() => {
      written.head = head
    })
  }
  const { topic, message } = session.will
  if (written.will?.topic === topic && written.will?.message === message) return
  const isEmpty = topic === undefined && message === undefined
  if (isEmpty && !written.mayHaveWill) return
  written.will = undefined
  written.mayHaveWill = true
  records.push(['will', isEmpty ? undefined : { topic, message }])
  confirmed.push(() => {
    written.will = isEmpty ? undefined : { topic, message }
    written.mayHaveWill = !isEmpty
  })
}

function changeTopics(
  { topics }: Session,
  written: WrittenParts,
  records: Records,
  confirmed: (() => void)[],
) {
  for (const [id, name] of topics.byId) {
    const part: TopicPart = [
      name,
      topics.confirmed.has(id),
      topics.learned.has(id),
      topics.suppressed.has(name),
    ]
    if (isSame(written.topics.get(id), part)) continue
    written.topics.set(id, undefined)
    records.push([`topic ${id}`, part])
    confirmed.push(() => written.topics.set(id, part))
  }
  if (written.topics.size === topics.byId.size) return
  for (const [id] of written.topics) {
    if (topics.byId.has(id)) continue
    written.topics.set(id, undefined)
    records.push([`topic ${id}`, undefined])
    confirmed.push(() => written.topics.delete(id))
  }
}

function changeFilters(
  { subscriptions }: Session,
  written: WrittenParts,
  records: Records,
  confirmed: (() => void)[],
) {
  for (const [filter, subscription] of subscriptions) {
    const before = written.filters.get(filter)
    if (before?.subscription === subscription) continue
    const ordinal = before?.ordinal ?? written.nextFilter++
    written.filters.set(filter, { ordinal, subscription: undefined })
    records.push([`filter ${ordinal}`, [filter, subscription]])
    confirmed.push(() => written.filters.set(filter, { ordinal, subscription }))
  }
  if (written.filters.size === subscriptions.size) return
  for (const [filter, { ordinal }] of written.filters) {
    if (subscriptions.has(filter)) continue
    written.filters.set(filter, { ordinal, subscription: undefined })
    records.push([`filter ${ordinal}`, undefined])
    confirmed.push(() => written.filters.delete(filter))
  }
}

/** The keys of all parts that may be on the disk. */
export function* writtenKeys({ topics, filters, mayHaveWill }: WrittenParts): Iterable<PartKey> {
  if (mayHaveWill) yield 'will'
  for (const [id] of topics) yield `topic ${id}`
  for (const [, { ordinal }] of filters) yield `filter ${ordinal}`
}

/** What the parts of a session say, as they were read. */
export interface StoredParts {
  /** of an earlier edition it has everything, and the parts are empty */
  readonly head: LastingRecord
  readonly isWhole: boolean
  readonly will: WillData | undefined
  readonly topics: readonly (readonly [id: number, part: TopicPart])[]
  readonly filters: readonly (readonly [ordinal: number, filter: string, subscription: Subscription])[]
}

/** The session that stored parts tell of, and what of it is on the disk in its present form. */
export function joinParts({ head, isWhole, will, topics, filters }: StoredParts): {
  readonly record: LastingRecord
  readonly written: WrittenParts
} {
  const written = nothingWritten()
  for (const [id, part] of topics) written.topics.set(id, part)
  for (const [ordinal, filter, subscription] of filters)
    written.filters.set(filter, { ordinal, subscription })
  written.nextFilter = 1 + Math.max(0, ...filters.map(([ordinal]) => ordinal))
  written.will = will
  written.mayHaveWill = will !== undefined
  if (!isWhole) written.head = headOf(head)
  const idsWhere = (index: 1 | 2) => topics.filter(([, part]) => part[index]).map(([id]) => id)
  const record: LastingRecord = {
    ...head,
    will: will ?? head.will,
    topics: {
      ...head.topics,
      names: [...head.topics.names, ...topics.map(([id, [name]]) => [id, name] as const)],
      confirmed: [...head.topics.confirmed, ...idsWhere(1)],
      learned: [...head.topics.learned, ...idsWhere(2)],
      suppressed: [
        ...head.topics.suppressed,
        ...topics.filter(([, part]) => part[3]).map(([, [name]]) => name),
      ],
    },
    subscriptions: [
      ...head.subscriptions,
      ...filters.map(([, filter, subscription]) => [filter, subscription] as const),
    ],
  }
  return { record, written }
}
