// The other nodes of a cluster as the console sees them: whom it may ask on behalf of a request, and who does not answer.

import { AsyncLocalStorage } from 'node:async_hooks'
import type { BrokerStep, StateChange, WatchedPacket } from './contract/live.ts'

/** A request that another node is to answer. */
export interface NodeRequest {
  readonly method: string
  /** path and query */
  readonly url: string
  /** JSON; undefined: none */
  readonly body?: string | undefined
}

/** What a node answers. */
export interface NodeAnswer {
  readonly status: number
  /** media type */
  readonly type: string
  readonly body: string
}

/** Answers requests of other nodes. */
export type AnswerNode = (request: NodeRequest) => Promise<NodeAnswer>

/** What is seen live of one sensor, by its kind. */
export interface SeenOf {
  readonly packet: WatchedPacket
  readonly broker: BrokerStep
  readonly state: StateChange
}

export type SeenKind = keyof SeenOf

export const SEEN_KINDS = ['packet', 'broker', 'state'] as const satisfies readonly SeenKind[]

/** Calls back for what is seen of a sensor until the returned function is called. */
export type LookAt = <K extends SeenKind>(
  kind: K,
  clientId: string,
  seen: (what: SeenOf[K]) => void,
) => () => void

/** The nodes of a cluster, this one among them. */
export interface Nodes {
  readonly self: string
  /** those that take part, in order */
  members(): readonly string[]
  /** the node that serves a sensor; undefined: nobody does at the moment */
  ownerOf(clientId: string): string | undefined
  /** Rejects with NodeSilent if there is no answer within seconds. */
  ask(node: string, request: NodeRequest): Promise<NodeAnswer>
  /** What the other nodes see of a sensor, those included that come later. */
  readonly watch: LookAt
  /** From now on requests of other nodes are answered by this, and they see live what it looks at; undefined: nothing. */
  serve(answer: AnswerNode | undefined, lookAt?: LookAt): void
}

/** A node that should have been asked cannot be, or has not answered. */
export class NodeSilent extends Error {
  override readonly name = 'NodeSilent'

  readonly node: string | undefined

  /** `node`: undefined if nobody is there to be asked */
  constructor(node: string | undefined, why: string) {
    super(node === undefined ? why : `Node ${node} does not answer: ${why}.`)
    this.node = node
  }
}

/** For the length of a request: the nodes whose part its answer does not have. */
const missing = new AsyncLocalStorage<Set<string>>()

/** Runs what answers a request. */
export const whileAnswering = (run: () => void): void => missing.run(new Set(), run)

/** The answer that is being made is without what this node would have said. */
export const noteMissing = (node: string): void => void missing.getStore()?.add(node)

/** These nodes have not answered. */
export const missingNodes = (): readonly string[] => [...(missing.getStore() ?? [])]
