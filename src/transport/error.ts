// Why a link could not be opened.

/** `in-use`, `not-available` and `permission` concern the address; `invalid` is a value that can never work. */
export type TransportFailure = 'in-use' | 'not-available' | 'permission' | 'invalid' | 'failed'

/** A link that could not be opened; `message` tells a person what to change. */
export class TransportError extends Error {
  readonly code: TransportFailure

  constructor(code: TransportFailure, message: string, cause?: unknown) {
    super(message, { cause })
    this.name = 'TransportError'
    this.code = code
  }
}

const CODES: Readonly<Record<string, TransportFailure>> = {
  EADDRINUSE: 'in-use',
  EADDRNOTAVAIL: 'not-available',
  ENODEV: 'not-available',
  ENOENT: 'not-available',
  ENXIO: 'not-available',
  EBUSY: 'in-use',
  EACCES: 'permission',
  EPERM: 'permission',
  EINVAL: 'invalid',
}

const ADVICE: Readonly<Record<TransportFailure, string>> = {
  'in-use': 'another program uses this port; stop it, or set another port in the url (0 takes any free one)',
  'not-available': 'this machine has no such address; use one of its own, or 0.0.0.0 or [::] for all of them',
  permission: 'not permitted; take a port above 1023, or run with the right to open it',
  invalid:
    'the system does not accept this address; a link-local one needs its interface, as in fe80::1%eth0',
  failed: 'the system refused it',
}

/** What to advise for some failures instead of the usual. */
export type Advice = Readonly<Partial<Record<TransportFailure, string>>>

/** Says in words why a system call on `what` failed. */
export function explain(what: string, cause: unknown, advice: Advice = {}): TransportError {
  const system = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
  const code = CODES[system] ?? 'failed'
  const detail = cause instanceof Error ? cause.message : String(cause)
  return new TransportError(code, `${what}: ${advice[code] ?? ADVICE[code]} (${detail})`, cause)
}
