// Why something asked of a sensor did not happen: one error class with a closed list of codes.

/** Machine-readable reason in `SensorError.code`. */
export type SensorFailure =
  | 'timeout' // no answer after all repetitions [6.13]
  | 'rejected' // the gateway answered with a ReturnCode other than 0, see `returnCode` [5.3.10]
  | 'disconnected' // the connection ended before the answer came
  | 'not-connected' // this needs an active connection: call connect() first
  | 'closed' // close() was called
  | 'too-long' // the datagram would be longer than `maxMessage`
  | 'queue-full' // too many calls are waiting for their turn
  | 'invalid' // an argument is impossible
  | 'transport' // the socket reported an error; the sensor goes on
  | 'security' // the DTLS handshake failed: gateway and sensor do not accept each other
  | 'malformed' // octets arrived that are not an MQTT-SN message

const MEANING = ['accepted', 'rejected: congestion', 'rejected: invalid topic id', 'rejected: not supported']

/** What every promise of a Sensor rejects with, and what its event `error` carries. */
export class SensorError extends Error {
  override readonly name = 'SensorError'
  readonly code: SensorFailure
  /** the gateway's ReturnCode when `code` is `rejected`: 1 congestion (wait T_WAIT, over 5 minutes), 2, 3 */
  readonly returnCode: number | undefined

  constructor(code: SensorFailure, message: string, returnCode?: number) {
    super(message)
    this.code = code
    this.returnCode = returnCode
  }
}

/** The error for a ReturnCode that refuses `what`. */
export function rejection(what: string, returnCode: number): SensorError {
  const meaning = MEANING[returnCode] ?? 'rejected: reserved code'
  return new SensorError('rejected', `${what}: gateway answered ${returnCode} (${meaning})`, returnCode)
}
