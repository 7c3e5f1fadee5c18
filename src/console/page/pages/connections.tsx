// Both sides of the gateway: the broker and the connections to it, the listeners where sensors are heard.

import type { BrokerInfo, ListenerInfo } from '../../contract/gateway.ts'
import { Lines } from '../connections/lines.tsx'
import { SecureListeners } from '../connections/secure.tsx'
import { SharedConnections } from '../connections/shared-connections.tsx'
import { useLive } from '../data/use-live.ts'
import { count, octets } from '../parts/format.ts'
import { type Fact, Facts, Intro, Panel, WideTable } from '../parts/panel.tsx'
import { Dot, Term } from '../parts/term.tsx'
import { TERMS } from '../words/terms.ts'

const COLUMNS: readonly (readonly [name: string, tip?: string])[] = [
  ['Listener'],
  ['Address'],
  ['Receive buffer', TERMS.receiveBuffer],
  ['Lost by the system', TERMS.kernelDrops],
  ['Send errors', TERMS.sendErrors],
]

function verdictOf({ healthy, trouble }: BrokerInfo): string {
  if (healthy) return 'The broker is reachable.'
  const what =
    trouble === undefined
      ? 'The broker cannot be reached'
      : `The broker does not accept the gateway: ${trouble}`
  return `${what}. The gateway keeps trying. Sleeping sensors notice nothing; the others keep their sessions for the time set as “broker.grace”. Messages with QoS 0 are dropped until it is back.`
}

function Broker({ broker }: { broker: BrokerInfo }) {
  const { url, version } = broker
  const facts: Fact[] = [
    ['Address', url, 'From "broker.url" in the configuration.'],
    [
      'Protocol',
      version === undefined ? 'not known yet' : `MQTT ${version}`,
      'What the broker and the gateway agreed on.',
    ],
    ['Up', count(broker.connected), TERMS.connected],
    ['Being opened', count(broker.connecting), TERMS.connecting],
    ['Waiting for their turn', count(broker.waiting), TERMS.waiting],
    ['Refused', count(broker.refused), TERMS.refused],
    ['Broken', count(broker.lost), TERMS.lostConnections],
  ]
  return (
    <>
      <p class="verdict-line" data-tone={broker.healthy ? 'good' : 'bad'}>
        <Dot />
        <span>{verdictOf(broker)}</span>
      </p>
      <Facts facts={facts} wide />
    </>
  )
}

function Listener({ listener }: { listener: ListenerInfo }) {
  const { name, url, receiveBuffer, receiveBufferAsked, kernelDrops, sendErrors, link } = listener
  const isSmall = receiveBuffer < receiveBufferAsked
  return (
    <tr>
      <th scope="row">{name}</th>
      <td>
        <code>{url}</code>
      </td>
      <td class="number" data-label="Receive buffer" data-tone={isSmall ? 'warn' : undefined}>
        {link !== undefined && 'none'}
        {link === undefined &&
          (isSmall ? `${octets(receiveBuffer)} of ${octets(receiveBufferAsked)}` : octets(receiveBuffer))}
      </td>
      <td
        class="number"
        data-label="Lost by the system"
        data-tone={(kernelDrops ?? 0) > 0 ? 'bad' : undefined}
      >
        {kernelDrops === undefined ? (link === undefined ? 'not known here' : 'none') : count(kernelDrops)}
      </td>
      <td class="number" data-label="Send errors" data-tone={sendErrors > 0 ? 'warn' : undefined}>
        {count(sendErrors)}
      </td>
    </tr>
  )
}

export function ConnectionsPage() {
  const { broker, listeners } = useLive()
  return (
    <div class="page stack">
      <Intro title="Connections">
        On one side the broker, where every sensor has a connection of its own, or its part of a shared one;
        on the other side the addresses where sensors are heard.
      </Intro>
      <Panel title="Broker" tip={TERMS.broker}>
        {broker !== undefined && <Broker broker={broker} />}
      </Panel>
      {broker !== undefined && <SharedConnections connections={broker.shared} />}
      <Panel title="Listeners" tip={TERMS.listener}>
        <WideTable label="Listeners">
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
              {listeners?.map((listener) => (
                <Listener key={listener.name} listener={listener} />
              ))}
            </tbody>
          </table>
        </WideTable>
      </Panel>
      {listeners !== undefined && <SecureListeners listeners={listeners} />}
      {listeners !== undefined && <Lines listeners={listeners} />}
    </div>
  )
}
