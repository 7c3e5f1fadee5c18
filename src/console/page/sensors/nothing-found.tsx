// What stands in an empty list of sensors, and what to do about it.

import type { ListenerInfo } from '../../contract/gateway.ts'
import { EmptyState } from '../parts/panel.tsx'
import { stateWords } from '../words/states.ts'
import type { ListQuery } from './sensor-rows.ts'

interface NothingFoundProps {
  readonly query: ListQuery
  readonly listeners: readonly ListenerInfo[]
  /** shows all sensors again */
  readonly clear: () => void
}

function whatIsMissing({ search = '', topic = '', tag = '', state }: ListQuery): string | undefined {
  if (search !== '') return `matches “${search}”`
  if (topic !== '') return `has a topic that matches “${topic}”`
  if (tag !== '') return `has the tag “${tag}”`
  return state === undefined ? undefined : `is in the state “${stateWords(state).label}”`
}

export function NothingFound({ query, listeners, clear }: NothingFoundProps) {
  const what = whatIsMissing(query)
  if (what !== undefined) {
    return (
      <EmptyState title={`No sensor ${what}`}>
        <button type="button" onClick={clear}>
          Show all sensors
        </button>
      </EmptyState>
    )
  }
  // A listener on all addresses is reached on this machine through loopback.
  // The far end of a line is somewhere else.
  const url = (listeners.find(({ link }) => link === undefined)?.url ?? 'udp://ADDRESS:PORT')
    .replace('//0.0.0.0:', '//127.0.0.1:')
    .replace('//[::]:', '//[::1]:')
  const urls = listeners.map((listener) => listener.url).join(', ') || 'no address yet'
  return (
    <EmptyState title="No sensor has connected yet">
      <p>{`The gateway listens on ${urls}. To see one here, start a simulated sensor:`}</p>
      <pre class="code">{`mqttsn sensor thermometer --gateway ${url}`}</pre>
      <p>
        If a real sensor does not appear: can it reach this address and port with UDP, and does the page
        “Drops” count anything?
      </p>
    </EmptyState>
  )
}
