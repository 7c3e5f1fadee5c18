// What a node says in its log: what it waits for, and whose sensors it takes over.

import type { Hindrance } from './judging/course.ts'
import { isSame, type Look, type Orphaned } from './judging/engine.ts'

/** The part of a pino logger that is used here. */
export interface NodeLog {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

/** Milliseconds after which the same is said again. */
const AGAIN = 60_000

/** Says what a node waits for, each time that it is something else. */
export class HindranceLog {
  readonly #node: string
  readonly #log: NodeLog
  #said = ''
  #failure = ''
  #failedAt = Number.NEGATIVE_INFINITY

  constructor(node: string, log: NodeLog) {
    this.#node = node
    this.#log = log
  }

  /** It waits for this. */
  say(hindrance: Hindrance): void {
    const owner = hindrance.type === 'standing-by' ? hindrance.owner : hindrance.by
    const said = `${hindrance.type} ${owner.node} ${owner.incarnation}`
    if (said === this.#said) return
    this.#said = said
    const node = this.#node
    if (hindrance.type === 'standing-by')
      return this.#log.info({ node, active: owner.node }, 'standing by: another node serves the sensors')
    this.#log.warn(
      { node, address: hindrance.by.address },
      'another process is this node: waiting until it ends. To stand by beside it, give this one a name of its own (cluster.node)',
    )
  }
  /** The engine has answered, and a step that followed has failed. */
  fail(err: unknown): void {
    const [failure, now] = [String(err), performance.now()]
    const isKnown = failure === this.#failure && now - this.#failedAt < AGAIN
    const text = 'a step of the cluster has failed, and is tried again'
    if (isKnown) return this.#log.debug({ err }, text)
    this.#failure = failure
    this.#failedAt = now
    this.#log.warn({ node: this.#node, err }, text)
  }
}

/** Says whose slots were taken, and why that could be. */
export function logTakeover(log: NodeLog, from: Orphaned, slots: number, look: Look): void {
  const member = look.members.find((one) => isSame(one, from))
  const silence = member === undefined ? undefined : Math.round(look.now - member.expires)
  const why = from.proven ? 'its process is gone' : 'its lease has run out'
  log.warn({ from: from.node, slots, ...(from.proven ? {} : { silence }) }, `taking over: ${why}`)
}

/** Says that the engine has stopped to answer, and what that means; `asksOthers`: it depends on them whether this node goes on. */
export function logSilence(log: NodeLog, err: unknown, isActive: boolean, asksOthers: boolean): void {
  const condition = asksOthers ? ' as long as no other node can have them' : ''
  const goesOn = isActive
    ? `: sensors are served on${condition}, but nothing is promised until it is back`
    : ''
  log.error({ err }, `the database cannot be reached${goesOn}`)
}
