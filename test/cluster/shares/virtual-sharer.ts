// A node that serves its share, in virtual time: with the real share and the real judgement; questions to the engine and the loading of
// sessions take their time.

import type { Identity, Look, Member, MemberState } from '../../../src/cluster/judging/engine.ts'
import { Judge } from '../../../src/cluster/judging/judge.ts'
import { Lease } from '../../../src/cluster/judging/lease.ts'
import { type ContactMessage, EngineContact } from '../../../src/cluster/shares/engine-contact.ts'
import { Share } from '../../../src/cluster/shares/share.ts'
import { silentLog } from '../../../src/log.ts'
import type { VirtualTable } from './virtual-table.ts'

/** What is going on around it. */
export interface Surroundings {
  readonly table: VirtualTable
  readonly lease: number
  readonly settle: number
  /** whether the engine can be reached from there at this moment */
  reaches(node: string): boolean
  /** whether a gift of this node that was sent then hangs on its way: it arrives when that is over, although nobody waits any more */
  hangs(node: string, askedAt: number): boolean
  /** the nodes to which there is a link from there at this moment */
  linked(node: string): readonly string[]
  /** what a node says to another one goes on its way */
  send(from: string, to: string, message: ContactMessage | 'look'): void
  /** whether somebody believes to have proof that this process is gone, right or wrong */
  isProven(member: Member): boolean
}

/** Milliseconds to the engine, and back; until sessions are loaded, or written. */
const WAY = 20
const WORK = 60
/** Its clock differs from the engine's by this much, which must not matter. */
const CLOCK = 1_000_000_000

/** Something that is on its way to the engine, and back. */
interface Question {
  readonly askedAt: number
  readonly ask: (engineTime: number) => unknown
  readonly mayHang: boolean
  readonly resolve: (answer: never) => void
  readonly reject: (error: Error) => void
  answer: { readonly value: unknown } | undefined
}

/** Called at every step of the test; times are those of the test. */
export class VirtualSharer {
  readonly node: string
  readonly #around: Surroundings
  readonly lease: Lease
  readonly #judge: Judge
  readonly share: Share
  readonly contact: EngineContact
  #tickAt = 0
  #answeredAt: number | undefined
  self: Identity | undefined
  #state: MemberState = 'standby'
  /** slots whose sensors it serves, and may write about */
  readonly serving = new Set<number>()
  /** when it ended, or was killed */
  endedAt: number | undefined
  /** it was told to stop, and has left */
  hasLeft = false
  #isClosed = false
  #now: number
  #next: number
  #looking = false
  /** what it waits for, and what has not arrived yet */
  readonly #questions = new Set<Question>()
  readonly #sent = new Set<Question>()
  #isStarting = false
  readonly #works = new Set<{ readonly at: number; done(): void }>()
  /** since when it has had an answer in every interval, for the expectations of the test */
  healthySince: number | undefined

  constructor(node: string, now: number, around: Surroundings) {
    this.node = node
    this.#around = around
    this.#now = now
    this.#next = now
    this.lease = new Lease(around.lease)
    this.#judge = new Judge(around.lease)
    this.share = new Share({
      engine: {
        give: (self, gifts) =>
          this.#ask(
            (time) => around.table.give(time, self, gifts),
            gifts.some(({ to }) => to.node !== node),
          ),
      },
      settle: around.settle,
      log: silentLog,
      now: () => this.#now,
      onDeposed: () => this.kill(this.#now),
      look: () => {
        this.#next = this.#now
      },
    })
    this.share.onGiven = (receivers) => {
      for (const to of receivers) around.send(node, to, 'look')
    }
    this.contact = new EngineContact({
      ...{ lease: around.lease, log: silentLog, now: () => this.#now },
      judge: {
        tellSince: (now) => {
          const since = this.#judge.tellSince(now)
          if (since === undefined) this.healthySince = undefined
          return since
        },
      },
      living: () => this.share.living.map((one) => one.node),
      answeredAt: () => (this.isActive ? this.#answeredAt : undefined),
      holds: () => this.lease.holds(this.#now),
      onUntil: (until) => this.lease.extend(until, this.#now),
    })
    this.contact.begin({
      up: () => around.linked(node),
      send: (to, message) => around.send(node, to, message),
    })
    this.contact.stop() // time is virtual
  }

  /** Another node says this. */
  take(from: string, message: ContactMessage | 'look'): void {
    if (this.endedAt !== undefined) return
    if (message === 'look') this.notice(this.#now)
    else this.contact.take(from, message)
  }

  get isActive(): boolean {
    return this.#state !== 'standby' && this.endedAt === undefined
  }

  #ask<T>(ask: (engineTime: number) => T, mayHang = false): Promise<T> {
    return new Promise((resolve, reject) => {
      const question: Question = {
        ...{ askedAt: this.#now, ask, mayHang, reject, answer: undefined },
        resolve: resolve as Question['resolve'],
      }
      this.#questions.add(question)
      this.#sent.add(question)
    })
  }

  #work(): Promise<void> {
    return new Promise((resolve) => void this.#works.add({ at: this.#now + WORK, done: resolve }))
  }

  /** It is killed. */
  kill(now: number): void {
    this.endedAt ??= now
    this.lease.finish()
    this.serving.clear()
  }

  /** It is told to stop: goes on until the others have its slots, and leaves. */
  async drain(): Promise<void> {
    if (this.endedAt !== undefined || this.#state !== 'active') return
    this.#state = 'draining'
    this.#next = this.#now
    await this.share.emptied()
    const { self } = this
    if (self === undefined || this.endedAt !== undefined) return
    await this.#work() // the gateway closes
    this.#isClosed = true
    // it ends all the same if the engine does not answer
    await this.#ask(() => this.#around.table.leave(self)).catch(() => undefined)
    this.hasLeft = true
    this.kill(this.#now)
  }

  /** The engine's part of questions, which goes on while the node is paused. */
  carry(now: number): void {
    const { reaches, hangs } = this.#around
    for (const question of this.#sent) {
      if (now < question.askedAt + WAY || (question.mayHang && hangs(this.node, question.askedAt))) continue
      this.#sent.delete(question)
      if (reaches(this.node)) question.answer = { value: question.ask(now + CLOCK) }
    }
  }

  /** Its own part. */
  run(now: number): void {
    this.#now = now
    if (this.endedAt !== undefined) return
    for (const work of this.#works) {
      if (now < work.at) continue
      this.#works.delete(work)
      work.done()
    }
    for (const question of this.#questions) {
      const { askedAt, answer } = question
      // an answer is lost with the connection
      const isBack = answer !== undefined && now >= askedAt + 2 * WAY && this.#around.reaches(this.node)
      if (isBack) question.resolve(answer.value as never)
      else if (now - askedAt >= this.#around.lease * 0.4) question.reject(new Error('no answer'))
      else continue
      this.#questions.delete(question)
    }
    if (now >= this.#tickAt) {
      this.#tickAt = now + this.contact.interval
      this.contact.tick()
    }
    if (!this.#looking && now >= this.#next && !this.#isClosed) void this.#look(now)
  }

  async #look(askedAt: number): Promise<void> {
    const { table, lease } = this.#around
    const { self } = this
    this.#looking = true
    this.#next = Number.POSITIVE_INFINITY
    try {
      await this.#take(await this.#ask((time) => table.look(time, self, this.#state)), askedAt)
    } catch {
      this.healthySince = undefined
      this.#judge.noteSilence()
    }
    this.#looking = false
    const usual = this.isActive ? lease / 5 : Math.min(500, lease / 5)
    this.#next = Math.min(this.#next, askedAt + Math.min(usual, Math.max(50, this.share.soon)))
  }

  async #take(look: Look, askedAt: number): Promise<void> {
    if (this.endedAt !== undefined || this.#isClosed) return
    const { table, isProven } = this.#around
    this.#judge.noteAnswer(askedAt, look.now)
    this.#answeredAt = askedAt
    this.contact.noteAnswer()
    this.healthySince ??= this.#now
    const [node, judge, now, state] = [this.node, this.#judge, this.#now, this.#state]
    const step = this.share.decide({ node, self: this.self, look, judge, now, isProven, state })
    const { self } = this
    if (self !== undefined && look.renewed) {
      this.lease.noteRenewal(askedAt)
      this.share.follow(self, askedAt)
    }
    if (step.type === 'end') this.kill(this.#now)
    else if (step.type === 'join') this.self = await this.#ask((time) => table.join(time, node, step.before))
    else if (step.type === 'take' && self !== undefined) {
      const { from, free, slots = [] } = step
      for (const one of from) await this.#ask((time) => table.take(time, self, one, slots))
      if (free) await this.#ask((time) => table.take(time, self, undefined, slots))
    } else if (step.type === 'serve' && this.#state === 'standby' && !this.#isStarting) void this.#start()
    else return
    this.#next = this.#now
  }

  async #start(): Promise<void> {
    const slots = this.share.own
    this.#isStarting = true
    await this.#work()
    this.#state = 'active'
    for (const slot of slots) this.serving.add(slot)
    this.share.begin(slots, {
      adopt: async (more) => {
        await this.#work()
        for (const slot of more) this.serving.add(slot)
      },
      release: async (less, how) => {
        if (how === 'closing') await this.#work()
        for (const slot of less) this.serving.delete(slot)
      },
    })
  }

  /** Another process is certainly gone: it looks at once. */
  notice(now: number): void {
    this.#next = Math.min(this.#next, now)
  }

  get isDraining(): boolean {
    return this.#state === 'draining'
  }

  /** It wakes up after a pause. */
  wake(): void {
    this.healthySince = undefined
  }

  /** It writes about what it believes to be its own, whatever its lease says: only the fence counts. */
  write(slots: readonly number[]): void {
    const { self } = this
    if (self === undefined || this.endedAt !== undefined || this.#isClosed) return
    const own = slots.filter((slot) => this.serving.has(slot))
    if (own.length > 0 && !this.#around.table.commit(self, own)) this.kill(this.#now) // as the store tells
  }
}
