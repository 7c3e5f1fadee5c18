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
}

function Cells({ sensor }: { sensor: Sensor }) {
  const { clientId, state, address, heardAt, topics, queued, queuedOctets, upstream } = sensor
  const waiting = queued === 0 ? undefined : `${plural(queued, 'message')}, ${octets(queuedOctets)}`
  return (
    <>
      <div class="c-id" role="gridcell">
        <a class="name" tabIndex={-1} href={sensorAddress(clientId)}>
          {clientId}
        </a>
      </div>
      <div class="c-state" role="gridcell">
        <Badge words={stateWords(state)} state={state} />
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

export function SensorRow({ id, index, place, sensor, isSelected, open }: SensorRowProps) {
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
        if (!(target instanceof HTMLAnchorElement)) open(sensor.clientId)
      }}
    >
      {sensor !== undefined && <Cells sensor={sensor} />}
    </div>
  )
}
