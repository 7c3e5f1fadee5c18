// What a sensor needs for a gateway at dtls://: a key that both share, or certificates.

import { SensorError } from './failure.ts'

/** What a session leaves for a short handshake later, also in another process. Secret. */
export interface SensorResumption {
  readonly suite: number
  readonly master: Uint8Array
  readonly sessionId: Uint8Array
  readonly ticket: Uint8Array | undefined
}

/** For `dtls://`: `psk`, or `ca` with or without a certificate of one's own; both where either will do. */
export interface SecurityOptions {
  /** a key that the gateway knows by this identity: octets, or hex; 8 to 64 octets */
  psk?: { identity: string; key: Uint8Array | string }
  /** the sensor's own certificate and those between it and the authority, PEM */
  cert?: string
  /** its private key, PEM, of the curve P-256 */
  key?: string
  /** certificates of the authorities whose gateways are trusted, PEM */
  ca?: string
  /** the name that the gateway's certificate must be for; default: the host of the gateway's address */
  serverName?: string
  /** lets the session go on when the sensor's address changes (RFC 9146), if the gateway can; default true */
  connectionId?: boolean
  /** what an earlier sensor left behind, see the event `secured` */
  resume?: SensorResumption
}

/** An established DTLS session. */
export interface SecuredSession {
  /** the gateway's, out of its certificate, or with a shared key the sensor's own */
  readonly identity: string | undefined
  readonly kind: 'psk' | 'certificate' | 'anonymous'
  /** name of the cipher suite */
  readonly suite: string
  /** a short handshake, with what an earlier one left */
  readonly resumed: boolean
  /** what the next sensor may resume with, secret; undefined where the gateway keeps nothing */
  readonly resumption: SensorResumption | undefined
}

/** `dtls:` and not `udp:`. */
export const isSecure = (url: string): boolean => url.startsWith('dtls:')

/** The octets of a shared key; undefined if it is neither octets nor hex, or too short or too long. */
export function keyOctets(key: Uint8Array | string): Uint8Array | undefined {
  const octets =
    typeof key !== 'string'
      ? key
      : /^(?:[0-9a-f]{2})+$/i.test(key)
        ? Uint8Array.from(Buffer.from(key, 'hex'))
        : undefined
  return octets !== undefined && octets.length >= 8 && octets.length <= 64 ? octets : undefined
}

/** Throws SensorError `invalid` where keys and address do not fit together. */
export function checkSecurity(url: string, { psk, cert, key, ca }: SecurityOptions): void {
  const refuse = (why: string): never => {
    throw new SensorError('invalid', why)
  }
  if (!isSecure(url)) {
    // keys that would not be used are a sign that somebody believes to be protected
    if (psk ?? cert ?? key ?? ca) refuse(`psk, cert, key and ca need a gateway at dtls://, not ${url}`)
    return
  }
  if (psk === undefined && ca === undefined) refuse('dtls:// needs psk, or ca to know the gateway by')
  if ((cert === undefined) !== (key === undefined)) refuse('cert and key belong together')
  if (cert !== undefined && ca === undefined) refuse('cert needs ca, to know the gateway by')
  if (psk === undefined) return
  if (psk.identity === '' || Buffer.byteLength(psk.identity) > 128) refuse('psk.identity: 1 to 128 octets')
  if (keyOctets(psk.key) === undefined) refuse('psk.key: 8 to 64 octets, as octets or as hex')
}

/** Says of a refused CONNECT at dtls:// what the reason probably is: gateways want identity and ClientId to be the same. */
export function withIdentityHint(
  error: unknown,
  { gateway, clientId, psk }: SecurityOptions & { gateway: string; clientId: string },
): unknown {
  if (!(error instanceof SensorError) || error.returnCode !== 3 || !isSecure(gateway)) return error
  if (psk?.identity === clientId) return error
  const identity = psk === undefined ? 'that of its certificate' : JSON.stringify(psk.identity)
  const hint = `its identity is ${identity}, its client id ${JSON.stringify(clientId)}: may it have that?`
  return new SensorError('rejected', `${error.message}; ${hint}`, 3)
}
