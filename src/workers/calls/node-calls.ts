// Requests to other nodes and their answers, over the links: each bounded in size and time, and never more at once than told.

import type { ClusterCalls } from '../../console/contract/cluster.ts'
import type { AnswerNode, NodeAnswer, NodeRequest } from '../../console/nodes.ts'
import { NodeSilent } from '../../console/nodes.ts'
import { addObservation, createHistogram, type Histogram } from '../../histogram.ts'

/** Milliseconds until an answer has come as a whole. */
const PATIENCE = 3000
/** Characters of a request, of a part of an answer, and of a whole answer. */
const MOST_ASKED = 131_072
const PART = 131_072
const MOST_ANSWERED = 4_194_304
/** Requests that wait for answers, and requests of one node that are being answered. */
const MOST_WAITING = 1024
const MOST_SERVED = 32
/** Characters of what a node says that it cannot answer. */
const MOST_LOGGED = 300
/** Milliseconds between two lines of the log about one node. */
const LOG_PAUSE = 60_000

/** What goes over a link. */
export type CallMessage =
  | ({ readonly type: 'call'; readonly id: number } & NodeRequest)
  /** a part of the answer; `last`: all of it is there */
  | {
      readonly type: 'told'
      readonly id: number
      readonly status: number
      readonly media: string
      readonly part: string
      readonly last: boolean
    }

/** What calls go over. */
export interface CallParts {
  /** false: there is no link */
  send(node: string, message: CallMessage): boolean
  /** milliseconds until an answer has come as a whole */
  readonly patience?: number | undefined
  readonly log?: CallLog | undefined
}

interface CallLog {
  warn(about: object, text: string): void
}

interface Told {
  failed: number
  readonly times: Histogram
  loggedAt: number
}

interface Waiting {
  readonly node: string
  readonly parts: string[]
  length: number
  resolve(answer: NodeAnswer): void
  fail(why: string): void
}

/** The message that was received; undefined if it is none. */
export function readCallMessage(value: unknown): CallMessage | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { type, id, method, url, body, status, media, part, last } = value as Record<string, unknown>
  if (!Number.isSafeInteger(id)) return undefined
  if (type === 'call' && typeof method === 'string' && typeof url === 'string') {
    if (body !== undefined && typeof body !== 'string') return undefined
    return { type, id: id as number, method, url, body }
  }
  if (type !== 'told' || typeof part !== 'string' || typeof last !== 'boolean') return undefined
  if (typeof media !== 'string' || typeof status !== 'number') return undefined
  return { type, id: id as number, status, media, part, last }
}

/** One for the life of a node. */
export class NodeCalls {
  readonly #parts: CallParts
  readonly #waiting = new Map<number, Waiting>()
  readonly #serving = new Map<string, number>()
  readonly #told = new Map<string, Told>()
  #lastId = 0
  #answer: AnswerNode | undefined

  constructor(parts: CallParts) {
    this.#parts = parts
  }

  /** From now on requests of other nodes are answered by this; undefined: by nobody. */
  serve(answer: AnswerNode | undefined): void {
    this.#answer = answer
  }

  /** What has been asked of each node. */
  get counts(): ClusterCalls[] {
    return [...this.#told].map(([node, { failed, times }]) => ({ node, failed, times }))
  }

  /** Rejects with NodeSilent. */
  async ask(node: string, request: NodeRequest): Promise<NodeAnswer> {
    const begun = performance.now()
    try {
      const answer = await this.#ask(node, request)
      if (answer.status >= 500) this.#noteFailure(node, answer.body.slice(0, MOST_LOGGED))
      else addObservation(this.#toldOf(node).times, (performance.now() - begun) / 1000)
      return answer
    } catch (error) {
      if (error instanceof NodeSilent) this.#noteFailure(node, error.message)
      throw error
    }
  }

  #toldOf(node: string): Told {
    const told = this.#told.get(node) ?? {
      failed: 0,
      times: createHistogram(),
      loggedAt: Number.NEGATIVE_INFINITY,
    }
    this.#told.set(node, told)
    return told
  }

  #noteFailure(node: string, why: string): void {
    const told = this.#toldOf(node)
    told.failed += 1
    const now = performance.now()
    if (now - told.loggedAt < LOG_PAUSE) return
    told.loggedAt = now
    const text = 'another node does not answer this console: what is shown is without its sensors'
    this.#parts.log?.warn({ node, why, failed: told.failed }, text)
  }

  #ask(node: string, { method, url, body }: NodeRequest): Promise<NodeAnswer> {
    return new Promise((resolve, reject) => {
      const fail = (why: string): void => {
        end()
        reject(new NodeSilent(node, why))
      }
      this.#lastId += 1
      const id = this.#lastId
      const { patience = PATIENCE } = this.#parts
      const timer = setTimeout(() => fail(`nothing came for ${patience / 1000} s`), patience)
      const end = (): void => {
        clearTimeout(timer)
        this.#waiting.delete(id)
      }
      if (url.length + (body?.length ?? 0) > MOST_ASKED) return fail('the request is too long')
      if (this.#waiting.size >= MOST_WAITING) return fail('too many requests wait for answers already')
      const done = (answer: NodeAnswer): void => {
        end()
        resolve(answer)
      }
      this.#waiting.set(id, { node, parts: [], length: 0, resolve: done, fail })
      if (!this.#parts.send(node, { type: 'call', id, method, url, body })) fail('there is no link to it')
    })
  }

  /** Takes what a node says; false if that is none of these messages. */
  take(node: string, value: unknown): boolean {
    const message = readCallMessage(value)
    if (message === undefined) return false
    if (message.type === 'call') void this.#serve(node, message)
    else this.#takePart(node, message)
    return true
  }

  /** There is a link to it now. */
  link(_node: string): void {}

  /** There is no link to it any more. */
  lose(node: string): void {
    for (const waiting of [...this.#waiting.values()])
      if (waiting.node === node) waiting.fail('the link to it is gone')
  }

  /** What comes after its time, or from somebody else, is of no use. */
  #takePart(node: string, { id, status, media, part, last }: Extract<CallMessage, { type: 'told' }>): void {
    const waiting = this.#waiting.get(id)
    if (waiting === undefined || waiting.node !== node) return
    waiting.length += part.length
    if (waiting.length > MOST_ANSWERED) return waiting.fail('its answer is too long')
    waiting.parts.push(part)
    if (last) waiting.resolve({ status, type: media, body: waiting.parts.join('') })
  }

  async #serve(node: string, call: Extract<CallMessage, { type: 'call' }>): Promise<void> {
    const { id, method, url, body } = call
    const serving = this.#serving.get(node) ?? 0
    const refuse = (error: string, message: string): void =>
      this.#tell(node, id, {
        status: 503,
        type: 'application/json',
        body: JSON.stringify({ error, message }),
      })
    if (this.#answer === undefined) return refuse('no-console', 'The console of that node is off.')
    if (serving >= MOST_SERVED) return refuse('busy', 'That node answers too many requests already.')
    this.#serving.set(node, serving + 1)
    try {
      const answer = await this.#answer({ method, url, body })
      if (answer.body.length > MOST_ANSWERED)
        refuse('too-long', 'The answer of that node is too long: ask for less at once.')
      else this.#tell(node, id, answer)
    } catch {
      refuse('internal', 'That node could not answer; its log says why.')
    } finally {
      const left = (this.#serving.get(node) ?? 1) - 1
      if (left > 0) this.#serving.set(node, left)
      else this.#serving.delete(node)
    }
  }

  #tell(node: string, id: number, { status, type, body }: NodeAnswer): void {
    for (let at = 0; at === 0 || at < body.length; at += PART) {
      const part = body.slice(at, at + PART)
      const last = at + PART >= body.length
      if (!this.#parts.send(node, { type: 'told', id, status, media: type, part, last })) return
    }
  }
}
