// One datagram in a few words, for the label of an arrow. Only what a label needs: the gateway sends the full reading. Pure.

import { plural } from '../parts/format.ts'

const DUP = 0x80
const RETAIN = 0x10
const WILL = 0x08
const CLEAN = 0x04
const RETURN_CODES = ['accepted', 'congestion: try later', 'unknown topic number', 'not supported']

/** The message without a forwarder's header, and where its fields begin. */
function messageOf(bytes: Uint8Array): Uint8Array {
  const inner = bytes[1] === 0xfe ? bytes.subarray(bytes[0]) : bytes
  return inner.subarray(inner[0] === 1 ? 4 : 2)
}

const u16 = (fields: Uint8Array, at: number) => ((fields[at] ?? 0) << 8) | (fields[at + 1] ?? 0)
const qosOf = (flags: number) => ((flags & 0x60) === 0x60 ? -1 : (flags >> 5) & 3)
/** A sensor leaves the number open, as 0. */
const numbered = (topic: string, number: number) => (number === 0 ? topic : `${topic} = ${number}`)
const code = (value: number | undefined) => RETURN_CODES[value ?? 0] ?? `reserved code ${value}`

function text(bytes: Uint8Array, most = 28): string {
  const decoded = new TextDecoder().decode(bytes)
  return decoded.length > most ? `${decoded.slice(0, most)}…` : decoded
}

/** Content as text if it is text, at most so many characters of it, else its size. */
export function contentInWords(bytes: Uint8Array, most = 28): string {
  if (bytes.length === 0) return 'empty'
  const decoded = text(bytes, most)
  return /[\p{C}\ufffd]/u.test(decoded.replace(/[\t\r\n…]/g, ''))
    ? plural(bytes.length, 'octet')
    : `“${decoded}”`
}

/** A topic: its name if the gateway knows it, else what the two octets say. */
function topicOf(fields: Uint8Array, at: number, flags: number, name: string | undefined): string {
  if (name !== undefined) return name
  if ((flags & 3) === 2) return text(fields.subarray(at, at + 2))
  return `${(flags & 3) === 1 ? 'predefined topic' : 'topic'} ${u16(fields, at)}`
}

/** What `type` says with these octets; `topic` is the name behind its topic number, where known. */
export function summarize(type: string, bytes: Uint8Array, topic?: string): string {
  const fields = messageOf(bytes)
  const flags = fields[0] ?? 0
  const join = (...parts: (string | false)[]) =>
    parts.filter((part) => part !== '' && part !== false).join(' · ')
  switch (type) {
    case 'CONNECT':
      return join(
        text(fields.subarray(4)),
        `keep-alive ${u16(fields, 2)} s`,
        (flags & CLEAN) !== 0 && 'clean session',
        (flags & WILL) !== 0 && 'with will',
      )
    case 'CONNACK':
    case 'WILLTOPICRESP':
    case 'WILLMSGRESP':
      return code(fields[0])
    case 'WILLTOPIC':
    case 'WILLTOPICUPD':
      return fields.length === 0
        ? 'no will'
        : join(text(fields.subarray(1)), `QoS ${qosOf(flags)}`, (flags & RETAIN) !== 0 && 'retained')
    case 'WILLMSG':
    case 'WILLMSGUPD':
      return contentInWords(fields)
    case 'REGISTER':
      return numbered(text(fields.subarray(4), 48), u16(fields, 0))
    case 'REGACK':
      return join(fields[4] === 0 && numbered(topic ?? 'topic', u16(fields, 0)), code(fields[4]))
    case 'PUBLISH':
      return join(
        topicOf(fields, 1, flags, topic),
        `QoS ${qosOf(flags)}`,
        (flags & RETAIN) !== 0 && 'retained',
        (flags & DUP) !== 0 && 'DUP',
        contentInWords(fields.subarray(5)),
      )
    case 'PUBACK':
      return join(topic ?? '', code(fields[4]))
    case 'SUBSCRIBE':
    case 'UNSUBSCRIBE':
      return join(
        (flags & 3) === 0 ? text(fields.subarray(3), 48) : topicOf(fields, 3, flags, topic),
        type === 'SUBSCRIBE' && `QoS ${qosOf(flags)}`,
      )
    case 'SUBACK':
      return join(topic ?? '', fields[5] === 0 ? `granted QoS ${qosOf(flags)}` : code(fields[5]))
    case 'PINGREQ':
      return fields.length === 0 ? '' : `${text(fields)} is awake`
    case 'DISCONNECT': {
      const seconds = u16(fields, 0)
      return fields.length < 2 || seconds === 0 ? '' : `sleeps for ${seconds} s`
    }
    default:
      return ''
  }
}

/** How the gateway tells return codes that it remembers. */
const REMEMBERED_CODES: readonly (readonly [theirs: string, ours: string])[] = [
  ['rejected: congestion', 'congestion: try later'],
  ['rejected: invalid topic id', 'unknown topic number'],
  ['rejected: not supported', 'not supported'],
  ['accepted', 'accepted'],
]

/** A message that is remembered without its octets, in the words of `summarize`. */
export function summarizeRemembered(type: string, text: string): string {
  const publish = /^QoS (-?\d) (.*), (\d+ octets?(?: or more)?)(, again)?$/.exec(text)
  if (publish !== null) {
    const [, qos, topic, size, again] = publish
    return [topic, `QoS ${qos}`, ...(again === undefined ? [] : ['DUP']), size].join(' · ')
  }
  const rest = text.startsWith(type) ? text.slice(type.length).trim() : text
  const [theirs, ours] = REMEMBERED_CODES.find(([code]) => rest.endsWith(code)) ?? ['', '']
  if (theirs === '') return rest
  const topic = rest.slice(0, -theirs.length).replace(/, $/, '')
  return topic === '' ? ours : `${topic} · ${ours}`
}
