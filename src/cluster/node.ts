// A node: keeps its membership and its lease, stands by until it may serve, and notices when others have taken its place.

import { HeldLease } from './held-lease.ts'
import { type Hindrance, membersToWatch, nextStep, type Step } from './judging/course.ts'
import type { Identity, Look, Member, MemberState } from './judging/engine.ts'
import { Judge } from './judging/judge.ts'
import { type Looked, Looks, lookInterval } from './looks.ts'
import type { NodeParts, NodeState } from './node-parts.ts'
import { HindranceLog, logSilence } from './node-words.ts'
import { EngineContact } from './shares/engine-contact.ts'
import { Share, type SlotDoor } from './shares/share.ts'
import { leaveCluster } from './tables/leave-cluster.ts'
import { takeSlots } from './tables/take-slots.ts'

/** One object for the life of a process. */
export class ClusterNode {
  readonly #parts: NodeParts
  readonly #judge: Judge
  readonly #lease: HeldLease
  state: NodeState = 'joining'
  self: Identity | undefined
  /** the last look, and when it was asked for; monotonic milliseconds */
  last: { readonly look: Look; readonly at: number } | undefined
  hindrance: Hindrance | undefined
  /** why the engine did not answer the last time; undefined: it did */
  trouble: string | undefined
  /** owners whose slots this node has taken */
  takeovers = 0
  /** of the slots; undefined: it serves all of them or none */
  readonly share: Share | undefined = undefined
  /** with the other nodes, where there is a share: whether they have the engine */
  readonly contact: EngineContact | undefined = undefined
  readonly #looks: Looks
  readonly #hindranceLog: HindranceLog
  #onOwned: { resolve(): void; reject(error: unknown): void } | undefined

  constructor(parts: NodeParts) {
    this.#parts = parts
    this.#judge = new Judge(parts.lease)
    this.#lease = new HeldLease(parts.lease, parts.end)
    this.#hindranceLog = new HindranceLog(parts.name, parts.log)
    const { lease, engine, settle, log } = parts
    const [look, onDeposed] = [() => this.look(), (why: string) => this.#depose(why)]
    if (settle !== undefined) {
      const share = new Share({ engine, settle, log, look, onDeposed })
      this.share = share
      this.contact = new EngineContact({
        ...{ lease, log, judge: this.#judge, holds: () => this.holds() },
        living: () => share.living.map(({ node }) => node),
        answeredAt: () => (this.#isServing ? this.last?.at : undefined),
        onUntil: (until) => this.#lease.extend(until),
      })
    }
    this.#looks = new Looks({
      look: (askedAt) => this.#look(askedAt),
      interval: () => lookInterval(lease, this.state === 'active', this.share?.soon),
      isOver: () => this.#isOver,
    })
  }

  get name(): string {
    return this.#parts.name
  }

  /** Whether it may serve now. */
  holds(): boolean {
    return this.#lease.holds()
  }

  /** until when, monotonic milliseconds */
  get leaseEnd(): number {
    return this.#lease.end
  }

  /** Begins to look; resolves when the node owns all slots. Rejects if it cannot be one of the members that are there. */
  own(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#onOwned = { resolve, reject }
      this.#looks.now()
    })
  }

  /** It serves, with what is stored; one of several these slots, and others through this door. */
  noteServing(slots: readonly number[], door: SlotDoor): void {
    if (this.state !== 'taking-over') return
    this.share?.begin(slots, door)
    this.state = 'active'
    this.#looks.now()
  }

  /** Something may have changed: looks at once. */
  look(): void {
    this.#looks.now()
  }

  /** Whether the slots are still its own. Without the engine they count as lost: somebody has taken over a sensor. */
  async confirm(): Promise<boolean> {
    while (!this.#isOver) {
      const isAnswered = await this.#looks.next()
      if (this.#isOver) break
      if (!isAnswered)
        this.#depose('the broker says that sensors were taken over, and the engine cannot be asked by whom')
      else if (this.holds()) return true // otherwise the answer was so late that it is worth nothing
    }
    return false
  }

  /** It is about to end; others see that. */
  drain(): void {
    if (this.#isOver) return
    this.state = 'draining'
    this.#looks.now()
  }

  /** Ends the membership: whoever stands by takes over at once. Says so in the log if that cannot be told to the engine. */
  async leave(): Promise<void> {
    const { engine, log } = this.#parts
    this.#looks.stop()
    this.contact?.stop()
    const { self } = this
    const wasDeposed = this.state === 'deposed'
    this.state = wasDeposed ? 'deposed' : 'left'
    this.#lease.finish()
    if (self !== undefined && !wasDeposed) await leaveCluster(engine, self, log)
  }

  get #isOver(): boolean {
    return this.state === 'deposed' || this.state === 'left'
  }

  async #look(askedAt: number): Promise<Looked> {
    let isAnswered = false
    try {
      const look = await this.#ask()
      isAnswered = true
      return { isAnswered, isSoon: !this.#isOver && (await this.#take(look, askedAt)) }
    } catch (error) {
      if (isAnswered) this.#hindranceLog.fail(error)
      else this.#noteSilence(error, askedAt)
      return { isAnswered, isSoon: false }
    }
  }

  get #isServing(): boolean {
    return this.state === 'active' || this.state === 'draining'
  }

  /** what others are told */
  get #told(): MemberState {
    return this.state === 'active' || this.state === 'draining' ? this.state : 'standby'
  }

  #ask(): Promise<Look> {
    const { engine } = this.#parts
    return this.self === undefined ? engine.look() : engine.renew(this.self, this.#told)
  }

  #noteSilence(error: unknown, askedAt: number): void {
    this.#judge.noteSilence()
    // one of several is told by the others how long it may go on
    const asksOthers = this.contact !== undefined
    if (this.#isServing && !asksOthers) this.#lease.noteSilence(askedAt)
    if (this.trouble === undefined) logSilence(this.#parts.log, error, this.state === 'active', asksOthers)
    this.trouble = error instanceof Error ? error.message : String(error)
  }

  /** Does what follows from a look; true: it is to be looked again at once. */
  async #take(look: Look, askedAt: number): Promise<boolean> {
    const { log } = this.#parts
    if (this.trouble !== undefined) log.info({}, 'the database is back')
    this.trouble = undefined
    this.last = { look, at: askedAt }
    this.#judge.noteAnswer(askedAt, look.now)
    this.contact?.noteAnswer()
    const step = this.#decide(look, askedAt)
    this.hindrance = step.type === 'wait' ? step.for : undefined
    switch (step.type) {
      case 'end':
        this.#depose('another node has taken over')
        return false
      case 'join':
        return this.#join(step)
      case 'take':
        return this.#takeSlots(step, look)
      case 'serve':
        this.#serve(askedAt)
        return false
      case 'wait':
        this.#hindranceLog.say(step.for)
        return false
    }
  }

  async #takeSlots(step: Extract<Step, { type: 'take' }>, look: Look): Promise<boolean> {
    const { engine, log } = this.#parts
    const { taken, owners } = await takeSlots(engine, this.self as Identity, step, look, log)
    this.takeovers += owners
    return taken > 0 // if not, others were quicker
  }

  #decide(look: Look, askedAt: number): Step {
    const { name: node, signs } = this.#parts
    const { self, share } = this
    const isProven = (member: Member) => signs.isProven(member)
    const situation = { node, self, look, judge: this.#judge, now: performance.now(), isProven }
    const step = share?.decide({ ...situation, state: this.#told }) ?? nextStep(situation)
    signs.watch(membersToWatch(node, self, look, share?.living))
    if (share === undefined || self === undefined || !look.renewed) return step
    this.#lease.noteRenewal(askedAt)
    share.follow(self, askedAt)
    return step
  }

  async #join({ before }: Extract<Step, { type: 'join' }>): Promise<boolean> {
    const { name, engine, log, admits } = this.#parts
    try {
      if (this.last !== undefined) admits?.(this.last.look.members, this.last.look.now)
    } catch (error) {
      this.state = 'left'
      this.#onOwned?.reject(error)
      return false
    }
    const self = await engine.join(name, before)
    if (self === undefined) return true
    if (this.state === 'left') {
      await engine.leave(self)
      return false
    }
    this.self = self
    if (this.state === 'joining') this.state = 'standby'
    log.debug(self, 'member of the cluster')
    return true
  }

  #serve(askedAt: number): void {
    if (this.#isOver) return
    this.#lease.noteRenewal(askedAt)
    if (this.state !== 'standby') return
    this.state = 'taking-over'
    this.#onOwned?.resolve()
  }

  #depose(why: string): void {
    if (this.#isOver) return
    this.state = 'deposed'
    this.#looks.stop()
    this.#lease.finish()
    this.#parts.onDeposed(why)
  }
}
