// The gateway as a program runs it: in this thread, or in several, as the configuration says.

import { availableParallelism } from 'node:os'
import { isShared } from '../config/cluster/section.ts'
import type { Config } from '../config/schema.ts'
import type { NodeView } from '../console/view.ts'
import type { Counters } from '../gateway/counters.ts'
import { Gateway } from '../gateway/gateway.ts'
import type { OnDeposed } from '../gateway/parts.ts'
import { rehearse } from '../gateway/rehearsal/rehearse.ts'
import type { ReloadReport } from '../gateway/rules/reload.ts'
import type { Log } from '../log.ts'
import { createHappenings, type Happenings } from '../monitor/happenings.ts'
import { openedLabels } from '../monitor/open-console.ts'
import { noteReload, noteStart } from '../monitor/reload-happenings.ts'
import { createView } from '../monitor/view.ts'
import type { Leaving } from '../sessions/ownership/let-go.ts'
import { wholeView } from './calls/whole-view.ts'
import { ClusterTenure, type ClusterTenureParts } from './cluster/cluster-tenure.ts'
import { Fleet } from './fleet.ts'
import { openFleetView } from './view.ts'

/** What is the same for both kinds. */
export interface AnyGateway {
  /** threads that serve sensors */
  readonly workers: number
  readonly brokerUrl: string
  /**
   * Where other processes may serve: gets ready to take over from them, so that only what is stored is missing. It can be looked at
   * from then on, and `start` waits for its turn. Rejects as `start`; undefined where there are no others.
   */
  readonly standBy: (() => Promise<void>) | undefined
  /** rejects, with nothing left open, if it cannot start; `slots`: whose sensors it begins with, all unless told */
  start(slots?: readonly number[]): Promise<void>
  /** takes up the sensors of further slots, and lets go of them: `Gateway.adopt` and `release` */
  adopt(slots: readonly number[]): Promise<void>
  release(slots: readonly number[], how: Leaving): Promise<void>
  /** It is about to be stopped: others go on with its sensors, where there are some; it serves until this resolves. */
  drain(): Promise<void>
  /** resolves to what was counted */
  stop(): Promise<Counters>
  reload(next: Config): Promise<ReloadReport>
  /** what has happened, to be added to by whoever runs the gateway */
  readonly happenings: Pick<Happenings, 'note'>
  /** for the console; to be closed by the caller */
  view(): Promise<NodeView & { close(): void }>
}

/** Makes the gateway that the configuration asks for; `version` is the program's. */
export function createGateway(
  config: Config,
  log: Log,
  version: string,
  onDeposed: OnDeposed = () => {},
): AnyGateway {
  const workers = config.workers === 'auto' ? Math.max(1, availableParallelism() - 1) : config.workers
  // what comes for other nodes goes on from a front
  return workers === 1 && !isShared(config)
    ? single(config, log, version, onDeposed)
    : several(config, workers, log, version, onDeposed)
}

function single(config: Config, log: Log, version: string, onDeposed: OnDeposed): AnyGateway {
  const tenure = tenureOf(config, { log, version, writers: 1, onDeposed })
  const gateway = new Gateway(config, { log, onDeposed, tenure })
  const happenings = createHappenings()
  return {
    workers: 1,
    standBy:
      tenure &&
      (async () => {
        await gateway.bind(true)
        await tenure.open()
        await rehearse(config, log)
      }),
    get brokerUrl() {
      return gateway.status().broker.url
    },
    async start(slots) {
      await tenure?.own()
      await gateway.prepare(slots ?? tenure?.slots)
      if (tenure === undefined) await rehearse(config, log)
      gateway.serve()
      tenure?.noteServing(gateway, gateway.sessions.byClientId.size)
      noteStart(happenings, version)
    },
    adopt: (slots) => gateway.adopt(slots),
    release: (slots, how) => gateway.release(slots, how),
    drain: async () => tenure?.drain(),
    async stop() {
      await gateway.stop()
      await tenure?.close()
      return gateway.status().counters
    },
    reload: async (next) => notedReload(happenings, gateway.reload(next)),
    happenings,
    view: async () =>
      withCluster(createView(gateway, config, version, { happenings, ...openedLabels(config) }), tenure),
  }
}

/** A database can be reached by several. */
const tenureOf = (config: Config, parts: Omit<ClusterTenureParts, 'config'>): ClusterTenure | undefined =>
  config.store.type === 'postgres' ? new ClusterTenure({ ...parts, config }) : undefined

/** The same gateway, which is one of the nodes that share a database. */
function withCluster<View extends NodeView>(view: View, tenure: ClusterTenure | undefined): View {
  if (tenure === undefined) return view
  const one = {
    ...view,
    cluster: () => tenure.status(),
    info: async () => ({ ...(await view.info()), clusterNode: tenure.status()?.node }),
  }
  const { nodes } = tenure
  return nodes === undefined ? one : { ...one, nodes, whole: wholeView(one, nodes) }
}

function notedReload(happenings: Happenings, report: ReloadReport): ReloadReport {
  noteReload(happenings, report)
  return report
}

function several(
  config: Config,
  workers: number,
  log: Log,
  version: string,
  onDeposed: OnDeposed,
): AnyGateway {
  const tenure = tenureOf(config, { log, version, writers: workers + 1, onDeposed })
  const fleet = new Fleet(config, workers, { log, version, onDeposed, tenure })
  const happenings = createHappenings()
  return {
    workers,
    standBy: tenure && (() => fleet.standBy()),
    get brokerUrl() {
      return fleet.brokerUrl
    },
    async start(slots) {
      await fleet.start(slots)
      tenure?.noteServing(fleet)
      noteStart(happenings, version)
    },
    adopt: (slots) => fleet.adopt(slots),
    release: (slots, how) => fleet.release(slots, how),
    drain: async () => tenure?.drain(),
    async stop() {
      const counters = await fleet.stop()
      await tenure?.close()
      return counters
    },
    reload: async (next) => notedReload(happenings, await fleet.reload(next)),
    happenings,
    view: async () =>
      withCluster(await openFleetView(fleet, { happenings, ...openedLabels(config) }), tenure),
  }
}
