// Events, one line each: when, how bad, whom it concerns, what to do.

import type { Happening } from '../../contract/happenings.ts'
import { HAPPENINGS } from '../words/happenings.ts'
import { DocsLink } from './docs-link.tsx'
import { count, time } from './format.ts'
import { sensorAddress } from './navigation.ts'
import { Dot, Term } from './term.tsx'

function Who({ clientId, address }: Pick<Happening, 'clientId' | 'address'>) {
  if (clientId === undefined) return <span class="name">{address ?? ''}</span>
  return (
    <span>
      <a class="name" href={sensorAddress(clientId)}>
        {clientId}
      </a>
      {address !== undefined && <small class="muted"> {address}</small>}
    </span>
  )
}

function Entry({ event }: { event: Happening }) {
  const { at, firstAt, times, kind, tone, text, clientId, address, detail, key, docs } = event
  const { label, text: tip } = HAPPENINGS[kind] ?? { label: kind, text: '' }
  return (
    <li data-tone={tone} data-kind={kind}>
      <time dateTime={new Date(at).toISOString()}>{time(at)}</time>
      <span class="kind">
        <Dot />
        <Term tip={tip}>{label}</Term>
      </span>
      <Who clientId={clientId} address={address} />
      <span class="what">
        {text}
        {times > 1 && <b>{` ${count(times)} times since ${time(firstAt)}.`}</b>}
        {detail !== undefined && <span class="muted">{` ${detail}${key === undefined ? '' : '.'}`}</span>}
        {key !== undefined && (
          <span class="muted">
            {' '}
            See <code>{key}</code>.
          </span>
        )}{' '}
        {tone !== 'good' && <DocsLink path={docs} />}
      </span>
    </li>
  )
}

export function Happened({ events }: { events: readonly Happening[] }) {
  return (
    <ol class="happened">
      {events.map((event) => (
        <Entry key={event.id} event={event} />
      ))}
    </ol>
  )
}
