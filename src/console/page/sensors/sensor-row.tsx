// One row of the list of sensors.

import { ago, count, octets, plural } from '../parts/format.ts'
import { sensorAddress } from '../parts/navigation.ts'
import { Badge } from '../parts/term.tsx'
import { stateWords, upstreamWords } from '../words/states.ts'
import type { SensorRow as Sensor } from './sensor-rows.ts'

/** A change that is older than this, in milliseconds, is nothing new. */
const FRESH = 1500

interface SensorRowProps {
  readonly id: string
  readonly index: number
  /** the transformation that puts it where it belongs */
  readonly place: string
  /** undefined: it is not here yet */
  readonly sensor: Sensor | undefined
  readonly isSelected: boolean
  readonly open: (clientId: string) => void
  /** whether it is one of several that something is done with */
  readonly isChosen: boolean
  readonly choose: (clientId: string, isChosen: boolean) => void
}

/** Tags that have a place in a row. */
const MOST_TAGS = 3

function Cells({
  sensor,
  isChosen,
  choose,
}: { sensor: Sensor } & Pick<SensorRowProps, 'isChosen' | 'choose'>) {
  const { name, tags, departed, why } = sensor
  const { clientId, state, address, heardAt, topics, queued, queuedOctets, upstream } = sensor
  const waiting = queued === 0 ? undefined : `${plural(queued, 'message')}, ${octets(queuedOctets)}`
  return (
    <>
      <div class="c-choice" role="gridcell">
        <input
          type="checkbox"
          tabIndex={-1}
          checked={isChosen}
          aria-label={`Choose ${clientId}`}
          onChange={({ currentTarget }) => choose(clientId, currentTarget.checked)}
        />
      </div>
      <div class="c-id" role="gridcell" title={name === undefined ? clientId : `${name}: ${clientId}`}>
        <a class="name" tabIndex={-1} href={sensorAddress(clientId)}>
          {clientId}
        </a>
        {name !== undefined && <span class="friendly">{name}</span>}
        {tags.slice(0, MOST_TAGS).map((tag) => (
          <span key={tag} class="tag">
            {tag}
          </span>
        ))}
      </div>
      <div class="c-state" role="gridcell">
        <Badge words={stateWords(state)} state={state} />
        {departed && (
          <span class="departed muted" data-tip={`Its session is over: ${why ?? 'it is gone'}.`}>
            gone
          </span>
        )}
      </div>
      <div class="c-address" role="gridcell">
        {address ?? '–'}
      </div>
      <div class="c-heard" role="gridcell">
        {ago(heardAt)}
      </div>
      <div class="c-topics" role="gridcell">
        {count(topics)}
      </div>
      <div class={queued > 0 ? 'c-queue some' : 'c-queue'} role="gridcell" title={waiting}>
        {count(queued)}
      </div>
      <div class="c-broker" role="gridcell">
        <Badge words={upstreamWords(upstream)} state={upstream} />
      </div>
    </>
  )
}

export function SensorRow({ id, index, place, sensor, isSelected, open, isChosen, choose }: SensorRowProps) {
  const isFresh = sensor?.changedAt !== undefined && Date.now() - sensor.changedAt < FRESH
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the grid around it has the keys
    <div
      id={id}
      class={`grid-row${isFresh ? ' flash' : ''}`}
      role="row"
      aria-rowindex={index + 2}
      aria-selected={isSelected}
      style={{ transform: place }}
      onClick={({ target }) => {
        // Not when a text was selected: somebody wants to copy an address.
        if (sensor === undefined || getSelection()?.toString()) return
        if (target instanceof Element && target.closest('a, .c-choice') === null) open(sensor.clientId)
      }}
    >
      {sensor === undefined ? (
        <div role="gridcell">…</div>
      ) : (
        <Cells sensor={sensor} isChosen={isChosen} choose={choose} />
      )}
    </div>
  )
}
