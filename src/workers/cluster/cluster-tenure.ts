// The part of a cluster that a gateway on a database has: opened when it starts to stand by, and loaded only then.

import type { OpenedNode } from '../../cluster/open-node.ts'
import type { SlotOwners } from '../../cluster/owners.ts'
import type { SlotDoor } from '../../cluster/shares/share.ts'
import { clusterOf } from '../../config/cluster/section.ts'
import type { Config } from '../../config/schema.ts'
import type { ClusterInfo } from '../../console/contract/cluster.ts'
import { engineOf } from '../../gateway/open-store.ts'
import type { OnDeposed } from '../../gateway/parts.ts'
import type { Tenure } from '../../gateway/tenure.ts'
import type { Log } from '../../log.ts'
import { allSlots } from '../../sessions/slots.ts'
import type { Incarnation } from '../../store/part.ts'
import { untilQuiet } from './until-quiet.ts'

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
  /** messages that were taken from sockets */
  #arrivals = 0
  /** the slots to begin with, from `own` on */
  slots: readonly number[] = allSlots

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

  /** Resolves when the sensors are those of this process, or its share of them is. Rejects if it cannot be one of the nodes that are there. */
  async own(): Promise<Incarnation> {
    await this.#owned
    this.#takenAt = performance.now()
    if (this.taken === undefined) throw new Error('the node is no member')
    this.slots = this.share?.own ?? allSlots
    return this.taken
  }

  get #node(): OpenedNode['node'] | undefined {
    return this.#opened?.node
  }

  get share(): OpenedNode['node']['share'] {
    return this.#node?.share
  }

  /** whose each slot is, where every node serves its share */
  get owners(): SlotOwners | undefined {
    return this.share?.owners
  }

  /** The gateway serves what it was told to begin with; so many sensors, where that is known. `door`: for what comes and goes later. */
  noteServing(door: SlotDoor, sensors?: number): void {
    this.#node?.noteServing(this.slots, door)
    const took = Math.round(performance.now() - this.#takenAt)
    const slots = this.share && this.slots.length
    const text =
      slots === undefined ? 'this node serves the sensors' : 'this node serves its share of the sensors'
    this.#parts.log.info({ node: this.#node?.name, slots, sensors, took }, text)
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

  noteArrival(): void {
    this.#arrivals += 1
  }

  /**
   * The gateway is about to end: others see that. Resolves when they have its sensors and nothing comes in here any more, or they cannot
   * have them, or it has taken too long; until then everything is served on that is not theirs yet.
   */
  async drain(): Promise<void> {
    this.#node?.drain()
    const { share } = this
    if (share === undefined) return
    const { drain } = clusterOf(this.#parts.config)
    let isLate = false
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(() => {
        isLate = true
        resolve()
      }, drain)
    })
    const handed = share.emptied().then(async () => {
      // a way in for sensors of others until the balancer has noticed
      if (share.living.length > 1)
        await untilQuiet(
          () => this.#arrivals,
          () => isLate,
        )
    })
    await Promise.race([handed, late])
    clearTimeout(timer)
    if (share.own.length > 0 && isLate)
      this.#parts.log.warn(
        { slots: share.own.length },
        'not all sensors could be handed over: others take them now',
      )
  }

  /** All is written: another node takes over at once. */
  async close(): Promise<void> {
    await this.#opened?.close()
  }
}
