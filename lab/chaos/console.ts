// What a chaos run asks the gateway itself, through its console.

import type { DeadLetter } from './dead-letters.ts'

/** Milliseconds in which it has to answer. */
const PATIENCE = 5000

/** The console of one gateway at this url. All calls reject if it does not answer. */
export class ConsoleApi {
  readonly #url: string

  constructor(url: string) {
    this.#url = url
  }

  /** How many acknowledged messages of sensors the broker has not got yet. */
  async spooledMessages(): Promise<number> {
    const { spooledMessages } = await this.#ask<{ spooledMessages: number }>('gateway')
    return spooledMessages
  }

  /** The messages of one sensor that the broker will not have. */
  async deadLetters(sensor: string): Promise<DeadLetter[]> {
    const { deadLetters } = await this.#ask<{ deadLetters: DeadLetter[] }>(`sensors/${sensor}`)
    return deadLetters
  }

  /** Throws them away. */
  async discardDeadLetters(sensor: string): Promise<void> {
    const path = `${this.#url}/api/sensors/${sensor}/dead-letters/discard`
    const { status } = await fetch(path, { method: 'POST', signal: AbortSignal.timeout(PATIENCE) })
    if (status !== 204) throw new Error(`the console answers ${status} to ${path}`)
  }

  async #ask<T>(path: string): Promise<T> {
    const answer = await fetch(`${this.#url}/api/${path}`, { signal: AbortSignal.timeout(PATIENCE) })
    if (!answer.ok) throw new Error(`the console answers ${answer.status} to ${path}`)
    return (await answer.json()) as T
  }
}
