// The section `admission`: which sensors may be here at all, from a list or from a service that knows them.
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these references are resolved by the gateway

import { z } from 'zod'
import { duration, kind, oneOf, text, whole } from './values.ts'

const HTTP = /^https?:\/\/[^\s@]+$/

const http = z.strictObject({
  url: z
    .string({ error: 'a url such as "https://devices.example/admit"' })
    .regex(HTTP, {
      error: 'an http:// or https:// url without user name, such as "https://devices.example/admit"',
    })
    .meta(kind({ kind: 'url' }))
    .describe('Where to POST `{ "clientId", "identity", "address", ... }` for every CONNECT.')
    .meta({ examples: ['http://127.0.0.1:9000/admit'] }),
  token: text('a token', 1, 4096)
    .optional()
    .describe('Sent as `Authorization: Bearer`.')
    .meta(kind({ kind: 'text', secret: true }))
    .meta({ examples: ['${env:ADMISSION_TOKEN}'] }),
  timeout: duration({ min: 100, max: 60_000 })
    .prefault('3s')
    .describe('Time for an answer. Sensors repeat CONNECT after some 10 s.'),
  cache: duration({ min: 1000, max: 86_400_000, zero: 'ask every time' })
    .prefault('5m')
    .describe('How long an answer holds for the same ClientId, identity and address; a reload forgets them.'),
  parallel: whole(1, 1000).prefault(32).describe('Questions under way at once; more wait.'),
  onFailure: oneOf('later', 'allow', 'deny')
    .prefault('later')
    .describe(
      'Without a usable answer: CONNACK 0x01, so that the sensor tries again; or let it in; or refuse it with 0x03.',
    ),
})

/** Who may be here. */
export const admission = z.strictObject({
  sensors: text('the text of a list of ClientIds, one on a line', 0, 64 * 1024 * 1024)
    .optional()
    .describe(
      'The sensors that may connect: a ClientId or pattern (*, ?) on each line, perhaps followed by the `match` of the rule of `sensors` that is to hold for it; # begins a comment. Others are refused with 0x03, unless `http` is set and allows them. Read from a file by "${file:...}"; a reload reads it again.',
    )
    .meta({ examples: ['${file:allowed-sensors.txt}'] }),
  http: http
    .optional()
    .describe(
      'A service that is asked about every sensor that is not in the list. It answers `{ "result": "allow" }` or "deny", perhaps with "rule": the `match` of the rule that is to hold.',
    ),
})
