// Asks a service over HTTP whether a sensor may be here. Its answers are remembered for a while; how many questions are under way, how
// long one may take and how much of an answer is read are bounded.

import type { Config } from '../../config/schema.ts'
import type { Log } from '../../log.ts'
import type { AdmissionAnswer } from '../../sessions/connect/admission.ts'

type Verdict = AdmissionAnswer['answer']
type HookConfig = NonNullable<Config['admission']['http']>

/** What the service is told of a sensor. */
export interface Question {
  readonly clientId: string
  readonly identity?: string | undefined
  readonly kind?: string | undefined
  readonly address: string
  readonly port: number
  /** hexadecimal; of a node behind a forwarder */
  readonly node?: string | undefined
  readonly listener: string
}

export interface HttpHook {
  /** Resolves to the answer, or to what `onFailure` says; never rejects. */
  ask(question: Question): Promise<Verdict>
  /** Ends what is under way. */
  close(): void
}

/** Answers that are remembered, octets of one that are read, and milliseconds between two log lines about failures. */
const MOST_REMEMBERED = 100_000
const LONGEST = 16_384
const PAUSE = 60_000

/** @param hasRule whether the configuration has a rule with this `match` */
export function createHttpHook(config: HookConfig, hasRule: (match: string) => boolean, log: Log): HttpHook {
  const remembered = new Map<string, { readonly until: number; readonly verdict: Verdict }>()
  const waiting: (() => void)[] = []
  const ended = new AbortController()
  let underWay = 0
  let saidAt = Number.NEGATIVE_INFINITY

  function fail(why: string): Verdict {
    const now = performance.now()
    if (now - saidAt >= PAUSE) {
      saidAt = now
      log.error({ url: config.url, key: 'admission.http' }, `cannot ask whether sensors may connect: ${why}`)
    }
    return config.onFailure === 'allow' ? { verdict: 'allow' } : { verdict: config.onFailure, detail: why }
  }

  async function request(question: Question): Promise<Verdict> {
    const { token, timeout } = config
    const response = await fetch(config.url, {
      method: 'POST',
      redirect: 'error',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json',
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify(question),
      signal: AbortSignal.any([AbortSignal.timeout(timeout), ended.signal]),
    })
    const body = await readBounded(response)
    if (response.status === 401 || response.status === 403)
      return fail(`it answers ${response.status}: see admission.http.token`)
    if (!response.ok) return fail(`it answers ${response.status}`)
    if (body === undefined) return fail(`its answer has more than ${LONGEST} octets`)
    return (
      readVerdict(body, hasRule) ?? fail('its answer is not { "result": "allow" | "deny", "rule"?: ... }')
    )
  }

  async function askNow(question: Question): Promise<Verdict> {
    if (underWay >= config.parallel) await new Promise<void>((resolve) => waiting.push(resolve))
    underWay += 1
    try {
      return await request(question)
    } catch (error) {
      return ended.signal.aborted ? { verdict: 'later' } : fail(reasonOf(error, config.timeout))
    } finally {
      underWay -= 1
      waiting.shift()?.()
    }
  }

  function remember(key: string, verdict: Verdict): void {
    if (config.cache === 0 || verdict.verdict === 'later') return
    for (const oldest of remembered.keys()) {
      if (remembered.size < MOST_REMEMBERED) break
      remembered.delete(oldest)
    }
    remembered.delete(key) // so that the newest is the last
    remembered.set(key, { until: performance.now() + config.cache, verdict })
  }

  return {
    async ask(question) {
      const { clientId, identity, address, node } = question
      const key = JSON.stringify([clientId, identity, address, node])
      const known = remembered.get(key)
      if (known !== undefined && known.until > performance.now()) return known.verdict
      const failuresBefore = saidAt
      const verdict = await askNow(question)
      if (saidAt === failuresBefore && verdict.detail === undefined) remember(key, verdict)
      return verdict
    },
    close: () => ended.abort(),
  }
}

/** The text of an answer; undefined if it is too long. */
async function readBounded(response: Response): Promise<string | undefined> {
  const decoder = new TextDecoder()
  let text = ''
  let length = 0
  for await (const chunk of response.body ?? []) {
    length += chunk.length
    if (length > LONGEST) {
      await response.body?.cancel().catch(() => {})
      return undefined
    }
    text += decoder.decode(chunk, { stream: true })
  }
  return text
}

function readVerdict(body: string, hasRule: (match: string) => boolean): Verdict | undefined {
  let answer: unknown
  try {
    answer = JSON.parse(body)
  } catch {
    return undefined
  }
  const { result, rule } = Object(answer)
  if (result === 'deny') return { verdict: 'deny' }
  if (result !== 'allow') return undefined
  if (rule === undefined || rule === null) return { verdict: 'allow' }
  return typeof rule === 'string' && hasRule(rule) ? { verdict: 'allow', rule } : undefined
}

function reasonOf(error: unknown, timeout: number): string {
  if (error instanceof Error && error.name === 'TimeoutError') return `no answer within ${timeout} ms`
  const cause = error instanceof Error ? error.cause : undefined
  const { message, code } = Object(cause ?? error)
  return [message || 'it cannot be reached', code].filter(Boolean).join(' ')
}
