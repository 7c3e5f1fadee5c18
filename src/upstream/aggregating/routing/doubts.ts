// What was under way when a shared connection broke, and may be what the broker hangs up at: it goes alone the next time, so that
// another break shows who it was. Pure: time is an argument.

/** Requests that are remembered. */
const MOST = 4096

/** QoS 0 publishes that are remembered until the broker has answered something sent after them. */
const RECENT = 256

/** A broker that hangs up at a QoS 0 publish does so within this time, milliseconds. */
const PROMPT = 1000

/** What of a request tells it from others; `member`: whose it is, undefined for the gateway. */
export interface Asked<M> {
  readonly member: M | undefined
  readonly kind: 'publish' | 'subscribe'
  readonly topic: string
  readonly retain: boolean
}

/** One per connection; `M`: a sensor. */
export class Doubts<M extends object> {
  readonly #doubted = new Map<M | undefined, Set<string>>()
  #size = 0
  // columns of a ring, so that a publish costs no object
  readonly #members: (M | undefined)[] = []
  readonly #topics: string[] = []
  readonly #retains: boolean[] = []
  readonly #lengths: number[] = []
  #sent = 0
  #proven = 0
  #lastAt = Number.NEGATIVE_INFINITY

  /** nobody is doubted */
  get isEmpty(): boolean {
    return this.#size === 0
  }

  has(asked: Asked<M>): boolean {
    return this.#size > 0 && this.#doubted.get(ownerOf(asked))?.has(keyOf(asked)) === true
  }

  add(asked: Asked<M>): void {
    if (this.#size >= MOST) this.clear()
    const keys = this.#doubted.get(ownerOf(asked)) ?? new Set()
    this.#doubted.set(ownerOf(asked), keys)
    if (!keys.has(keyOf(asked))) this.#size += 1
    keys.add(keyOf(asked))
  }

  /** The broker has taken it. */
  delete(asked: Asked<M>): void {
    const keys = this.#doubted.get(ownerOf(asked))
    if (keys?.delete(keyOf(asked)) !== true) return
    this.#size -= 1
    if (keys.size === 0) this.#doubted.delete(ownerOf(asked))
  }

  /** The broker could not be reached: the last break was its own. */
  clear(): void {
    this.#doubted.clear()
    this.#size = 0
  }

  /** Notes a QoS 0 publish, which nobody answers. */
  noteSent(member: M, topic: string, retain: boolean, length: number, now: number): void {
    const at = this.#sent % RECENT
    this.#members[at] = member
    this.#topics[at] = topic
    this.#retains[at] = retain
    this.#lengths[at] = length
    this.#sent += 1
    this.#lastAt = now
  }

  /** How many were sent: what is answered after that proves them. */
  get mark(): number {
    return this.#sent
  }

  /** The broker has answered what was sent after so many. */
  prove(mark: number): void {
    if (mark > this.#proven) this.#proven = mark
  }

  get isProven(): boolean {
    return this.#proven === this.#sent
  }

  /** QoS 0 publishes that the broker may have hung up at, at a break that comes now; they are forgotten. */
  takeRecent(now: number): (Asked<M> & { readonly length: number })[] {
    const found: (Asked<M> & { readonly length: number })[] = []
    const isPrompt = now - this.#lastAt < PROMPT
    for (let i = Math.max(this.#proven, this.#sent - RECENT); isPrompt && i < this.#sent; i++) {
      const at = i % RECENT
      const [member, topic = '', retain = false, length = 0] = [
        this.#members[at],
        this.#topics[at],
        this.#retains[at],
        this.#lengths[at],
      ]
      if (!found.some((one) => one.member === member && one.topic === topic && one.retain === retain))
        found.push({ member, kind: 'publish', topic, retain, length })
    }
    this.#members.length = 0
    this.#proven = this.#sent
    return found
  }
}

const keyOf = ({ kind, topic, retain }: Asked<unknown>): string =>
  `${kind === 'publish' ? 'p' : 's'}${retain ? 'r' : ' '}${topic}`

/** One subscription at the broker is for all who want the filter. */
const ownerOf = <M>({ kind, member }: Asked<M>): M | undefined => (kind === 'subscribe' ? undefined : member)
