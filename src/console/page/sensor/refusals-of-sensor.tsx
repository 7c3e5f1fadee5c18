// Who refused the sensor, and why: the gateway or the broker.

import type { RefusalEntry } from '../../contract/happenings.ts'
import { DocsLink } from '../parts/docs-link.tsx'
import { ago, plural } from '../parts/format.ts'
import { Panel } from '../parts/panel.tsx'

export function RefusalsOfSensor({ refusals, now }: { refusals: readonly RefusalEntry[]; now: number }) {
  if (refusals.length === 0) return null
  return (
    <Panel title="Refusals" actions={<a href="#/drops">All refusals</a>}>
      <ul class="refusals">
        {refusals.map(({ reason, text, key, at, times, detail, docs }) => (
          <li key={reason} data-tone="bad">
            <b>{`Refused ${plural(times, 'time')}, ${ago(at, now)}: ${text}.`}</b>
            <span class="muted">
              {detail !== undefined && `${detail}.`}
              {key !== undefined && (
                <>
                  {' '}
                  See <code>{key}</code>.
                </>
              )}{' '}
              <DocsLink path={docs} />
            </span>
          </li>
        ))}
      </ul>
    </Panel>
  )
}
