// MQTT-SN messages by type and direction, each explained, and the other counters since the start.

import type { GatewayInfo } from '../../contract/gateway.ts'
import { useLive } from '../data/use-live.ts'
import { count, octets, time } from '../parts/format.ts'
import { type Fact, Facts, Intro, Panel, WideTable } from '../parts/panel.tsx'
import { MESSAGES } from '../words/messages.ts'
import { TERMS } from '../words/terms.ts'

const totalsOf = ({ counters, startedAt, node }: GatewayInfo): Fact[] => [
  ['Published', count(counters.published), 'Application messages of sensors that went to the broker.'],
  ['Delivered', count(counters.delivered), 'Application messages from the broker that were sent to sensors.'],
  [
    'Datagrams in',
    `${count(counters.receivedDatagrams)} (${octets(counters.receivedOctets)})`,
    'All that came from sensors.',
  ],
  [
    'Datagrams out',
    `${count(counters.sentDatagrams)} (${octets(counters.sentOctets)})`,
    'All that went to sensors.',
  ],
  ['Sent again', count(counters.retransmissions), TERMS.retransmissions],
  ['Internal errors', count(counters.faults), TERMS.faults],
  ['Running since', time(startedAt), `The start of the gateway, on Node.js ${node}.`],
]

function Types({ counters: { received, sent } }: Pick<GatewayInfo, 'counters'>) {
  const types = [...Object.keys(MESSAGES), ...Object.keys(received), ...Object.keys(sent)]
  const seen = [...new Set(types)].filter((type) => (received[type] ?? 0) + (sent[type] ?? 0) > 0)
  return (
    <table class="plain stacked">
      <thead>
        <tr>
          <th scope="col">Message</th>
          <th scope="col" class="number">
            From sensors
          </th>
          <th scope="col" class="number">
            To sensors
          </th>
          <th scope="col">What it says</th>
        </tr>
      </thead>
      <tbody>
        {seen.map((type) => (
          <tr key={type}>
            <th scope="row">
              <code>{type}</code>
            </th>
            <td class="number" data-label="From sensors">
              {count(received[type])}
            </td>
            <td class="number" data-label="To sensors">
              {count(sent[type])}
            </td>
            <td class="muted">{MESSAGES[type]}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

export function MessagesPage() {
  const { info } = useLive()
  return (
    <div class="page stack">
      <Intro title="Messages">
        What sensors and gateway said to each other since the start, by type of message.
      </Intro>
      <Panel title="Totals">{info !== undefined && <Facts facts={totalsOf(info)} wide />}</Panel>
      <Panel title="By type">
        <WideTable label="Messages by type">
          {info !== undefined && <Types counters={info.counters} />}
        </WideTable>
      </Panel>
    </div>
  )
}
