// Why an attempt to connect has failed: its kind, for those who decide what follows, and a sentence for people.

import { connackOutcome, refusesVersion } from '../../reason-codes.ts'
import { connackText, keysFor } from '../../reason-names.ts'
import type { Version } from '../negotiation.ts'
import { describeError, type SystemError } from './system-error.ts'
import { explainError, explainTls, NO_TLS } from './tls-mistakes.ts'

/**
 * The broker may not speak this version: it `said` so, it `hung up` without CONNACK, which some do then, or it took CONNECT and
 * stayed `silent`.
 */
export type VersionDoubt = 'said' | 'hung up' | 'silent'

/** An attempt that failed. */
export interface Failure {
  readonly outcome: 1 | 3
  readonly detail: string
  readonly version?: VersionDoubt | undefined
  /** the next attempt is made at once: it asks for less, as it was shown what the broker cannot do, or goes another way */
  readonly again?: boolean
  /** nothing listens at the broker's address, so that the attempts of all sensors would fail */
  readonly unreachable?: boolean
  /** somebody is there, and it is not the network that fails: a refusal, or a mistake in the configuration */
  readonly answered?: boolean
}

const NO_ANSWER =
  'without an answer to CONNECT: see the log of the broker, and broker.url (a port with TLS needs mqtts://)'

const SILENT = new Set(['ECONNRESET', 'EPIPE'])
const UNREACHABLE = new Set(['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOTFOUND', 'ETIMEDOUT'])

/** CONNACK with a code other than 0. `who`: where the configuration says as whom this was. */
export function refusal(version: Version, code: number, reason: string | undefined, who: string): Failure {
  const outcome = connackOutcome(version, code) === 1 ? 1 : 3
  const keys = keysFor(version, code, who)
  const detail = `the broker refused: ${connackText(version, code)}${reason ? ` "${reason}"` : ''}`
  return {
    outcome,
    detail: keys === undefined ? detail : `${detail}: see ${keys}`,
    version: refusesVersion(code) ? 'said' : undefined,
    answered: true,
  }
}

/** An attempt that ended with this error, or with none if the stream closed without one. `inHandshake`: TLS was not up. */
export function failureOf(error: SystemError | undefined, inHandshake: boolean): Failure {
  const code = String(error?.code)
  const hungUp = isSilentEnd(error)
  const mistake = explainTls(error) ?? (hungUp && inHandshake ? NO_TLS : undefined)
  const silent = mistake === undefined && hungUp
  return {
    outcome: 1,
    detail: mistake ?? (silent ? `${describeError(error)} ${NO_ANSWER}` : describeError(error)),
    version: silent ? 'hung up' : undefined,
    unreachable: UNREACHABLE.has(code),
    answered: mistake !== undefined,
  }
}

/** No CONNACK came in time; `unreachable`: the system has got no answer either, not even a refusal. */
export const noConnack = (unreachable: boolean): Failure => ({
  outcome: 1,
  detail: 'no CONNACK in time',
  unreachable,
  version: unreachable ? undefined : 'silent',
})

/** Another process may serve the sensors: no connection is opened. */
export class NotNow extends Error {}

/** What that is reported as. */
export const NOT_NOW: Failure = {
  outcome: 1,
  detail: 'another process may serve the sensors now',
  unreachable: true,
}

/** An attempt that could not even begin. */
export const failureToOpen = (error: unknown): Failure =>
  error instanceof NotNow ? NOT_NOW : { outcome: 3, detail: explainError(error), answered: true }

/** Whether a stream was closed by the broker, with no other reason than that. */
export const isSilentEnd = (error: SystemError | undefined): boolean =>
  error === undefined || SILENT.has(String(error.code))
