// Why an attempt to connect has failed.

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
  /** nothing listens at the broker's address, so that the attempts of all sensors would fail */
  readonly unreachable?: boolean
}

/** An Error of a socket. */
export type SystemError = Error & { code?: unknown }

const SILENT = new Set(['ECONNRESET', 'EPIPE'])
const UNREACHABLE = new Set(['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOTFOUND', 'ETIMEDOUT'])

/** Classifies the error that ended an attempt; `error` is undefined if the stream closed without one. */
export function failureKind(error: SystemError | undefined): Pick<Failure, 'version' | 'unreachable'> {
  const code = String(error?.code)
  return { version: isSilentEnd(error) ? 'hung up' : undefined, unreachable: UNREACHABLE.has(code) }
}

/** Whether a stream was closed by the broker, with no other reason than that. */
export const isSilentEnd = (error: SystemError | undefined): boolean =>
  error === undefined || SILENT.has(String(error.code))

/** The reason in words. */
export function describeError(error: SystemError | undefined): string {
  if (error === undefined) return 'the broker closed the connection'
  // Connecting to a name with several addresses fails with an AggregateError, which has no message.
  return error.message || String(error.code ?? error.name)
}
