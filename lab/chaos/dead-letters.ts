// The dead letters of a chaos run: poison that was acknowledged to its sender must end there, and nothing else.

import type { ConsoleApi } from './console.ts'

/** A dead letter as the console's API shows it. */
export interface DeadLetter {
  readonly topic: string
  readonly qos: number
  readonly octets: number
}

/** Dead letters of one sensor from which on they are discarded: the console shows no more than 100. */
const MANY = 40

const keyOf = ({ topic, qos, octets }: DeadLetter): string => `QoS ${qos}, ${octets} octets, ${topic}`

/** The dead letters that there must be, of all sensors. */
export class DeadLetterBooks {
  /** by sensor, then by what the API tells: how many looked like that, and how many of these were acknowledged */
  readonly #sent = new Map<string, Map<string, { sent: number; acknowledged: number }>>()
  /** poison that was acknowledged to its sender, and the dead letters that were found */
  acknowledged = 0
  found = 0

  /** A sensor whose messages are kept begins to send poison. */
  send(sensor: string, letter: DeadLetter): void {
    const of = this.#sent.get(sensor) ?? new Map<string, { sent: number; acknowledged: number }>()
    this.#sent.set(sensor, of)
    const alike = of.get(keyOf(letter)) ?? { sent: 0, acknowledged: 0 }
    of.set(keyOf(letter), { ...alike, sent: alike.sent + 1 })
  }

  /** It was acknowledged. */
  acknowledge(sensor: string, letter: DeadLetter): void {
    this.acknowledged += 1
    const alike = this.#sent.get(sensor)?.get(keyOf(letter))
    if (alike !== undefined) alike.acknowledged += 1
  }

  /** What is wrong with the dead letters of one sensor, if anything. */
  check(sensor: string, letters: readonly DeadLetter[]): string[] {
    const sent = this.#sent.get(sensor)
    const faults: string[] = []
    const counts = new Map<string, number>()
    for (const letter of letters) {
      const key = keyOf(letter)
      const count = (counts.get(key) ?? 0) + 1
      counts.set(key, count)
      if (sent?.has(key) !== true) faults.push(`${sensor}: a dead letter that was no poison: ${key}`)
      // A repetition of QoS 1 may be taken for another message.
      const most = sent?.get(key)?.sent ?? 1
      if (count === most + 1 && letter.qos === 2)
        faults.push(`${sensor}: a dead letter is there twice: ${key}`)
    }
    for (const [key, { acknowledged }] of sent ?? []) {
      if (acknowledged > (counts.get(key) ?? 0))
        faults.push(`${sensor}: acknowledged poison is no dead letter: ${key}`)
    }
    return faults
  }

  /** They were discarded. */
  discard(sensor: string, letters: readonly DeadLetter[]): void {
    this.found += letters.length
    this.#sent.delete(sensor)
  }
}

/** Compares the books with what the gateway says of these sensors; returns what is wrong. Discards all if told so, or if they are many. */
export async function checkDeadLetters(
  api: ConsoleApi,
  books: DeadLetterBooks,
  sensors: readonly string[],
  discards: boolean,
): Promise<string[]> {
  const faults: string[] = []
  for (const sensor of sensors) {
    const letters = await api.deadLetters(sensor)
    faults.push(...books.check(sensor, letters))
    if (!discards && letters.length < MANY) continue
    await api.discardDeadLetters(sensor)
    books.discard(sensor, letters)
  }
  return faults
}
