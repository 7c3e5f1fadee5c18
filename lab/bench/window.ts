// One window of time in which everything is measured: the gateway, its broker, the load itself, and what the load counted.

import { setTimeout as sleep } from 'node:timers/promises'
import type { Figures } from './figures.ts'
import { eventLoopDelay, kernelDrops, processUse } from './measure.ts'
import type { Stage, StageOptions, StoreKind, Wanted } from './stage.ts'
import type { Load } from './uplink.ts'

/** Milliseconds that messages under way may take to arrive after the last was sent, as long as some do arrive. */
const DRAIN = 500

/** What every scenario is given. */
export interface Context {
  /** length of one measurement */
  readonly seconds: number
  /** time for the load to become steady before that */
  readonly warm: number
  /** the cheapest form, that only shows that it works */
  readonly smallest: boolean
  readonly broker: StageOptions['broker']
  /** stores to compare, one after the other */
  readonly stores: readonly StoreKind[]
  /** starts broker and gateway, ended by `close` */
  open(wanted?: Wanted): Promise<Stage>
  /** tells what happens, for the impatient */
  say(text: string): void
}

/** Processor time, drops and delays from here to `end`. */
export class Watch {
  readonly #stage: Stage
  readonly #from: ReturnType<typeof look>
  readonly #hasLag: boolean

  private constructor(stage: Stage, hasLag: boolean) {
    this.#stage = stage
    this.#hasLag = hasLag
    this.#from = look(stage)
  }

  /** `lag`: whether to have the gateway watch its event loop, which costs it a little. */
  static async start(stage: Stage, lag = true): Promise<Watch> {
    if (lag) await eventLoopDelay(stage.console)
    return new Watch(stage, lag)
  }

  get seconds(): number {
    return (performance.now() - this.#from.at) / 1000
  }

  /** Figures of the time since `start`, with so many messages in it. */
  async end(messages: number | undefined): Promise<Figures> {
    const from = this.#from
    const now = look(this.#stage)
    const seconds = (now.at - from.at) / 1000
    const per = (a: number | undefined, b: number | undefined) =>
      a === undefined || b === undefined || messages === undefined ? undefined : ((b - a) * 1e6) / messages
    const share = (a: number | undefined, b: number | undefined) =>
      a === undefined || b === undefined ? undefined : ((b - a) * 100) / seconds
    const busyOf = (use: typeof now.gateway) => (use === undefined ? undefined : use.user + use.system)
    return {
      rate: messages === undefined ? undefined : messages / seconds,
      cpu: per(busyOf(from.gateway), busyOf(now.gateway)),
      cpuUser: per(from.gateway?.user, now.gateway?.user),
      cpuSystem: per(from.gateway?.system, now.gateway?.system),
      cpuFirst: per(from.gateway?.first, now.gateway?.first),
      busy: share(busyOf(from.gateway), busyOf(now.gateway)),
      resident: now.gateway === undefined ? undefined : now.gateway.memory / 1024,
      drops: now.drops === undefined || from.drops === undefined ? undefined : now.drops - from.drops,
      brokerBusy: share(busyOf(from.broker), busyOf(now.broker)),
      engineBusy: share(from.engine, now.engine),
      loadBusy: share(from.load, now.load),
      lag: this.#hasLag ? await eventLoopDelay(this.#stage.console) : undefined,
    }
  }
}

function look(stage: Stage) {
  const { user, system } = process.cpuUsage()
  return {
    at: performance.now(),
    gateway: processUse(stage.pid),
    broker: processUse(stage.brokerPid),
    engine: stage.engine?.processorTime,
    drops: kernelDrops(stage.gateway.port),
    load: (user + system) / 1e6,
  }
}

/** Lets a load run for a while and measures it. Throws if the gateway logged an error. */
export async function measureLoad(context: Context, stage: Stage, load: Load): Promise<Figures> {
  await sleep(context.warm * 1000)
  load.latency.clear()
  const { done, repeated, refused } = load
  const watch = await Watch.start(stage)
  await sleep(context.seconds * 1000)
  const finished = load.done - done
  const again = load.repeated - repeated
  const turnedDown = load.refused - refused
  const latency = latencyOf(load)
  const figures = await watch.end(finished)
  checkFaults(stage)
  return {
    ...figures,
    ...latency,
    lost: again,
    loss: (again * 100) / Math.max(1, finished + again),
    refused: turnedDown > 0 ? turnedDown : undefined,
  }
}

/** Its three quantiles. */
export function latencyOf({ latency }: Pick<Load, 'latency'>): Figures {
  return { p50: latency.quantile(0.5), p99: latency.quantile(0.99), p999: latency.quantile(0.999) }
}

/** A gateway in good health logs no errors. */
export function checkFaults({ faults }: Stage): void {
  if (faults[0] !== undefined) throw new Error(`the gateway logged an error: ${faults[0]}`)
}

/** Waits until a count has stopped growing, or has reached `enough`. */
export async function settle(count: () => number, enough = Number.POSITIVE_INFINITY): Promise<void> {
  let last = count()
  for (let quiet = 0; quiet < DRAIN && last < enough; quiet += 20) {
    await sleep(20)
    if (count() !== last) quiet = 0
    last = count()
  }
}
