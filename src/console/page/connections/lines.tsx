// The lines among the listeners: serial devices and device servers, whether they are there, and what they carry.

import type { LinkInfo, ListenerInfo } from '../../contract/gateway.ts'
import { count, octets } from '../parts/format.ts'
import { Panel, WideTable } from '../parts/panel.tsx'
import { Dot, Term } from '../parts/term.tsx'

const COLUMNS: readonly (readonly [name: string, tip: string])[] = [
  [
    'Line',
    'A serial device, a radio module, a device server that the gateway calls, or where modems call: `listeners[].url` in the configuration.',
  ],
  [
    'State',
    'A line that is away is tried again until it is back; sessions stay as long as their keep-alive lasts. Unreachable: radio nodes that did not confirm five messages in a row.',
  ],
  ['Received', 'Octets, with the framing, messages, and how well the last one was heard.'],
  ['Sent', 'Octets, with the framing, and messages.'],
  ['Waiting', 'Messages that wait for the line. "pace" says how many may.'],
  [
    'Errors',
    'noise, checksum, oversized, unknown-frame: octets that were no message. broadcast: to all, and no search. undelivered, unconfirmed, full, away, stuck: messages that could not go out.',
  ],
  [
    'Last noise',
    'The last octets that were no message. Readable text comes from a node that prints while it starts; anything else mostly means that "baud" or "framing" of both sides differ.',
  ],
]

function Line({ name, link }: { name: string; link: LinkInfo }) {
  const errors = Object.entries(link.errors).filter(([, value]) => value > 0)
  const { signal, unreachable, connections } = link
  const heard = signal?.rssi === undefined ? '' : `, ${signal.rssi} dBm`
  return (
    <tr>
      <th scope="row">{name}</th>
      <td data-label="State" data-tone={link.up ? 'good' : 'bad'}>
        <Dot />
        <span>{link.up ? 'open' : 'away'}</span>
        {connections !== undefined && (
          <Term
            tip={`${count(connections.refused)} were turned away since the start: too many, or not in "allow".`}
          >
            {` ${count(connections.open)} have called`}
          </Term>
        )}
        {unreachable.count > 0 && (
          <Term tip={unreachable.some.join(', ')}>{` ${count(unreachable.count)} unreachable`}</Term>
        )}
      </td>
      <td
        class="number"
        data-label="Received"
      >{`${octets(link.octets.received)}, ${count(link.frames.received)}${heard}`}</td>
      <td class="number" data-label="Sent">{`${octets(link.octets.sent)}, ${count(link.frames.sent)}`}</td>
      <td class="number" data-label="Waiting">
        {count(link.queue)}
      </td>
      <td data-label="Errors" data-tone={errors.length > 0 ? 'warn' : undefined}>
        {errors.map(([reason, value]) => `${count(value)} ${reason}`).join(', ') || 'none'}
      </td>
      <td data-label="Last noise">{link.noise === '' ? '' : <code>{link.noise}</code>}</td>
    </tr>
  )
}

/** A table of the lines; nothing where there are none. */
export function Lines({ listeners }: { listeners: readonly ListenerInfo[] }) {
  const lines = listeners.flatMap(({ name, link }) => (link === undefined ? [] : [{ name, link }]))
  if (lines.length === 0) return null
  return (
    <Panel title="Lines">
      <WideTable label="Lines">
        <table class="plain">
          <thead>
            <tr>
              {COLUMNS.map(([name, tip], i) => (
                <th key={name} scope="col" class={i > 1 && i < 5 ? 'number' : undefined}>
                  <Term tip={tip}>{name}</Term>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {lines.map(({ name, link }) => (
              <Line key={name} name={name} link={link} />
            ))}
          </tbody>
        </table>
      </WideTable>
    </Panel>
  )
}
