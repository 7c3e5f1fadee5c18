// Watches what a gateway depends on, the broker and the store, and notes when they come and go. A small timer of its own.

import { docsOf } from '../console/contract/docs.ts'
import type { BrokerInfo, StoreInfo } from '../console/contract/gateway.ts'
import type { GatewayView } from '../console/view.ts'
import type { Note } from './happenings.ts'

/** Milliseconds between two looks at the broker; at the store every fifth time, since that asks the disk. */
const INTERVAL = 1000
const STORE_EVERY = 5
/** Looks until a broker counts as away that was not there from the beginning. */
const PATIENCE = 4

/** Begins to watch; returns how to end that. What cannot be asked for the moment is asked again. */
export function watchSurroundings(
  view: Pick<GatewayView, 'broker' | 'store'>,
  note: (note: Note) => void,
  interval = INTERVAL,
): () => void {
  const onBroker = createBrokerWatch(note)
  const onStore = createStoreWatch(note)
  let looks = 0
  let isLooking = false
  async function look(): Promise<void> {
    if (isLooking) return
    isLooking = true
    try {
      onBroker(await view.broker())
      if (looks % STORE_EVERY === 0) onStore(await view.store())
      looks += 1
    } catch {
      // a worker that is being started again has nothing to say
    } finally {
      isLooking = false
    }
  }
  void look()
  const timer = setInterval(() => void look(), interval)
  timer.unref()
  return () => clearInterval(timer)
}

/** Notes what a look at the broker shows that the one before has not. */
export function createBrokerWatch(note: (note: Note) => void): (broker: BrokerInfo) => void {
  let before: BrokerInfo | undefined
  let looks = 0
  return (broker) => {
    const { url, healthy, trouble, openings } = broker
    const last = before
    looks += 1
    // at the start, the first connection may still be under way
    if (last === undefined && !healthy && trouble === undefined && looks < PATIENCE) return
    before = broker
    const told = { kind: 'broker', detail: url, docs: docsOf('broker-away') } as const
    if (!healthy && trouble === undefined && last?.healthy !== false) {
      const text = last === undefined ? 'The broker cannot be reached.' : 'The broker went away.'
      note({ ...told, tone: 'bad', text })
    } else if (!healthy && trouble !== undefined && trouble !== last?.trouble) note(refusal(told, trouble))
    else if (healthy && last !== undefined && !last.healthy)
      note({ ...told, tone: 'good', text: 'The broker is back.' })
    else if (healthy && last !== undefined && last.url !== url)
      note({ ...told, tone: 'note', text: `Another broker of the list is used, in place of ${last.url}.` })
    else if (healthy && last !== undefined && openings > last.openings)
      note({ ...told, tone: 'warn', text: 'The connection to the broker was lost, and made again at once.' })
    else if (healthy && last === undefined) note({ ...told, tone: 'good', text: 'Connected to the broker.' })
  }
}

const refusal = (told: Pick<Note, 'kind' | 'detail' | 'docs'>, trouble: string): Note => ({
  ...told,
  tone: 'bad',
  text: `The broker does not accept the gateway: ${trouble}.`,
  docs: docsOf('broker-refuses'),
})

/** The same for the store. */
function createStoreWatch(note: (note: Note) => void): (store: StoreInfo) => void {
  let failing = false
  let warned = false
  return ({ error, engine }) => {
    const told = { kind: 'gateway', key: 'store.path', docs: docsOf('store-fails') } as const
    if (error !== undefined && !failing)
      note({ ...told, tone: 'bad', text: 'The store cannot write.', detail: error })
    if (error === undefined && failing) note({ ...told, tone: 'good', text: 'The store can write again.' })
    failing = error !== undefined
    if (engine?.replicated === undefined) return
    const about = { kind: 'gateway', key: 'store.url', docs: docsOf('database-promises-less') } as const
    const detail = engine.warnings.join('; ')
    if (!engine.replicated && !warned)
      note({ ...about, tone: 'warn', text: 'The database server promises less than it should.', detail })
    if (engine.replicated && warned)
      note({ ...about, tone: 'good', text: 'The database server is set as it should be.' })
    warned = !engine.replicated
  }
}
