// The part of a cluster that a gateway on a database has: opened when it starts to stand by, and loaded only then.

import type { OpenedNode } from '../../cluster/open-node.ts'
import type { SlotOwners } from '../../cluster/owners.ts'
import type { SlotDoor } from '../../cluster/shares/share.ts'
import { clusterOf, isShared } from '../../config/cluster/section.ts'
import type { Config } from '../../config/schema.ts'
import type { ClusterInfo } from '../../console/contract/cluster.ts'
import type { Nodes } from '../../console/nodes.ts'
import { engineOf } from '../../gateway/open-store.ts'
import type { OnDeposed } from '../../gateway/parts.ts'
import { logSuspicion } from '../../gateway/reports/suspicion.ts'
import type { Tenure } from '../../gateway/tenure.ts'
import type { Log } from '../../log.ts'
import { allSlots } from '../../sessions/slots.ts'
import type { Incarnation } from '../../store/part.ts'
import { createNodes } from '../calls/nodes.ts'
import type { ClusterLinks } from './cluster-links.ts'
import type { RoutedFront } from './router-parts.ts'
import type { SlotRouter } from './slot-router.ts'
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
  #links: ClusterLinks | undefined
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
    // others are told where it can be reached
    if (isShared(config))
      this.#links = await (await import('./cluster-links.ts')).ClusterLinks.listen(config, parts.log)
    const linkPort = this.#links?.port
    try {
      this.#opened = await openNode({ ...parts, config, engine: engineOf(config.store), linkPort })
    } catch (error) {
      this.#links?.close()
      throw error
    }
    this.#owned = this.#opened.node.own()
    this.#owned.catch(() => {}) // told to whoever waits
  }

  /** Begins to route datagrams between the nodes, where every node serves its share. */
  openRouter(routed: RoutedFront): SlotRouter | undefined {
    const { owners, share } = this
    if (owners === undefined || share === undefined) return undefined
    const links = this.#links
    share.onGiven = (receivers) => links?.tellChange(receivers)
    const { installation: cluster } = this
    const { version } = this.#parts
    const contact = this.#node?.contact
    return links?.route({ cluster, version, owners, contact, holds: () => this.holds() }, routed)
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

  /** The nodes, for a console; undefined where one serves at a time. */
  get nodes(): Nodes | undefined {
    const { config } = this.#parts
    const [share, links] = [() => this.share, () => this.#links]
    return isShared(config) ? createNodes(config, share, links) : undefined
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

  suspect(): void {
    if (this.#opened?.end.suspend()) logSuspicion(this.#parts.log)
  }

  status(): ClusterInfo | undefined {
    const status = this.#opened?.status()
    const links = this.#links
    if (status === undefined || links === undefined) return status
    return { ...status, hindrance: status.hindrance ?? links.hindrance, links: links.status() }
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
    this.#links?.close()
  }
}
