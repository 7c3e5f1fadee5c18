// A node of a cluster in virtual time: it asks the engine, with time on the way there and back, and does what the course says.

import { nextStep } from '../../src/cluster/judging/course.ts'
import type { Identity, Look, Member } from '../../src/cluster/judging/engine.ts'
import { Judge } from '../../src/cluster/judging/judge.ts'
import { Lease } from '../../src/cluster/judging/lease.ts'
import type { VirtualEngine } from './virtual-engine.ts'

/** What is going on around it. */
export interface Surroundings {
  readonly engine: VirtualEngine
  readonly lease: number
  /** whether the engine can be reached from there at this time */
  reaches(node: string, now: number): boolean
  /** whether somebody believes to have proof that this process is gone, right or wrong */
  isProven(member: Member): boolean
  /** the engine's time, which differs from that of the nodes */
  clock(now: number): number
}

/** Milliseconds to the engine, and back. */
const WAY = 20

/** Called at every millisecond step of the test while it is not paused; times are those of the test. */
export class VirtualNode {
  readonly node: string
  readonly #around: Surroundings
  readonly lease: Lease
  readonly #judge: Judge
  self: Identity | undefined
  isActive = false
  /** when it ended, or was killed */
  endedAt: number | undefined
  #next = 0
  #asked: { at: number; arrives: number; answer?: Look | undefined; isDone?: boolean } | undefined
  /** since when it has had an answer in every interval, for the expectations of the test */
  healthySince: number | undefined

  constructor(node: string, now: number, around: Surroundings) {
    this.node = node
    this.#around = around
    this.lease = new Lease(around.lease)
    this.#judge = new Judge(around.lease)
    this.#next = now
  }

  #end(now: number): void {
    this.endedAt = now
    this.isActive = false
    this.lease.finish()
  }

  /** The engine's part of a question, which goes on while the node is paused. */
  carry(now: number): void {
    const asked = this.#asked
    if (asked === undefined || asked.isDone || now < asked.arrives) return
    asked.isDone = true
    if (!this.#around.reaches(this.node, now)) return
    const state = this.isActive ? 'active' : 'standby'
    asked.answer = this.#around.engine.look(this.#around.clock(now), this.self, state)
  }

  run(now: number): void {
    if (this.endedAt !== undefined) return
    const { lease } = this.#around
    const asked = this.#asked
    if (asked !== undefined) {
      if (asked.answer !== undefined && now >= asked.arrives + WAY) {
        this.#asked = undefined
        this.#take(asked.at, asked.answer, now)
      } else if (now - asked.at >= lease * 0.4) {
        this.#asked = undefined
        this.healthySince = undefined
        this.#judge.noteSilence()
        if (this.isActive) this.lease.noteSilence(asked.at, now)
      }
    } else if (now >= this.#next) {
      this.#next = now + (this.isActive ? lease / 5 : Math.min(500, lease / 5))
      this.#asked = { at: now, arrives: now + WAY }
    }
  }

  #take(askedAt: number, look: Look, now: number): void {
    const { engine, isProven, clock } = this.#around
    this.#judge.noteAnswer(askedAt, look.now)
    this.healthySince ??= now // what was answered while it slept does not count
    const step = nextStep({ node: this.node, self: this.self, look, judge: this.#judge, now, isProven })
    switch (step.type) {
      case 'end':
        return this.#end(now)
      case 'join':
        this.self = engine.join(clock(now), this.node, step.before)
        this.#next = now
        return
      case 'take':
        for (const from of step.from) engine.take(clock(now), this.self as Identity, from)
        if (step.free) engine.take(clock(now), this.self as Identity, undefined)
        this.#next = now
        return
      case 'serve':
        this.isActive = true
        return this.lease.noteRenewal(askedAt)
    }
  }

  /** It wakes up after a pause. */
  wake(): void {
    this.healthySince = undefined
  }

  /** It writes whenever it believes to be the owner, whatever its lease says: only the fence counts. */
  write(): void {
    if (this.self !== undefined && this.isActive && this.endedAt === undefined)
      this.#around.engine.commit(this.self)
  }
}
