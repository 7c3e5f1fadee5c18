// What is usually wrong when an encrypted connection fails, in a sentence that names the key of the configuration to look at.

import type { Duplex } from 'node:stream'
import { describeError, type SystemError } from './system-error.ts'

const NOT_TRUSTED =
  'the certificate of the broker is signed by an authority that is not trusted here: let broker.tls.ca hold the certificate of that authority'

/** Mosquitto and others hang up without a word at what is no MQTT. */
export const NO_TLS =
  'the port hung up at the beginning of TLS, as if it does not speak TLS: broker.url needs another port, or mqtt:// (ws://)'

/** By the code of the Error of OpenSSL or Node.js. */
const MISTAKES: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT:
    'the certificate of the broker is signed by itself: let broker.tls.ca hold that certificate',
  SELF_SIGNED_CERT_IN_CHAIN: NOT_TRUSTED,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: NOT_TRUSTED,
  UNABLE_TO_GET_ISSUER_CERT: NOT_TRUSTED,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: NOT_TRUSTED,
  CERT_UNTRUSTED: NOT_TRUSTED,
  CERT_SIGNATURE_FAILURE:
    'the certificate of the broker does not belong to the authority in broker.tls.ca, although that has the right name',
  CERT_HAS_EXPIRED:
    "the certificate of the broker, or of its authority in broker.tls.ca, has expired (or this machine's clock is wrong)",
  CERT_NOT_YET_VALID:
    "the certificate of the broker, or of its authority in broker.tls.ca, is not valid yet (or this machine's clock is wrong)",
  CERT_REVOKED: 'the certificate of the broker was revoked',
  INVALID_PURPOSE: 'the certificate of the broker is not meant for servers',
  ERR_TLS_CERT_ALTNAME_INVALID:
    'the name in broker.url does not match the certificate of the broker: correct the url, or let broker.tls.serverName hold a name of the certificate',
  ERR_SSL_WRONG_VERSION_NUMBER:
    'the port does not speak TLS: broker.url needs another port, or mqtt:// (ws://) instead of mqtts:// (wss://)',
  ERR_SSL_PACKET_LENGTH_TOO_LONG:
    'the port does not speak TLS: broker.url needs another port, or mqtt:// (ws://) instead of mqtts:// (wss://)',
  ERR_SSL_UNSUPPORTED_PROTOCOL: 'the broker speaks no TLS of version 1.2 or later',
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION:
    'the broker speaks no TLS of a version that the gateway speaks (1.2 and later)',
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED:
    'the broker asks for a certificate: broker.tls.cert and broker.tls.key, or sensors[].cert and sensors[].key',
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA:
    'the broker does not trust the certificate in broker.tls.cert or sensors[].cert: it knows no authority that signed it',
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE:
    'the broker does not accept the certificate in broker.tls.cert or sensors[].cert',
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
    'the broker does not accept the certificate in broker.tls.cert or sensors[].cert',
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED: 'the certificate in broker.tls.cert or sensors[].cert has expired',
  ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE:
    'the broker ended the TLS handshake: it may ask for a certificate (broker.tls.cert or sensors[].cert), or for other ciphers',
  ERR_OSSL_X509_KEY_VALUES_MISMATCH: 'the private key does not belong to the certificate',
}

/** Those whose message tells the names. */
const NAMES = new Set(['ERR_TLS_CERT_ALTNAME_INVALID'])

/** What a plain connection reads from a port that speaks something else, by the first octet. */
const TLS_ALERT = 0x15
const HTTP = 'H'.charCodeAt(0)

/** The sentence for this error, if it is a mistake of this kind. */
export function explainTls(error: SystemError | undefined): string | undefined {
  const code = String(error?.code)
  const mistake = MISTAKES[code]
  if (mistake !== undefined) return `${mistake} (${NAMES.has(code) ? error?.message : code})`
  if (code === 'ECONNRESET' && error?.message.includes('before secure TLS connection was established')) {
    return NO_TLS
  }
  return code.startsWith('ERR_SSL_')
    ? `TLS failed: ${error?.message ?? code} (see broker.url and broker.tls)`
    : undefined
}

/** What is wrong in words, whatever was thrown. */
export function explainError(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return explainTls(error) ?? describeError(error)
}

/** What speaks at a port where MQTT was expected, if the first octet that it sent tells; undefined if it may be MQTT. */
export function foreignProtocol(octets: Uint8Array): string | undefined {
  if (octets[0] === TLS_ALERT)
    return 'the port speaks TLS: broker.url needs mqtts:// (or wss://), or another port'
  if (octets[0] === HTTP)
    return 'the port speaks HTTP: broker.url needs ws:// (or wss://) and a path, or another port'
  return undefined
}

/** Tells whether a stream that was just opened is still to be encrypted; never, if it is not to be. */
export function watchHandshake(stream: Duplex): () => boolean {
  let inHandshake = 'encrypted' in stream
  stream.once('secureConnect', () => {
    inHandshake = false
  })
  return () => inHandshake
}
