// Opens a node: the engine, its tables, a sign of life, and the membership.

import { clusterOf, isShared } from '../config/cluster/section.ts'
import type { Config } from '../config/schema.ts'
import type { ClusterInfo } from '../console/contract/cluster.ts'
import type { EngineOptions } from '../store/postgres/engine/connection.ts'
import { prepareSchema } from '../store/postgres/schema.ts'
import { StoreError } from '../store/store.ts'
import { agreementOf, differencesOf, insistOnKind, insistOnNames, insistOnSlots } from './agreement.ts'
import { Sightings } from './judging/sightings.ts'
import { LeaseEnd } from './lease-end.ts'
import { ClusterNode } from './node.ts'
import type { NodeLog } from './node-words.ts'
import { placeOfProcess } from './place.ts'
import { linkAddress } from './shares/link-address.ts'
import { openSign, type Sign, SignWatch } from './sign-of-life.ts'
import { statusOf } from './status.ts'
import { writeLink } from './tables/addresses.ts'
import { EngineLine } from './tables/engine-line.ts'
import { createMembership } from './tables/membership.ts'

/** The part of a lease after which a question has failed: there must be time for another one. */
const PATIENCE = 0.4

/** What a node is opened with. */
export interface NodeOptions {
  readonly config: Config
  readonly engine: Omit<EngineOptions, 'application'>
  /** the program's */
  readonly version: string
  /** threads that write to the store */
  readonly writers: number
  readonly log: NodeLog
  /** the port that was bound for links, where every node serves its share */
  readonly linkPort?: number | undefined
  /** told once when others have taken its place */
  onDeposed(why: Error): void
}

/** A node and what belongs to it. */
export interface OpenedNode {
  readonly node: ClusterNode
  /** for threads: until when the lease holds */
  readonly end: LeaseEnd
  /** tells this cluster from others at a broker */
  readonly installation: string
  status(): ClusterInfo
  /** Ends the membership, so that others take over at once. */
  close(): Promise<void>
}

/** Resolves when the engine was reached; rejects with StoreError if it cannot be, or is not fit. Nothing is owned yet. */
export async function openNode(options: NodeOptions): Promise<OpenedNode> {
  const { config, engine, version, writers, log, linkPort } = options
  const { node: name, lease, settle } = clusterOf(config)
  const application = `mqttsn ${name}`
  const line = new EngineLine({ ...engine, application }, lease * PATIENCE)
  const first = new EngineLine({ ...engine, application }, 10_000)
  let sign: Sign | undefined
  try {
    const { installation } = await prepareSchema(async (statement) => [...(await first.ask(statement))])
    const place = placeOfProcess()
    sign = await openSign(first.localAddress ?? '127.0.0.1', place).catch((err: unknown) => {
      log.warn(
        { err },
        'no port for a sign of life: others notice by the lease alone when this process is gone',
      )
      return undefined
    })
    const end = new LeaseEnd()
    const own = agreementOf(config)
    const link = linkAddress(config, first.localAddress, linkPort)
    const address = writeLink(sign?.address ?? '', link)
    const describe = () => ({ address, version, config: own, writers })
    const ask = (text: string, values: readonly (string | number)[]) => line.ask({ text, values })
    const sightings = new Sightings(() => performance.now())
    const signs = new SignWatch(place, () => node.look())
    const node: ClusterNode = new ClusterNode({
      name,
      lease,
      settle: isShared(config) ? settle : undefined,
      engine: sightings.watch(createMembership(ask, lease, describe)),
      end,
      signs,
      log,
      admits(members, now) {
        insistOnNames(own, members, now, name)
        insistOnKind(link, members, now, name)
        if (link !== undefined) insistOnSlots(own, members, now, name)
      },
      onDeposed: (why) => options.onDeposed(new Error(`${why}: this node must not go on, and ends`)),
    })
    const opened = sign
    return {
      node,
      end,
      installation,
      status: () =>
        statusOf(node, { lease, line, sightings, differences: (member) => differencesOf(own, member) }),
      async close() {
        await node.leave()
        signs.close()
        opened?.close()
        await line.close()
      },
    }
  } catch (error) {
    sign?.close()
    await line.close()
    if (error instanceof StoreError) throw error
    throw new StoreError(`store.url: ${error instanceof Error ? error.message : error}`)
  } finally {
    await first.close()
  }
}
