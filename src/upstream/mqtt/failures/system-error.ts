// Errors of sockets, and their reasons in words.

/** An Error of a socket. */
export type SystemError = Error & { code?: unknown; syscall?: unknown; address?: unknown }

/** The reason in words. */
export function describeError(error: SystemError | undefined): string {
  if (error === undefined) return 'the broker closed the connection'
  // Connecting to a name with several addresses fails with an AggregateError, which has no message.
  return error.message || String(error.code ?? error.name)
}
