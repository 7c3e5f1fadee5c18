// Without the engine a node asks the others over links whether they have it: it goes on as long as none of them can have taken its slots.

import { type Company, Contact } from '../judging/contact.ts'
import type { Judge } from '../judging/judge.ts'
import type { NodeLog } from '../node-words.ts'

/** Parts of a lease: the age of the engine's last answer from which on others are asked, and the time between questions. */
const DOUBT = 0.3
const AGAIN = 0.1

/** What nodes say to each other of the engine. Times are the asker's own and come back as they were sent. */
export type ContactMessage =
  | { readonly type: 'engine-asked'; readonly at: number }
  /** `age`: for so many milliseconds it has answered; null: it does not, and who says so judges nobody for a lease from now on */
  | { readonly type: 'engine-answers'; readonly at: number; readonly age: number | null }

const isTime = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value)

/** The message that was received; undefined if it is none of these. */
export function readContactMessage(value: unknown): ContactMessage | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { type, at, age } = value as Record<string, unknown>
  if (!isTime(at)) return undefined
  if (type === 'engine-asked') return { type, at }
  if (type === 'engine-answers' && (age === null || (isTime(age) && age >= 0))) return { type, at, age }
  return undefined
}

/** The links, as far as they are used here. */
export interface ContactLinks {
  /** the nodes to which there are links */
  up(): readonly string[]
  send(node: string, message: ContactMessage): void
}

/** What it works with. */
export interface ContactParts {
  /** milliseconds */
  readonly lease: number
  readonly judge: Pick<Judge, 'tellSince'>
  readonly log: Pick<NodeLog, 'warn'>
  /** the members that lived by the last look, this node among them */
  living(): Company['living']
  /** the engine's last answer to this node, if that serves: when it was asked for; monotonic milliseconds */
  answeredAt(): number | undefined
  holds(): boolean
  /** it may serve until then, if it does now; monotonic milliseconds */
  onUntil(until: number): void
  /** monotonic milliseconds; `performance.now` unless told */
  now?(): number
}

/** One object for the life of a node. */
export class EngineContact {
  readonly #parts: ContactParts
  readonly #contact: Contact
  readonly #now: () => number
  #links: ContactLinks | undefined
  #timer: NodeJS.Timeout | undefined
  #hasSaid = false

  constructor(parts: ContactParts) {
    this.#parts = parts
    this.#contact = new Contact(parts.lease)
    this.#now = parts.now ?? (() => performance.now())
  }

  /** From now on others can be asked. */
  begin(links: ContactLinks): void {
    this.#links = links
    this.#timer ??= setInterval(() => this.tick(), this.interval).unref()
  }

  /** milliseconds between calls of `tick` */
  get interval(): number {
    return this.#parts.lease * AGAIN
  }

  /** Asks, where the engine is silent. `begin` sees to it that this is called. */
  tick(): void {
    const links = this.#links
    if (links === undefined || !this.#isInDoubt) return
    const at = this.#now()
    for (const node of links.up()) links.send(node, { type: 'engine-asked', at })
    this.#extend()
    if (this.#parts.holds() || this.#hasSaid) return
    this.#hasSaid = true
    this.#parts.log.warn(
      { links: links.up(), members: this.#parts.living() },
      'others have the engine, or too few of them can be asked: this node serves nothing until it has it again',
    )
  }

  /** Takes what another node says; false if that is something else. */
  take(node: string, value: unknown): boolean {
    const message = readContactMessage(value)
    if (message === undefined) return false
    const now = this.#now()
    if (message.type === 'engine-asked') {
      const since = this.#parts.judge.tellSince(now)
      const age = since === undefined ? null : Math.max(0, now - since)
      this.#links?.send(node, { type: 'engine-answers', at: message.at, age })
    } else if (message.at <= now) {
      this.#contact.note(node, message.at, message.age)
      if (this.#isInDoubt) this.#extend()
    }
    return true
  }

  /** The engine has answered this node. */
  noteAnswer(): void {
    this.#hasSaid = false
    this.#contact.clear()
  }

  /** Nobody is asked any more. */
  stop(): void {
    clearInterval(this.#timer)
  }

  get #isInDoubt(): boolean {
    const { answeredAt, lease } = this.#parts
    const at = answeredAt()
    return at !== undefined && this.#now() - at > lease * DOUBT
  }

  #extend(): void {
    const company = { linked: this.#links?.up() ?? [], living: this.#parts.living() }
    this.#parts.onUntil(this.#contact.until(company, this.#now()))
  }
}
