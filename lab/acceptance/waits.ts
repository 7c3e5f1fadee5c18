// How long sensors wait for answers: each from the moment when it first asks until it has what it asked for, repetitions and refusals
// in between included.

/** What a sensor waits for; `qos0`: that the message is seen at the broker. */
export type WaitKind = 'qos0' | 'qos1' | 'qos2' | 'wake' | 'ping' | 'connect'

/** What an answer is waited for that a database need not be asked for, and what waits for a database. */
export const WITHOUT_DATABASE: readonly WaitKind[] = ['qos0', 'qos1']
export const WITH_DATABASE: readonly WaitKind[] = ['qos2', 'connect', 'wake']
/** All that is answered: QoS 0 is not. */
export const ANSWERED: readonly WaitKind[] = ['qos1', 'qos2', 'wake', 'ping', 'connect']

/** One of them; times are milliseconds. */
export interface Wait {
  readonly kind: WaitKind
  readonly sensor: string
  readonly since: number
  until: number | undefined
  /** an answer was on its way when the balancer sent the sensor elsewhere, and was thrown away: only a repetition brings another one */
  isStray: boolean
}

/** What is told of several. */
export interface WaitFigures {
  readonly count: number
  readonly p50: number
  readonly p99: number
  readonly longest: number
  /** who waited longest, and for what */
  readonly whose: string
}

/** All waits since the last `mark`. */
export class Waits {
  readonly #now: () => number
  readonly #open = new Set<Wait>()
  #ended: Wait[] = []

  /** `now`: milliseconds */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  begin(kind: WaitKind, sensor: string): Wait {
    const wait: Wait = { kind, sensor, since: this.#now(), until: undefined, isStray: false }
    this.#open.add(wait)
    return wait
  }

  /** The answer is there. */
  end(wait: Wait): void {
    if (!this.#open.delete(wait)) return
    wait.until = this.#now()
    this.#ended.push(wait)
  }

  noteStray(sensor: string): void {
    for (const wait of this.#open) if (wait.sensor === sensor) wait.isStray = true
  }

  /** Nothing will come: it does not count. */
  drop(wait: Wait): void {
    this.#open.delete(wait)
  }

  /** Forgets what has ended; what is open counts on, but for QoS 0, which may be lost. */
  mark(): void {
    this.#ended = []
    for (const wait of this.#open) if (wait.kind === 'qos0') this.#open.delete(wait)
  }

  /** Those of these kinds that began in this span, and are open, too. */
  between(from: number, to: number, kinds: readonly WaitKind[] = ANSWERED): Wait[] {
    const fits = ({ kind, since, until = Number.POSITIVE_INFINITY }: Wait) =>
      kinds.includes(kind) && since <= to && until >= from
    return [...this.#ended, ...this.#open].filter(fits)
  }

  /** whether some of these have no answer yet */
  isOpen(from: number, to: number, kinds?: readonly WaitKind[]): boolean {
    return this.between(from, to, kinds).some(({ until }) => until === undefined)
  }

  /** How long these were; those that are open count up to now. */
  figures(waits: readonly Wait[]): WaitFigures {
    const now = this.#now()
    const took = ({ since, until = now }: Wait) => until - since
    const sorted = [...waits].sort((a, b) => took(a) - took(b))
    const at = (share: number): number => {
      const wait = sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]
      return wait === undefined ? 0 : took(wait)
    }
    const last = sorted.at(-1)
    const whose = last === undefined ? 'nobody' : `${last.sensor}, ${last.kind}`
    return { count: sorted.length, p50: at(0.5), p99: at(0.99), longest: at(1), whose }
  }
}
