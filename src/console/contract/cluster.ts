// What the API tells of the nodes that share a database. Types only.

import type { HistogramInfo } from './gateway.ts'

/** A node, as the one that is asked has seen it last. */
export interface ClusterMember {
  readonly node: string
  /** grows with every start */
  readonly incarnation: number
  readonly state: 'standby' | 'active' | 'draining' | 'deposed'
  readonly address: string | undefined
  /** where other nodes reach it; undefined: one node serves at a time */
  readonly link: string | undefined
  readonly version: string | undefined
  /** milliseconds until its lease runs out; negative: it has; undefined: it has none */
  readonly leaseLeft: number | undefined
  /** slots of ClientIds that it owns, of 1024 */
  readonly slots: number
  readonly isSelf: boolean
  /** how long it has been in this state, as far as the node that is asked has seen, milliseconds */
  readonly lasting: number
  /** it runs with another configuration in what should be the same */
  readonly differs: boolean
  /** the keys of the configuration that differ */
  readonly differences: readonly string[]
}

/** A link to another node. */
export interface ClusterLink {
  readonly node: string
  readonly isUp: boolean
  /** how long it has been up or down, milliseconds */
  readonly lasting: number
  /** why it is down */
  readonly why: string | undefined
  /** how long a question and its answer take at best, milliseconds */
  readonly trip: number | undefined
  /** messages that are on their way to it, and how many may be: it gets no more while there are so many */
  readonly underWay: number
  readonly mostUnderWay: number
}

/** A connection of another node, or of somebody else, that was refused. */
export interface RefusedLink {
  /** milliseconds since then */
  readonly ago: number
  /** where it came from */
  readonly address: string | undefined
  /** the node that it said to be */
  readonly node: string | undefined
  readonly why: string
}

/** What the console of the node that is asked has asked of another one since its start. */
export interface ClusterCalls {
  readonly node: string
  /** questions without an answer, or whose answer was that it cannot be given */
  readonly failed: number
  /** how long the answers to all others took, seconds */
  readonly times: HistogramInfo
}

/** The links of the node that is asked, and what has gone over them since its start. */
export interface ClusterLinksInfo {
  readonly nodes: readonly ClusterLink[]
  /** messages of sensors, to the nodes that serve them */
  readonly forwarded: number
  /** messages to sensors, to the nodes that they came through */
  readonly answered: number
  /** addresses that the other nodes were asked for */
  readonly asked: number
  /** messages that were held until it was known who serves their sensors */
  readonly held: number
  /** of these, those that are held now */
  readonly holding: number
  /** connections that were refused, and the last one of them */
  readonly refused: number
  readonly lastRefused: RefusedLink | undefined
  readonly calls: readonly ClusterCalls[]
  /** what passed between a sensor and this node while another one looked on, and was more than that one is told */
  readonly unshown: number
}

/** The node that is asked, the others, and the database server. Times are milliseconds. */
export interface ClusterInfo {
  readonly node: string
  readonly state: 'joining' | 'standby' | 'taking-over' | 'active' | 'draining' | 'deposed' | 'left'
  /** why it does not serve; undefined: it does */
  readonly hindrance: string | undefined
  readonly lease: number
  /** until its own lease runs out, as it counts; 0: it has none */
  readonly leaseLeft: number
  /** how often it has taken over from another node since its start */
  readonly takeovers: number
  /** every node serves its share; otherwise one serves and the others stand by */
  readonly shared: boolean
  /** slots whose sensors this node serves now, of 1024; slots that it takes up now, and that it hands over now */
  readonly slots: number
  readonly arriving: number
  readonly leaving: number
  readonly engine: {
    readonly host: string | undefined
    /** it has answered the last time */
    readonly up: boolean
    /** why it has not */
    readonly trouble: string | undefined
    /** how long the last answer took, and since when there is none newer */
    readonly latency: number | undefined
    readonly answeredAgo: number | undefined
    /** what it acknowledges outlives the loss of its machine; undefined: not known, as while the node stands by */
    readonly replicated?: boolean | undefined
    /** what is wrong with its settings */
    readonly warnings?: readonly string[] | undefined
  }
  readonly members: readonly ClusterMember[]
  /** for each of the 1024 slots the place of its owner in `members`; -1: nobody owns it, or a process that is gone */
  readonly owners: readonly number[]
  /** undefined where one node serves at a time */
  readonly links?: ClusterLinksInfo | undefined
}
