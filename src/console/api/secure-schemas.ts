// JSON Schemas of DTLS: listeners, the keys and certificates that they use, sessions of sensors.

import type { CredentialInfo, HistogramInfo, SecureInfo } from '../contract/gateway.ts'
import { counts, listOf, object, optional, type Schema, text, whole, yesNo } from './shapes.ts'

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

const times = object<HistogramInfo>({
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
