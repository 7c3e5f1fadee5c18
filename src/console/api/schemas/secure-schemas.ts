// JSON Schemas of DTLS: listeners, the keys and certificates that they use, sessions of sensors.

import type { CredentialInfo, FailedHandshake, HistogramInfo, SecureInfo } from '../../contract/gateway.ts'
import type { OpenSecurity, SensorSecurity } from '../../contract/sensors.ts'
import { counts, listOf, object, optional, type Schema, text, time, whole, yesNo } from './shapes.ts'

const number = (description: string): Schema => ({ type: 'number', description })

const credentials = object<CredentialInfo>({
  identities: optional(whole('pre-shared keys that are in use')),
  pskFile: optional({
    type: 'string',
    enum: ['current', 'changed', 'unreadable'],
    description: 'what became of the file of keys since it was read',
  }),
  trouble: optional(text('why the last reload kept keys and certificates as they were')),
  certificates: {
    type: 'object',
    additionalProperties: { type: 'number' },
    description: 'when the first certificate ends, by key of the section, milliseconds since 1970',
  },
})

/** How long something took. */
export const times = object<HistogramInfo>({
  bounds: listOf(number('seconds')),
  counts: listOf(whole('how many took no longer')),
  sum: number('seconds of all together'),
  count: whole('how many there were'),
})

/** A listener with DTLS. */
export const secureInfo = object<SecureInfo>({
  sessions: whole('DTLS sessions that are open'),
  halfOpen: whole('handshakes under way'),
  limits: object<SecureInfo['limits']>({
    sessions: whole('sessions that there may be at once'),
    halfOpen: whole('handshakes that may be under way at once'),
  }),
  handshakes: counts('how handshakes ended since the start: full, resumed, or why they failed'),
  failures: listOf(
    object<FailedHandshake>({
      at: time('when it was over'),
      address: text('where it came from'),
      identity: optional(text('who it said it was; nothing of it is proved')),
      cause: text('why it failed, as in handshakes'),
    }),
  ),
  handshakeTimes: {
    type: 'object',
    additionalProperties: times,
    description: 'how long those took that opened a session: full ones (psk, certificate), and resumed ones',
  },
  moves: whole('sessions that went to another address since the start'),
  helloVerifies: whole('hellos that were asked to show that their address is theirs'),
  keyLog: yesNo('the secrets of all sessions are written to a file'),
  credentials,
})

/** Who a sensor has proved to be, and its session. */
export const sensorSecurity = object<SensorSecurity>({
  identity: text('who it has proved to be'),
  kind: { type: 'string', enum: ['psk', 'certificate'], description: 'by what it has' },
  session: whole('number of its session on its listener'),
  open: optional(
    object<OpenSecurity>({
      suite: text('cipher suite'),
      resumed: yesNo('it was opened by a short handshake'),
      extendedMasterSecret: yesNo('its keys are bound to the whole handshake [RFC 7627]'),
      connectionId: yesNo('its records have a connection id, so that its address may change [RFC 9146]'),
      openedAt: time('when it was opened'),
      received: whole('messages that came in records, since it was opened or the gateway started'),
      sent: whole('records that were sent, since it was opened or the gateway started'),
      moves: whole('how often its address changed'),
      movedAt: optional(time('when that was last')),
    }),
  ),
})
