// The section `console`: the HTTP side, for people and machines that look at the gateway.

import { isIP } from 'node:net'
import { z } from 'zod'
import { kind, list, text, yesNo } from './values.ts'

/** What is served over HTTP without TLS. */
export const HTTP_URL = /^http:\/\/(\[[0-9a-fA-F:.]+\]|[\w.-]+)(:\d{1,5})?\/?$/

/** Where the console listens, and who may look. */
export const consoleSection = z.strictObject({
  enabled: yesNo().prefault(true).describe('Serve metrics, health, API and the console page.'),
  url: z
    .string({ error: 'a url such as "http://127.0.0.1:8885"' })
    .regex(HTTP_URL, { error: 'http://address:port, such as "http://127.0.0.1:8885"' })
    .meta(kind({ kind: 'url' }))
    .prefault('http://127.0.0.1:8885')
    .describe('Address and port to serve on; port 0 = any free one.'),
  token: text('a token of 16 to 1024 characters', 16, 1024)
    .optional()
    .describe('Needed as soon as the address is not loopback; sent as `Authorization: Bearer`.')
    .meta(kind({ kind: 'text', secret: true })),
  payloads: yesNo()
    .prefault(false)
    .describe(
      'Show the contents of messages in the list of live topics, as `log.payloads` does too. They may be confidential.',
    ),
  hosts: list(text('a host name'), 100)
    .prefault([])
    .describe('Further host names that requests may use, such as that of a proxy in front.'),
  trustedProxies: list(
    z
      .string()
      .refine((text) => isIP(text) !== 0, { error: 'the address of one machine, such as "172.30.32.2"' }),
    16,
  )
    .prefault([])
    .describe(
      'Addresses of proxies that let nobody through who has not signed in with them: what comes from there needs no token, may name any host, and may show the page in a frame of its own site.',
    )
    .meta(kind({ kind: 'list of addresses' })),
})
