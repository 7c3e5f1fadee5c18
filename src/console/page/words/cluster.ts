// The states of nodes and the terms of the page "Cluster", explained. Pure.

import type { ClusterInfo, ClusterMember } from '../../contract/cluster.ts'
import type { ToneWords } from './explained.ts'

export const NODE_STATES: Readonly<Record<ClusterInfo['state'], ToneWords>> = {
  joining: { label: 'Joining', tone: 'busy', text: 'It is no member yet: it asks the database.' },
  standby: {
    label: 'Stands by',
    tone: 'sleep',
    text: 'It serves nobody, and takes over when a node is gone.',
  },
  'taking-over': { label: 'Takes over', tone: 'busy', text: 'It loads the sessions that it goes on with.' },
  active: { label: 'Serves', tone: 'good', text: 'It serves sensors.' },
  draining: {
    label: 'Being stopped',
    tone: 'busy',
    text: 'It hands its sensors over to the other nodes and ends then.',
  },
  deposed: {
    label: 'Deposed',
    tone: 'off',
    text: 'Others have taken its place: that process may do nothing any more but end.',
  },
  left: { label: 'Left', tone: 'off', text: 'It has ended its membership.' },
}

/** A member whose lease is over does not serve, whatever it said last. */
export const GONE: ToneWords = {
  label: 'Gone',
  tone: 'bad',
  text: 'Its lease has run out: its process has ended, stands still, or cannot reach the database.',
}

export const memberWords = ({ state, leaseLeft }: ClusterMember): ToneWords =>
  state !== 'deposed' && (leaseLeft ?? 0) <= 0 ? GONE : NODE_STATES[state]

export const CLUSTER_TERMS = {
  lease:
    'A node may serve until its lease runs out. It renews it at the database all the time; nobody takes its sensors before.',
  slots: 'Sensors belong to one of 1,024 slots by their ClientId, and each slot to one node.',
  takeovers: 'How often this node has gone on with sensors of a node that was gone, since its start.',
  engine: 'The database server that the nodes share: it says who may serve.',
  latency: 'How long the last answer of the database server to this node took.',
  replicated: 'Whether what it acknowledges outlives the loss of its machine.',
  links:
    'Messages of a sensor may come to any node. They go on over a link to the one that serves it, and answers go back.',
  trip: 'How long a question to that node and its answer take at best.',
  underWay:
    'Messages that were sent to it and that it has not taken yet. Above a bound they are dropped as "overloaded".',
  refusedLinks:
    'Connections to the port of "cluster.listen" that were no node of this cluster, or do not know its secret.',
  held: 'Messages that were held for a moment until it was known who serves their sensor.',
  asked:
    'Addresses of sensors that came by another way than before: the other nodes were asked whose they are.',
} as const
