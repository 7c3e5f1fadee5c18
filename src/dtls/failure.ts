// Why a handshake or a session ends: alerts [5246 7.2], and the kinds of failure that are counted.

/** The alerts that are sent or understood. */
export const ALERTS = {
  close_notify: 0,
  unexpected_message: 10,
  bad_record_mac: 20,
  handshake_failure: 40,
  bad_certificate: 42,
  certificate_revoked: 44,
  certificate_expired: 45,
  certificate_unknown: 46,
  illegal_parameter: 47,
  unknown_ca: 48,
  decode_error: 50,
  decrypt_error: 51,
  protocol_version: 70,
  internal_error: 80,
  no_renegotiation: 100,
  unsupported_extension: 110,
} as const

/** An alert by its name in the specification. */
export type AlertName = keyof typeof ALERTS

const NAMES = new Map<number, string>(Object.entries(ALERTS).map(([name, code]) => [code, name]))

/** `handshake_failure`, or `alert 113` for what is not known here. */
export const alertName = (code: number): string => NAMES.get(code) ?? `alert ${code}`

export const WARNING = 1
export const FATAL = 2

/** An alert as the content of a record. */
export const alertOctets = (level: number, alert: AlertName): Uint8Array =>
  Uint8Array.of(level, ALERTS[alert])

/** Kinds of failed handshakes, as they are counted. */
export type FailureCause =
  | 'wrong-key'
  | 'unknown-identity'
  | 'certificate'
  | 'no-suite'
  | 'timeout'
  | 'refused'
  | 'protocol'
  | 'alert'
  | 'replaced'
  | 'fault'

/** A handshake cannot go on: what the peer is told, and what is said here. */
export interface Failure {
  readonly alert: AlertName
  readonly cause: FailureCause
  /** a sentence without secrets */
  readonly why: string
}

export const failure = (alert: AlertName, cause: FailureCause, why: string): Failure => ({
  alert,
  cause,
  why,
})

/** What the peer did is against the protocol. */
export const protocolFailure = (alert: AlertName, why: string): Failure => failure(alert, 'protocol', why)
