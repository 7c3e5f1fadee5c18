// The links of this node to the others, and what has gone over them.

import type { ClusterLink, ClusterLinksInfo } from '../../contract/cluster.ts'
import { count, duration } from '../parts/format.ts'
import { type Fact, Facts, Panel, WideTable } from '../parts/panel.tsx'
import { Dot, Term } from '../parts/term.tsx'
import { CLUSTER_TERMS } from '../words/cluster.ts'

const COLUMNS: readonly (readonly [name: string, tip?: string, isNumber?: true])[] = [
  ['To'],
  ['State'],
  ['Since'],
  ['Round trip', CLUSTER_TERMS.trip, true],
  ['On their way', CLUSTER_TERMS.underWay, true],
]

function Row({ link: { node, isUp, why, lasting, trip, underWay, mostUnderWay } }: { link: ClusterLink }) {
  return (
    <tr>
      <th scope="row">{node}</th>
      <td data-label="State" data-tone={isUp ? 'good' : 'bad'}>
        <Dot /> <span>{isUp ? 'up' : `down: ${why ?? 'not linked yet'}`}</span>
      </td>
      <td data-label="Since">{duration(lasting / 1000)}</td>
      <td class="number" data-label="Round trip">
        {trip === undefined ? '–' : `${trip.toFixed(trip < 10 ? 2 : 0)} ms`}
      </td>
      <td
        class="number"
        data-label="On their way"
        data-tone={underWay > mostUnderWay / 2 ? 'warn' : undefined}
      >
        {`${count(underWay)} of ${count(mostUnderWay)}`}
      </td>
    </tr>
  )
}

function refusedInWords({ refused, lastRefused }: ClusterLinksInfo): string {
  if (lastRefused === undefined) return count(refused)
  const { ago, address = 'an unknown address', node, why } = lastRefused
  const who = node === undefined ? address : `${address} as ${node}`
  return `${count(refused)}, the last ${duration(ago / 1000)} ago: ${who}, ${why}`
}

export function Links({ links }: { links: ClusterLinksInfo }) {
  const facts: Fact[] = [
    [
      'Sent on',
      count(links.forwarded),
      'Messages of sensors, to the nodes that serve them, since the start.',
    ],
    ['Sent back', count(links.answered), 'Messages to sensors, to the nodes that they came through.'],
    ['Asked for', count(links.asked), CLUSTER_TERMS.asked],
    ['Held', count(links.held), CLUSTER_TERMS.held],
    ['Refused', refusedInWords(links), CLUSTER_TERMS.refusedLinks],
  ]
  return (
    <Panel title="Links of this node" tip={CLUSTER_TERMS.links}>
      {links.nodes.length > 0 && (
        <WideTable label="Links">
          <table class="plain stacked">
            <thead>
              <tr>
                {COLUMNS.map(([name, tip, isNumber]) => (
                  <th key={name} scope="col" class={isNumber && 'number'}>
                    <Term tip={tip}>{name}</Term>
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {links.nodes.map((link) => (
                <Row key={link.node} link={link} />
              ))}
            </tbody>
          </table>
        </WideTable>
      )}
      <Facts facts={facts} wide />
    </Panel>
  )
}
