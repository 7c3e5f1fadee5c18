// What a sensor publishes and what is delivered to it, topic by topic; and what waits, either way, and why.

import type { SensorDetail, Waiting } from '../../contract/sensors.ts'
import type { TopicUse } from '../../contract/topics.ts'
import { ago, count, octets, plural, ratePerMinute } from '../parts/format.ts'
import { Panel, WideTable } from '../parts/panel.tsx'
import { Term } from '../parts/term.tsx'

function Use({ use, now }: { use: TopicUse; now: number }) {
  const { topic, times, lastAt, perMinute, octets: size, qos, refused, lastRefusal } = use
  return (
    <tr data-tone={refused > 0 ? 'bad' : undefined}>
      <th scope="row">
        <code>{topic}</code>
        {refused > 0 && (
          <p class="refusal">{`Refused ${plural(refused, 'time')}, last: ${lastRefusal ?? 'no reason given'}`}</p>
        )}
      </th>
      <td class="number" data-label="Rate">
        {perMinute === undefined ? '–' : ratePerMinute(perMinute)}
      </td>
      <td class="number" data-label="Times">
        {count(times)}
      </td>
      <td class="number" data-label="Last">
        {ago(lastAt, now)}
      </td>
      <td class="number">{`QoS ${qos}, ${octets(size)}`}</td>
    </tr>
  )
}

interface UsesProps {
  readonly title: string
  readonly tip: string
  readonly empty: string
  readonly uses: readonly TopicUse[]
  readonly now: number
}

function Uses({ title, tip, empty, uses, now }: UsesProps) {
  const refused = uses.reduce((sum, use) => sum + use.refused, 0)
  return (
    <Panel
      title={title}
      tip={tip}
      actions={refused > 0 && <span class="amount bad">{`${count(refused)} refused`}</span>}
    >
      {uses.length === 0 ? (
        <p class="muted">{empty}</p>
      ) : (
        <WideTable label={title}>
          <table class="plain stacked">
            <thead>
              <tr>
                <th scope="col">Topic</th>
                <th scope="col" class="number">
                  <Term tip="Messages a minute, among those that are remembered.">Rate</Term>
                </th>
                <th scope="col" class="number">
                  <Term tip="Among the last 200 messages of the sensor.">Times</Term>
                </th>
                <th scope="col" class="number">
                  Last
                </th>
                <th scope="col" class="number">
                  Last one
                </th>
              </tr>
            </thead>
            <tbody>
              {uses.map((use) => (
                <Use key={use.topic} use={use} now={now} />
              ))}
            </tbody>
          </table>
        </WideTable>
      )}
    </Panel>
  )
}

const WAYS: Readonly<Record<Waiting['direction'], string>> = {
  toSensor: 'To the sensor',
  toBroker: 'To the broker',
}

function WaitingList({ waiting }: { waiting: readonly Waiting[] }) {
  return (
    <ul class="waiting">
      {waiting.map(({ direction, why, text, messages, octets: size }) => (
        <li key={`${direction} ${why}`}>
          <b>{`${WAYS[direction]}: ${plural(messages, 'message')}, ${octets(size)}`}</b>
          <span class="muted">{text}</span>
        </li>
      ))}
    </ul>
  )
}

export function Traffic({ sensor, now }: { sensor: SensorDetail; now: number }) {
  const { published, delivered, waiting } = sensor
  return (
    <div class="questions">
      <Uses
        title="What it publishes"
        tip="From the sensor to the broker."
        empty="It has published nothing that is remembered."
        uses={published}
        now={now}
      />
      <Uses
        title="What is delivered to it"
        tip="From the broker to the sensor."
        empty="Nothing that is remembered was delivered to it."
        uses={delivered}
        now={now}
      />
      {waiting.length > 0 && (
        <Panel title="What waits, and why" class="across">
          <WaitingList waiting={waiting} />
        </Panel>
      )}
    </div>
  )
}
