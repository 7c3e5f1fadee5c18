// The nodes that share a database, as the one that is asked sees them: who serves what, links, leases, the database.

import type { ClusterInfo } from '../../contract/cluster.ts'
import { Links } from '../cluster/links.tsx'
import { Members } from '../cluster/members.tsx'
import { SlotMap } from '../cluster/slot-map.tsx'
import { type ClusterTrouble, clusterTroubles, ofCluster } from '../data/cluster-health.ts'
import { useLive } from '../data/use-live.ts'
import { DocsLink } from '../parts/docs-link.tsx'
import { count, duration } from '../parts/format.ts'
import { EmptyState, type Fact, Facts, Intro, Panel } from '../parts/panel.tsx'
import { Badge, Dot } from '../parts/term.tsx'
import { CLUSTER_TERMS, NODE_STATES } from '../words/cluster.ts'

function Trouble({ trouble: { tone, text, next, docs } }: { trouble: ClusterTrouble }) {
  return (
    <li data-tone={tone}>
      <Dot />
      <span>
        {text} <span class="muted">{next}</span> <DocsLink path={docs} />
      </span>
    </li>
  )
}

function Verdict({ cluster }: { cluster: ClusterInfo }) {
  const troubles = clusterTroubles(cluster)
  if (troubles.length === 0)
    return (
      <p class="verdict-line" data-tone="good">
        <Dot />
        <span>{ofCluster(cluster).text}</span>
      </p>
    )
  return (
    <ul class="reasons-why" aria-label="What wants a look">
      {troubles.map((trouble) => (
        <Trouble key={trouble.text} trouble={trouble} />
      ))}
    </ul>
  )
}

function ThisNode({ cluster }: { cluster: ClusterInfo }) {
  const { node, state, hindrance, leaseLeft, lease, slots, arriving, leaving, takeovers } = cluster
  const moving = [
    ...(arriving === 0 ? [] : [`${count(arriving)} are taken up`]),
    ...(leaving === 0 ? [] : [`${count(leaving)} are handed over`]),
  ]
  const facts: Fact[] = [
    ['Name', node, 'From "cluster.node" in the configuration.'],
    ['State', <Badge key="state" words={NODE_STATES[state]} />],
    ['Waits for', hindrance ?? 'nothing', 'Why it should not be sent sensors; /health/ready says the same.'],
    ['Lease', `${(leaseLeft / 1000).toFixed(1)} s left of ${duration(lease / 1000)}`, CLUSTER_TERMS.lease],
    ['Slots served', [count(slots), ...moving].join(', '), CLUSTER_TERMS.slots],
    ['Takeovers', count(takeovers), CLUSTER_TERMS.takeovers],
  ]
  return (
    <Panel title="This node">
      <Facts facts={facts} wide />
    </Panel>
  )
}

function Engine({ engine }: { engine: ClusterInfo['engine'] }) {
  const { host, up, trouble, latency, answeredAgo, replicated, warnings = [] } = engine
  const facts: Fact[] = [
    ['Server', host ?? 'not known yet', 'From "store.url" in the configuration.'],
    [
      'State',
      <span key="state" data-tone={up ? 'good' : 'bad'}>
        <Dot /> {up ? 'answers' : `does not answer: ${trouble ?? 'not yet'}`}
      </span>,
    ],
    [
      'Replicated',
      replicated === undefined
        ? 'not known to this node'
        : replicated
          ? 'yes'
          : `no${warnings.length === 0 ? '' : `: ${warnings.join('; ')}`}`,
      CLUSTER_TERMS.replicated,
    ],
    ['Last answer took', latency === undefined ? '–' : `${latency.toFixed(1)} ms`, CLUSTER_TERMS.latency],
    ['Last contact', answeredAgo === undefined ? 'never' : `${(answeredAgo / 1000).toFixed(1)} s ago`],
  ]
  return (
    <Panel title="Database server" tip={CLUSTER_TERMS.engine}>
      <Facts facts={facts} wide />
    </Panel>
  )
}

export function ClusterPage() {
  const { cluster, info } = useLive()
  return (
    <div class="page stack">
      <Intro title="Cluster">
        Several gateways on one database are one gateway for the sensors. This page shows them as the node
        sees them that serves this console.
      </Intro>
      {cluster === undefined ? (
        <EmptyState
          title={
            info !== undefined && info.clusterNode === undefined
              ? 'This gateway is alone'
              : 'Waiting for the gateway'
          }
        >
          {info !== undefined && info.clusterNode === undefined
            ? 'Several gateways can share their sensors with store.type "postgres": see the page about clusters in the documentation.'
            : 'Its nodes will appear here as soon as it answers.'}
        </EmptyState>
      ) : (
        <>
          <Verdict cluster={cluster} />
          <ThisNode cluster={cluster} />
          <Members cluster={cluster} />
          <Panel title="Who serves which slots" tip={CLUSTER_TERMS.slots}>
            <SlotMap cluster={cluster} />
          </Panel>
          {cluster.links !== undefined && <Links links={cluster.links} />}
          <Engine engine={cluster.engine} />
        </>
      )}
    </div>
  )
}
