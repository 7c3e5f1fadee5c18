// What `mqttsn forward` can be told: nodes on one side (`from`), the gateway on the other (`to`).
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these references are resolved by the forwarder

import { z } from 'zod'
import { parsePskFile } from '../dtls/psk-file.ts'
import { configSchema } from '../schema.ts'
import { listenerUrl } from '../sections/addresses.ts'
import { HTTP_URL } from '../sections/console.ts'
import { discovery, listener } from '../sections/listener.ts'
import { duration, kind, list, pem, text, whole, yesNo } from '../sections/values.ts'

/** Octets of the longest id, or beginning of one, that may be set: radios have up to 8 of their own behind it. */
const LONGEST_NODE = 32

const node = () => {
  const error = `1 to ${LONGEST_NODE} octets in hexadecimal digits, such as "01"`
  return z
    .string({ error })
    .regex(new RegExp(`^(?:[0-9a-fA-F]{2}){1,${LONGEST_NODE}}$`), { error })
    .meta(kind({ kind: 'octets in hex' }))
}

const { name, allow, deny, receiveBuffer, pace } = listener.shape

/** One link to nodes. */
const from = z.strictObject({
  name: name.describe('Name in logs and metrics, unique. Default: the url.'),
  url: listenerUrl()
    .describe('Where nodes are: what a listener of the gateway may have, but for dtls://.')
    .meta({ examples: ['serial:///dev/serial/by-id/NAME?framing=slip', 'udp://0.0.0.0:1884'] }),
  node: node()
    .optional()
    .describe(
      'On a wire, the id of its node. Elsewhere it is put before the own id of each node, so that ids of two links differ. Default: on wires 01, 02, ... in their order, elsewhere nothing.',
    ),
  maxMessageSize: whole(16, 65_507)
    .optional()
    .describe('Octets of the longest message, both ways. Default: 1472; on radios what they carry.'),
  allow,
  deny,
  receiveBuffer,
  group: discovery
    .pick({ group: true, port: true, interface: true, hops: true })
    .required({ group: true })
    .optional()
    .describe('Where nodes on UDP look for a gateway: a SEARCHGW to this group is heard, too.'),
  pace,
})

const sharedKey = () => {
  const error = '"identity:hexkey" with a key of 8 to 64 octets'
  const isOne = (value: string) => {
    const { keys, problems } = parsePskFile(value)
    return keys.size === 1 && problems.length === 0
  }
  return text(error, 1, 1024)
    .refine(isOne, { error })
    .meta(kind({ kind: 'identity and key in hex', secret: true }))
}

const GATEWAY = /^(?:udp|dtls):\/\/(?:\[[0-9a-fA-F:.]+(?:%[\w.-]+)?\]|[\w.-]+):(\d{1,5})$/

const gatewayUrl = () => {
  const error = 'udp://host:port or dtls://host:port, such as "udp://gateway.example:1884"'
  const isLegal = (value: string) => {
    const port = Number(GATEWAY.exec(value)?.[1])
    return port >= 1 && port <= 65_535
  }
  return z
    .string({ error })
    .refine(isLegal, { error })
    .meta(kind({ kind: 'url' }))
}

/** The gateway. */
const to = z.strictObject({
  url: gatewayUrl()
    .describe(
      'The gateway: udp:// in the clear, dtls:// with a key or a certificate. Its host may be a name.',
    )
    .meta({ examples: ['dtls://gateway.example:8883'] }),
  psk: sharedKey()
    .optional()
    .describe('For dtls://: the key that is shared with the gateway, behind the identity that it has there.')
    .meta({ examples: ['barn-3:${env:KEY}'] }),
  pskFile: text('the name of a file', 1, 4096)
    .optional()
    .describe('The same out of a file of such lines, see `mqttsn psk`. Relative to the configuration file.')
    .meta(kind({ kind: 'file' })),
  pskIdentity: text('an identity', 1, 128)
    .optional()
    .describe('Which one of the file. Default: the only one.'),
  ca: pem({})
    .optional()
    .describe('Certificates of the authorities whose gateways are trusted.')
    .meta({ examples: ['${file:fleet-ca.pem}'] }),
  cert: pem({}).optional().describe('Certificate of the forwarder, and those between it and its authority.'),
  key: pem({ secret: true }).optional().describe('Private key of that certificate, on the curve P-256.'),
  serverName: text('a name', 1, 253)
    .optional()
    .describe("The name in the gateway's certificate. Default: the host of the url."),
  connectionId: yesNo()
    .prefault(true)
    .describe('Lets the session go on while the address of the forwarder changes [RFC 9146].'),
  localPort: whole(1, 65_535)
    .optional()
    .describe(
      'UDP port of this machine to send from. With udp:// a fixed one lets sessions of nodes outlive a restart of the forwarder. Default: any free one.',
    ),
  maxMessageSize: whole(16, 65_507)
    .prefault(1472)
    .describe("Octets of the longest message, encapsulation included: as in the gateway's listener."),
})

/** The document as written (input) and after defaults and units are applied (output). */
export const forwardSchema = z
  .strictObject({
    $schema: z.string().optional().describe('For editors: path of the JSON Schema. It is ignored.'),
    from: list(z.union([listenerUrl(), from], { error: 'an object { ... }, or the url as text' }), 32)
      .min(1, { error: 'at least one link to nodes' })
      .describe('Where nodes are: objects, or just their urls as text.'),
    to: z
      .union([gatewayUrl(), to], { error: 'an object { ... }, or the url as text' })
      .describe('The gateway: an object, or just its url as text.'),
    nested: yesNo()
      .prefault(false)
      .describe(
        'What comes from a node and is encapsulated already is encapsulated once more. The specification has no such thing: the gateway must take it off twice.',
      ),
    answerSearch: yesNo()
      .prefault(true)
      .describe(
        "A SEARCHGW of a node is answered here with the gateway's GwId, while the gateway answers the forwarder's own [6.1].",
      ),
    keepalive: duration({ min: 1000, max: 86_400_000 })
      .optional()
      .describe(
        'Time between two questions whether the gateway is there, which also keep a mapping of NAT open. Default: 25s with udp://, 60s with dtls://.',
      ),
    metrics: z
      .string({ error: 'a url such as "http://127.0.0.1:9100"' })
      .regex(HTTP_URL, { error: 'http://address:port, such as "http://127.0.0.1:9100"' })
      .meta(kind({ kind: 'url' }))
      .optional()
      .describe('Address and port for metrics and health; port 0 = any free one. Default: none are served.'),
    log: configSchema.shape.log
      .unwrap()
      .pick({ level: true, format: true })
      .prefault({})
      .describe('The log.'),
  })
  .describe('Configuration of mqttsn forward.')

/** What was parsed: `from` and `to` may still be urls. */
export type ParsedForward = z.output<typeof forwardSchema>
/** One link to nodes. */
export type ParsedSource = z.output<typeof from>
/** The gateway. */
export type ParsedTarget = z.output<typeof to>

/** Long forms of what is written short. */
export const sourceOf = (written: string | ParsedSource): ParsedSource =>
  typeof written === 'string' ? from.parse({ url: written }) : written
export const targetOf = (written: string | ParsedTarget): ParsedTarget =>
  typeof written === 'string' ? to.parse({ url: written }) : written
