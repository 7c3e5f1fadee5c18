// The nodes that share a database: what each does, its lease, its version, its slots.

import type { ClusterInfo, ClusterMember } from '../../contract/cluster.ts'
import { count, duration } from '../parts/format.ts'
import { Panel, WideTable } from '../parts/panel.tsx'
import { Badge, Term } from '../parts/term.tsx'
import { CLUSTER_TERMS, memberWords } from '../words/cluster.ts'
import { inkOf } from './slot-map.tsx'

const COLUMNS: readonly (readonly [name: string, tip: string, isNumber?: true])[] = [
  ['Node', 'Its name: "cluster.node".'],
  ['State', 'What it does, as this node has seen it last.'],
  ['Since', 'Since when it has done that, as far as this node has seen.'],
  ['Lease left', CLUSTER_TERMS.lease, true],
  ['Slots', CLUSTER_TERMS.slots, true],
  ['Version', 'Of the gateway.'],
  ['Reached at', 'Where other nodes call it: "cluster.listen".'],
  ['Configuration', 'Whether it is the same as here in what all nodes should have in common.'],
]

/** `3.2 s`, or since when it is over */
function lease(left: number | undefined): string {
  if (left === undefined) return 'none'
  return left >= 0 ? `${(left / 1000).toFixed(1)} s` : `over for ${duration(-left / 1000)}`
}

function Member({ member, place }: { member: ClusterMember; place: number }) {
  const { node, isSelf, version, link, leaseLeft, slots, lasting, differences, state } = member
  const isLate = state !== 'deposed' && (leaseLeft ?? 0) <= 0
  return (
    <tr>
      <th scope="row">
        <span class={`ink ${inkOf(place)}`} aria-hidden="true" /> {node}
        {isSelf && <span class="muted"> (this one)</span>}
      </th>
      <td data-label="State">
        <Badge words={memberWords(member)} />
      </td>
      <td data-label="Since">{duration(lasting / 1000)}</td>
      <td class="number" data-label="Lease left" data-tone={isLate ? 'bad' : undefined}>
        {lease(leaseLeft)}
      </td>
      <td class="number" data-label="Slots">
        {count(slots)}
      </td>
      <td data-label="Version">{version ?? 'not told'}</td>
      <td data-label="Reached at">{link === undefined ? 'no links' : <code>{link}</code>}</td>
      <td data-label="Configuration" data-tone={differences.length > 0 ? 'warn' : undefined}>
        {isSelf && 'as here'}
        {!isSelf && (differences.length === 0 ? 'the same' : `differs: ${differences.join(', ')}`)}
      </td>
    </tr>
  )
}

export function Members({ cluster }: { cluster: ClusterInfo }) {
  return (
    <Panel title="Nodes">
      <WideTable label="Nodes">
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
            {cluster.members.map((member, place) => (
              <Member key={`${member.node} ${member.incarnation}`} member={member} place={place} />
            ))}
          </tbody>
        </table>
      </WideTable>
    </Panel>
  )
}
