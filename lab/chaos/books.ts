// The books of a chaos run: what was sent, what was acknowledged to its sender, what arrived where and how often.

/** Milliseconds after a broker is back in which it may repeat what it should not. */
const AFTERMATH = 3000

/** One message and one receiver. */
interface Entry {
  readonly topic: string
  readonly qos: number
  readonly at: number
  acknowledged: boolean
  arrivals: number
  /** found missing, and reported */
  lost: boolean
}

/** What the payload of every message says, so that whoever gets it can check it. */
export interface Label {
  readonly sender: string
  readonly topic: string
  readonly number: number
}

export const labelText = ({ sender, topic, number }: Label): string => `${sender} ${topic} ${number}`

/** The label in a payload, or undefined. */
export function parseLabel(payload: string): Label | undefined {
  const [sender, topic, number, ...more] = payload.split(' ')
  if (sender === undefined || topic === undefined || more.length > 0) return undefined
  return { sender, topic, number: Number(number) }
}

/** Messages of one direction. Keeps all of them: one that comes again long after is noticed too. */
export class Books {
  readonly #entries = new Map<string, Entry>()
  readonly #open = new Set<string>()
  readonly #outages: readonly Outage[]
  acknowledged = 0
  lost = 0
  /** QoS 2 messages that came again */
  duplicated = 0
  /** the same, but a restart of the broker falls into their exchange */
  excused = 0
  /** QoS 1 messages that came again, as they may */
  repeated = 0

  constructor(outages: readonly Outage[]) {
    this.#outages = outages
  }

  /** Notes that a sender begins to send to a receiver. `qos` is what the receiver gets. */
  send({ topic, number }: Label, receiver: string, qos: number): void {
    const entry = { topic, qos, at: performance.now(), acknowledged: false, arrivals: 0, lost: false }
    this.#entries.set(`${number}>${receiver}`, entry)
  }

  /** Notes that the message was acknowledged to its sender. */
  acknowledge(number: number, receiver: string): void {
    const key = `${number}>${receiver}`
    const entry = this.#entries.get(key)
    if (entry === undefined || entry.qos === 0) return
    entry.acknowledged = true
    this.acknowledged += 1
    if (entry.arrivals === 0) this.#open.add(key)
  }

  /** Notes that the message arrived; returns what is wrong with that, if anything. */
  arrive({ topic, number }: Label, receiver: string): string | undefined {
    const key = `${number}>${receiver}`
    const entry = this.#entries.get(key)
    if (entry === undefined)
      return `message ${number} on ${topic} arrived at ${receiver}, which nobody sent it`
    entry.arrivals += 1
    this.#open.delete(key)
    if (entry.arrivals === 1) {
      if (!entry.lost) return undefined
      return `message ${number} on ${topic} arrived at ${receiver} after all, after ${age(entry)}`
    }
    if (entry.qos === 1) this.repeated += 1
    if (entry.qos !== 2) return undefined
    if (this.#outages.some((outage) => outage.from <= performance.now() && outage.until >= entry.at)) {
      this.excused += 1
      return undefined
    }
    this.duplicated += 1
    return `QoS 2 message ${number} on ${topic} arrived at ${receiver} ${entry.arrivals} times, after ${age(entry)}`
  }

  /** How many acknowledged messages have not arrived. */
  get missing(): number {
    return this.#open.size
  }

  /** Gives up on what is missing, and says so once. */
  writeOff(): string[] {
    const faults: string[] = []
    for (const key of this.#open) {
      const entry = this.#entries.get(key)
      if (entry === undefined) continue
      entry.lost = true
      faults.push(
        `QoS ${entry.qos} message ${key} on ${entry.topic} was acknowledged and is missing for ${age(entry)}`,
      )
    }
    this.lost += this.#open.size
    this.#open.clear()
    return faults
  }
}

/** A time when the broker was away, from its stop until its aftermath is over. */
export interface Outage {
  readonly from: number
  until: number
}

/** The outage that begins now; `end` it when the broker is back. */
export function beginOutage(): Outage & { end(): void } {
  return {
    from: performance.now(),
    until: Number.POSITIVE_INFINITY,
    end() {
      this.until = performance.now() + AFTERMATH
    },
  }
}

const age = ({ at }: Entry): string => `${((performance.now() - at) / 1000).toFixed(1)} s`
