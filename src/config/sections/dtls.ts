// The section `listeners[].dtls`: keys and certificates of sensors, and the limits of what strangers can cause.
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these references are resolved by the gateway

import { z } from 'zod'
import { SUITES } from '../../dtls/suites.ts'
import { duration, kind, list, oneOf, pem, text, whole } from './values.ts'

/** `PSK-AES128-CCM8` would be OpenSSL's; these are the names of the specifications. */
const ciphers = SUITES.map(({ name }) => name)

const GROUPS = ['x25519', 'secp256r1'] as const

const hexKey = () => {
  const error = 'a key of 8 to 64 octets in hexadecimal digits'
  return text(error, 16, 128)
    .regex(/^(?:[0-9a-fA-F]{2}){8,64}$/, { error })
    .meta(kind({ kind: 'key in hex', secret: true }))
}

/** Identities of pre-shared keys [RFC 4279 5.1]. */
const identity = () => {
  const error = 'an identity of 1 to 128 octets without control characters'
  const isLegal = (value: string) => !/\p{Cc}/u.test(value) && new TextEncoder().encode(value).length <= 128
  return text(error, 1, 128).refine(isLegal, { error })
}

const psk = z
  .strictObject({
    file: text('the name of a file', 1, 4096)
      .optional()
      .describe(
        'File with a line `identity:hexkey` for each sensor, `#` before comments. Relative to the configuration file. Read again at every reload.',
      )
      .meta(kind({ kind: 'file' }))
      .meta({ examples: ['psk.txt'] }),
    keys: z
      .record(identity(), hexKey(), { error: 'an object { "identity": "hexkey" }' })
      .optional()
      .describe('Further keys, in hexadecimal digits, by identity.'),
  })
  .describe('Pre-shared keys: each sensor has its own.')

/** One listener's DTLS. */
export const dtls = z
  .strictObject({
    psk: psk.optional(),
    cert: pem({})
      .optional()
      .describe("The gateway's certificate for sensors with certificates, and those between it and its CA.")
      .meta({ examples: ['${file:gateway.pem}'] }),
    key: pem({ secret: true }).optional().describe('Private key of that certificate, on the curve P-256.'),
    clientCa: pem({})
      .optional()
      .describe('Certificates of the authorities whose certificates sensors have. Required with `cert`.')
      .meta({ examples: ['${file:fleet-ca.pem}'] }),
    crl: pem({})
      .optional()
      .describe('Revocation lists of these authorities: whom they name is not let in. One after the other.')
      .meta({ examples: ['${file:revoked.pem}'] }),
    identity: oneOf('cn', 'san-dns', 'san-uri', 'serial', 'fingerprint')
      .prefault('cn')
      .describe('What of its certificate is the identity of a sensor.'),
    ciphers: list(oneOf(...ciphers), ciphers.length)
      .min(1, { error: 'at least one cipher suite' })
      .optional()
      .describe('Cipher suites, best first. Default: all that fit the keys and certificates.'),
    groups: list(oneOf(...GROUPS), GROUPS.length)
      .min(1, { error: 'at least one group' })
      .prefault([...GROUPS])
      .describe('Groups for forward secrecy, best first.'),
    connectionId: whole(0, 16)
      .prefault(6)
      .describe(
        'Octets of the connection ids that let a session go on while its address changes [RFC 9146]; 0 = none. With `cluster.listen` at least 4: they tell which node has the session.',
      ),
    extendedMasterSecret: oneOf('preferred', 'required')
      .prefault('preferred')
      .describe('Whether sensors must bind their keys to the whole handshake [RFC 7627].'),
    resumption: duration({ min: 1000, max: 30 * 86_400_000, zero: 'never' })
      .prefault('24h')
      .describe('How long a sensor may open a session again by a short handshake; 0 = not at all.'),
    mtu: whole(256, 1472).prefault(1200).describe('Octets of the largest datagram of a handshake.'),
    retransmit: duration({ min: 100, max: 60_000 })
      .prefault('2s')
      .describe(
        'Pause before a part of a handshake is repeated; doubles, to 60 s at most. Slow radios need 9s.',
      ),
    handshake: duration({ min: 1000, max: 600_000 })
      .prefault('60s')
      .describe('How long a whole handshake may take.'),
    idle: duration({ min: 1000, max: 30 * 86_400_000 })
      .prefault('1h')
      .describe('A session that no connected or sleeping sensor uses ends after this time without a record.'),
    handshakes: whole(1, 1_000_000).prefault(1000).describe('Handshakes under way at once.'),
    handshakesPerAddress: whole(1, 1_000_000)
      .prefault(100)
      .describe('Handshakes per second that one address may begin.'),
    sessions: whole(1, 10_000_000)
      .optional()
      .describe(
        'Sessions at once. Above it, the oldest that no sensor uses makes room. Default: 1.25 times `limits.sensors`.',
      ),
    forwarders: list(text('a pattern of identities', 1, 256).meta(kind({ kind: 'pattern' })))
      .prefault([])
      .describe(
        'Identities of forwarders, as patterns with * and ?: these may speak for other nodes, whatever their address [5.5].',
      ),
    keyLog: text('the name of a file', 1, 4096)
      .optional()
      .describe(
        'File to write the secrets of all new sessions to, for Wireshark. Whoever has it reads and forges everything: for tests only.',
      )
      .meta(kind({ kind: 'file' })),
  })
  .describe('Security of a `dtls://` listener: DTLS 1.2. Either `psk`, or `cert` and `key`, or both.')
