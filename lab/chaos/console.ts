// What a chaos run asks the gateway itself, through its console, or those of all nodes that serve.

import type { DeadLetter } from './dead-letters.ts'

/** Milliseconds in which it has to answer. */
const PATIENCE = 5000

/** The consoles at these urls; each sensor is known at one of them. All calls reject if they do not answer. */
export class ConsoleApi {
  readonly #urls: readonly string[]

  constructor(urls: readonly string[]) {
    this.#urls = urls
  }

  /** How many acknowledged messages of sensors the broker has not got yet. */
  async spooledMessages(): Promise<number> {
    const answers = await Promise.all(this.#urls.map((url) => fetchFrom(`${url}/api/gateway`)))
    let sum = 0
    for (const answer of answers) sum += (await jsonIn<{ spooledMessages: number }>(answer)).spooledMessages
    return sum
  }

  /** The messages of one sensor that the broker will not have. */
  async deadLetters(sensor: string): Promise<DeadLetter[]> {
    const answer = await this.#askOwner(`sensors/${sensor}`)
    const { deadLetters } = await jsonIn<{ deadLetters: DeadLetter[] }>(answer)
    return deadLetters
  }

  /** Throws them away. */
  async discardDeadLetters(sensor: string): Promise<void> {
    const { status, url } = await this.#askOwner(`sensors/${sensor}/dead-letters/discard`, 'POST')
    if (status !== 204) throw new Error(`the console answers ${status} to ${url}`)
  }

  /** The first answer of one that knows what was asked for; between two nodes, nobody does for a moment. */
  async #askOwner(path: string, method = 'GET'): Promise<Response> {
    const deadline = performance.now() + PATIENCE
    for (;;) {
      for (const url of this.#urls) {
        const answer = await fetchFrom(`${url}/api/${path}`, method)
        if (!isInMotion(answer) || performance.now() > deadline) return answer
      }
      if (performance.now() > deadline) throw new Error('no node serves')
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
}

/** It is not there, or no node can be asked for it now. */
const isInMotion = ({ status }: Response): boolean => status === 404 || status === 503

const fetchFrom = (url: string, method = 'GET'): Promise<Response> =>
  fetch(url, { method, signal: AbortSignal.timeout(PATIENCE) })

async function jsonIn<T>(answer: Response): Promise<T> {
  if (!answer.ok) throw new Error(`the console answers ${answer.status} to ${answer.url}`)
  return (await answer.json()) as T
}
