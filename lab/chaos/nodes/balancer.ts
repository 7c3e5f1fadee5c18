// What stands in front of several nodes: it asks them whether they are ready, and says where the datagrams of each sensor go. As
// those that translate addresses do, it lets only the node that a sensor speaks to answer it.

import { pause } from '../../../src/sensor/pause.ts'
import { PlainLink, type Spot } from '../link.ts'
import { seeded } from '../random.ts'

/** Milliseconds between two questions, and after which an answer does not come any more. */
const [PROBE, PATIENCE] = [200, 400]
/** Milliseconds after its last good answer in which a node is given up: flows move then. */
const GONE = 1000

/** A node as the balancer sees it. */
export interface Target extends Spot {
  /** its port for DTLS, at the same address */
  readonly secure: number
  /** url of its console */
  readonly console: string
}

/** One balancer; it asks until the signal. */
export class Balancer {
  readonly #targets: readonly Target[]
  /** when each said that it is ready, milliseconds */
  readonly #readyAt = new Map<Target, number>()
  readonly #flows = new Map<string, Target>()
  /** answers of nodes that a sensor did not speak to: they were thrown away */
  strays = 0
  /** flows that went to another node */
  moved = 0

  constructor(targets: readonly Target[], signal: AbortSignal) {
    this.#targets = targets
    for (const target of targets) void this.#watch(target, signal)
  }

  /** those that are ready as far as it knows */
  get ready(): readonly Target[] {
    const since = performance.now() - GONE
    return this.#targets.filter((target) => (this.#readyAt.get(target) ?? Number.NEGATIVE_INFINITY) > since)
  }

  /** Where the datagrams of this sensor go now: to the same node as long as that is ready, and if none is. */
  targetOf(flow: string): Target | undefined {
    const { ready } = this
    const present = this.#flows.get(flow)
    if (present !== undefined && (ready.length === 0 || ready.includes(present))) return present
    const chosen = ready[Math.floor(seeded(flow)() * ready.length)]
    if (chosen === undefined) return this.#targets[0]
    if (present !== undefined) this.moved += 1
    this.#flows.set(flow, chosen)
    return chosen
  }

  /** All go to nodes drawn anew, as when a balancer's own table is gone; `chance`: 0 to 1. */
  rehash(chance: number): void {
    const { ready } = this
    for (const [flow, present] of this.#flows) {
      const chosen = ready[Math.floor(seeded(flow, chance)() * ready.length)]
      if (chosen === undefined || chosen === present) continue
      this.moved += 1
      this.#flows.set(flow, chosen)
    }
  }

  async #watch(target: Target, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const askedAt = performance.now()
      if (await isReady(target)) this.#readyAt.set(target, askedAt)
      await pause(PROBE, signal)
    }
  }
}

/** Asks a node itself. */
export async function isReady({ console }: Target): Promise<boolean> {
  try {
    return (await fetch(`${console}/health/ready`, { signal: AbortSignal.timeout(PATIENCE) })).ok
  } catch {
    return false
  }
}

/** A sensor's way through it: the nodes see one address of the sensor, whichever of them it speaks to. Another address is another flow. */
export class BalancedLink extends PlainLink {
  /** `onStray`: an answer was thrown away */
  constructor(balancer: Balancer, sensor: string, onStray: () => void = () => {}) {
    super(
      (moves) => balancer.targetOf(`${sensor} ${moves}`),
      () => {
        balancer.strays += 1
        onStray()
      },
    )
  }
}
