// Attempts to connect that failed: what is known of the reason.

/** An attempt that failed. */
export interface Failure {
  readonly outcome: 1 | 3
  readonly detail: string
  /** the broker does not speak this version: it `said` so, or it `hung up` without CONNACK, which some do then */
  readonly version?: 'said' | 'hung up' | undefined
  /** nothing listens there: every other attempt would end the same way */
  readonly unreachable?: boolean
}

/** An Error of a socket. */
export type SystemError = Error & { code?: unknown }

const SILENT = new Set(['ECONNRESET', 'EPIPE'])
const UNREACHABLE = new Set(['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOTFOUND', 'ETIMEDOUT'])

/** What the error that ended an attempt tells, undefined for a stream that just closed. */
export function failureKind(error: SystemError | undefined): Pick<Failure, 'version' | 'unreachable'> {
  const code = String(error?.code)
  const silent = error === undefined || SILENT.has(code)
  return { version: silent ? 'hung up' : undefined, unreachable: UNREACHABLE.has(code) }
}

/** The reason in words. */
export function describeError(error: SystemError | undefined): string {
  if (error === undefined) return 'the broker closed the connection'
  // Connecting to a name with several addresses fails with an AggregateError, which has no message.
  return error.message || String(error.code ?? error.name)
}
