// Connections to the broker that sensors share: which are up, how many use them, and what waits for its turn.

import type { SharedConnectionInfo } from '../../contract/gateway.ts'
import { count } from '../parts/format.ts'
import { Panel, WideTable } from '../parts/panel.tsx'
import { Dot, Term } from '../parts/term.tsx'

const COLUMNS: readonly (readonly [name: string, tip: string])[] = [
  ['ClientId', 'Who the connection is at the broker: sensors have no names there.'],
  ['State', 'While it is away its sensors keep their sessions; what was under way is sent again.'],
  ['Sensors', 'Those that use it, asleep or away included.'],
  ['Filters', 'What they have subscribed: one subscription at the broker, however many want it.'],
  ['Waiting', 'Requests of sensors in line. Each sensor has its turn; who has too much in line gets 0x01.'],
  ['Under way', 'Requests that the broker has not answered.'],
  ['Handing out', 'Messages of the broker that not all their sensors have taken.'],
  ['Broken', 'How often it broke since the start. What the broker hangs up at is found, and set aside.'],
]

function Shared({ one }: { one: SharedConnectionInfo }) {
  const { waiting, waitingSensors, refused } = one
  const who = waiting > 0 ? ` of ${count(waitingSensors)} sensors` : ''
  const lost = refused > 0 ? `, ${count(refused)} refused` : ''
  return (
    <tr>
      <th scope="row">
        <code>{one.clientId}</code>
      </th>
      <td data-label="State" data-tone={one.connected ? 'good' : 'bad'}>
        <Dot />
        <span>{one.connected ? 'up' : 'away'}</span>
      </td>
      <td class="number" data-label="Sensors">
        {count(one.sensors)}
      </td>
      <td class="number" data-label="Filters">
        {count(one.filters)}
      </td>
      <td class="number" data-label="Waiting" data-tone={refused > 0 ? 'warn' : undefined}>
        {`${count(waiting)}${who}${lost}`}
      </td>
      <td class="number" data-label="Under way">
        {count(one.underWay)}
      </td>
      <td class="number" data-label="Handing out">
        {count(one.handingOut)}
      </td>
      <td class="number" data-label="Broken" data-tone={one.breaks > 0 ? 'warn' : undefined}>
        {count(one.breaks)}
      </td>
    </tr>
  )
}

/** A table of them; nothing where there are none. */
export function SharedConnections({ connections }: { connections: readonly SharedConnectionInfo[] }) {
  if (connections.length === 0) return null
  return (
    <Panel title="Shared connections">
      <WideTable label="Shared connections">
        <table class="plain stacked">
          <thead>
            <tr>
              {COLUMNS.map(([name, tip], i) => (
                <th key={name} scope="col" class={i > 1 ? 'number' : undefined}>
                  <Term tip={tip}>{name}</Term>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {connections.map((one) => (
              <Shared key={one.clientId} one={one} />
            ))}
          </tbody>
        </table>
      </WideTable>
    </Panel>
  )
}
