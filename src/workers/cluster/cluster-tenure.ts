// The part of a cluster that a gateway on a database has: opened when it starts to stand by, and loaded only then.

import type { OpenedNode } from '../../cluster/open-node.ts'
import type { Config } from '../../config/schema.ts'
import type { ClusterInfo } from '../../console/contract/cluster.ts'
import { engineOf } from '../../gateway/open-store.ts'
import type { OnDeposed } from '../../gateway/parts.ts'
import type { Tenure } from '../../gateway/tenure.ts'
import type { Log } from '../../log.ts'
import type { Incarnation } from '../../store/part.ts'

/** What it needs to know. */
export interface ClusterTenureParts {
  readonly config: Config
  readonly log: Log
  readonly version: string
  /** threads that write to the store */
  readonly writers: number
  readonly onDeposed: OnDeposed
}

/** One object for the life of a gateway on a database that several can reach. */
export class ClusterTenure implements Tenure {
  readonly #parts: ClusterTenureParts
  #opened: OpenedNode | undefined
  #owned: Promise<void> | undefined
  #takenAt = 0

  constructor(parts: ClusterTenureParts) {
    this.#parts = parts
  }

  /** Begins to stand by; rejects with StoreError if the engine cannot be used. */
  async open(): Promise<void> {
    const { config, ...parts } = this.#parts
    const { openNode } = await import('../../cluster/open-node.ts')
    this.#opened = await openNode({ ...parts, config, engine: engineOf(config.store) })
    this.#owned = this.#opened.node.own()
    this.#owned.catch(() => {}) // told to whoever waits
  }

  /** Resolves when the sensors are those of this process. Rejects if it cannot be one of the nodes that are there. */
  async own(): Promise<Incarnation> {
    await this.#owned
    this.#takenAt = performance.now()
    if (this.taken === undefined) throw new Error('the node is no member')
    return this.taken
  }

  /** The gateway serves; so many sensors, where that is known. */
  noteServing(sensors?: number): void {
    const { node } = this.#opened ?? {}
    node?.noteServing()
    const took = Math.round(performance.now() - this.#takenAt)
    this.#parts.log.info({ node: node?.name, sensors, took }, 'this node serves the sensors')
  }

  get installation(): string {
    return this.#opened?.installation ?? ''
  }

  get taken(): Incarnation | undefined {
    return this.#opened?.node.self
  }

  /** for threads: until when the lease holds */
  get memory(): SharedArrayBuffer | undefined {
    return this.#opened?.end.memory
  }

  holds(): boolean {
    return this.#opened?.node.holds() === true
  }

  async confirm(): Promise<boolean> {
    return (await this.#opened?.node.confirm()) === true
  }

  status(): ClusterInfo | undefined {
    return this.#opened?.status()
  }

  /** The gateway is about to end. */
  drain(): void {
    this.#opened?.node.drain()
  }

  /** All is written: another node takes over at once. */
  async close(): Promise<void> {
    await this.#opened?.close()
  }
}
