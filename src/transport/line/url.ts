// Urls of lines, `serial:///dev/ttyUSB0?framing=slip`, `xbee:///dev/ttyUSB0`, `tcp://10.0.0.9:4001?framing=hdlc` and
// `tcp-listen://0.0.0.0:6969?framing=slip`: what they say, or what is wrong with them. Pure; the configuration and the transport read
// them alike.

import { type DialogueSettings, LINE_FRAMINGS, usualConfirm, usualLongest } from '../dialogue/kinds.ts'
import { CRC_NAMES } from '../framing/crc.ts'
import type { ComPortSettings } from '../telnet/com-port.ts'
import {
  DEVICE,
  expectedInstead,
  listOf,
  PARAMETERS,
  PAUSES,
  type Parameters,
  parametersOf,
  portParameterIn,
  SAID,
} from './parameters.ts'

/** A serial device and how it is set. */
export interface SerialSettings extends ComPortSettings {
  readonly kind: 'serial'
  readonly device: string
  /** the device that sends, where there are two, and the other one receives */
  readonly tx?: string | undefined
}

/** A stream over TCP: to a device server or a modem, or from one. */
interface OverTcp {
  readonly host: string
  readonly port: number
  /** what is around the data: `raw`: FF is doubled, `rfc2217`: the port of the device server is set, too */
  readonly telnet?: 'raw' | 'rfc2217' | undefined
}

export interface TcpSettings extends OverTcp {
  readonly kind: 'tcp'
  /** how the port of the device server is to be set */
  readonly comPort?: ComPortSettings | undefined
}

/** Where modems and bridges call the gateway. */
export interface ListenSettings extends OverTcp {
  readonly kind: 'tcp-listen'
}

/** What an url of a line says. */
export interface LineSettings extends DialogueSettings {
  readonly stream: SerialSettings | TcpSettings | ListenSettings
  /** `encap`: what travels is encapsulated, and many nodes are behind the line [5.5] */
  readonly node: 'none' | 'encap'
  /** milliseconds between attempts to open it, doubling from `min` to `max` */
  readonly reopen: { readonly min: number; readonly max: number }
  /** a line that cannot be opened at the start is an error */
  readonly strict: boolean
}

const UNIT: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000 }

/** The schemes of lines, without colon. */
export const LINE_SCHEMES: readonly string[] = Object.keys(PARAMETERS).map((scheme) => scheme.slice(0, -1))

/** What such urls look like, for messages to people. */
export const LINE_EXAMPLES =
  '"serial:///dev/serial/by-id/NAME?framing=slip", "xbee:///dev/serial/by-id/NAME", "tcp://10.0.0.9:4001?framing=hdlc" or "tcp-listen://0.0.0.0:6969?framing=slip"'

/** Whether an url is that of a line, right or wrong. */
export const isLineUrl = (url: string): boolean => LINE_SCHEMES.includes(url.split(':', 1)[0] ?? '')

/** Whether it is one where modems call, each with a connection of its own. */
export const isCalledUrl = (url: string): boolean => url.startsWith('tcp-listen:')

/** What is wrong with an url of a line, as what would be right. */
export interface LineProblem {
  readonly expected: string
  /** a parameter that does not exist, and those that do */
  readonly unknown?: { readonly name: string; readonly known: readonly string[] }
}

/** Reads an url of a line. */
export function readLineUrl(url: string): LineSettings | LineProblem {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  const ofScheme = parsed && PARAMETERS[parsed.protocol]
  if (parsed === undefined || ofScheme === undefined) return { expected: LINE_EXAMPLES }
  const given = new Map([...Object.entries(SAID[parsed.protocol] ?? {}), ...parsed.searchParams])
  const framing = given.get('framing') ?? ''
  const common = parametersOf(framing, parsed.protocol)
  const known: Parameters = { ...ofScheme, ...common }
  for (const [name, value] of given) {
    if (!Object.hasOwn(known, name)) {
      const names = parsed.protocol.startsWith('tcp')
        ? [...Object.keys(common), 'telnet']
        : Object.keys(known)
      return {
        expected: `no parameters but ${names.join(', ')}`,
        unknown: { name, known: Object.keys(known) },
      }
    }
    const expected = expectedInstead(known[name], value)
    if (expected !== undefined) return { expected: `${name}=${expected}` }
  }
  if (framing === '') return { expected: `framing=${listOf(LINE_FRAMINGS)} in the url` }
  const reopen = readPause(given.get('reopen') ?? '1s..30s')
  if (reopen === undefined) return { expected: 'reopen=1s..30s, the shortest and the longest pause' }
  const unset = portParameterIn(given)
  if (parsed.protocol === 'tcp:' && unset !== undefined && given.get('telnet') !== 'rfc2217') {
    const names = Object.keys(common).join(', ')
    return {
      expected: `no parameters but ${names}, telnet; "${unset}" of a device server is set with telnet=rfc2217`,
    }
  }
  if (given.get('flow') === 'rts' && given.has('rts'))
    return { expected: 'flow=rts without "rts": that line is set by the flow control' }
  const stream = parsed.protocol.startsWith('tcp') ? readTcp(parsed, given) : readSerial(parsed, given)
  if (stream === undefined) return { expected: LINE_EXAMPLES }
  return {
    stream,
    framing,
    crc: CRC_NAMES.find((name) => name === given.get('crc')),
    aquila: framing === 'aquila' ? readAquila(given) : undefined,
    api: framing !== 'xbee' ? undefined : given.get('api') === '1' ? 1 : 2,
    node: given.get('node') === 'encap' ? 'encap' : 'none',
    reopen,
    strict: given.get('strict') === 'on',
  }
}

function readPause(text: string): LineSettings['reopen'] | undefined {
  const [, least = '', leastUnit = '', most = '', mostUnit = ''] = PAUSES.exec(text) ?? []
  const [min, max] = [Number(least) * (UNIT[leastUnit] ?? 0), Number(most) * (UNIT[mostUnit] ?? 0)]
  return min >= 10 && min <= max && max <= 3_600_000 ? { min, max } : undefined
}

function readPort(given: ReadonlyMap<string, string>): ComPortSettings {
  const parity = given.get('parity')
  const lineOf = (name: 'dtr' | 'rts') => (given.has(name) ? given.get(name) === 'on' : undefined)
  return {
    baud: Number(given.get('baud') ?? 115_200),
    bits: Number(given.get('bits') ?? 8),
    parity: parity === 'even' || parity === 'odd' ? parity : 'none',
    stop: Number(given.get('stop') ?? 1),
    flow: given.get('flow') === 'rts' ? 'rts' : 'none',
    dtr: lineOf('dtr'),
    rts: lineOf('rts'),
  }
}

function readSerial({ host, pathname }: URL, given: ReadonlyMap<string, string>): SerialSettings | undefined {
  const device = decoded(pathname)
  if (host !== '' || device === undefined || !DEVICE.test(device)) return undefined
  return { kind: 'serial', device, tx: given.get('tx'), ...readPort(given) }
}

function readAquila(given: ReadonlyMap<string, string>): DialogueSettings['aquila'] {
  const key = given.get('key')?.match(/../g) ?? undefined
  return {
    pan: Number(given.get('pan') ?? 1),
    key: key && Uint8Array.from(key, (digits) => Number.parseInt(digits, 16)),
  }
}

/** An url without the key that may be in it, for logs and people. */
export const withoutKey = (url: string): string => url.replace(/([?&]key=)[^&]*/g, '$1...')

function readTcp(
  { protocol, hostname, port: digits, pathname, username, password }: URL,
  given: ReadonlyMap<string, string>,
): TcpSettings | ListenSettings | undefined {
  const isPlain = (pathname === '' || pathname === '/') && username === '' && password === ''
  if (!isPlain || hostname === '' || digits === '') return undefined
  const [host, port] = [hostname.replace(/^\[|\]$/g, ''), Number(digits)]
  const telnet = (['raw', 'rfc2217'] as const).find((one) => one === given.get('telnet'))
  const place = { host, port, telnet }
  if (protocol === 'tcp-listen:')
    return /^[\d.]+$|:/.test(host) ? { kind: 'tcp-listen', ...place } : undefined
  if (port === 0) return undefined
  return { kind: 'tcp', ...place, comPort: telnet === 'rfc2217' ? readPort(given) : undefined }
}

function decoded(path: string): string | undefined {
  try {
    return decodeURIComponent(path)
  } catch {
    return undefined
  }
}

/** What an url of a line says; undefined for one that is wrong, or of another kind. */
export function lineIn(url: string): LineSettings | undefined {
  const read = isLineUrl(url) ? readLineUrl(url) : undefined
  return read === undefined || 'expected' in read ? undefined : read
}

/** Whether a modem is on the line, with many nodes that have link addresses of their own. */
export const isForRadios = ({ framing }: Pick<LineSettings, 'framing'>): boolean =>
  usualConfirm(framing) !== undefined

/** Octets of the longest message of a listener with this url, of whatever kind, unless told otherwise. */
export const usualMessageSize = (url: string): number => usualLongest(lineIn(url)?.framing ?? '')

/** How fast a line is, unless told otherwise: octets per second, and milliseconds for a confirmation; undefined: no limit, none. */
export function usualSpeed(url: string): { rate: number | undefined; confirm: number | undefined } {
  const line = lineIn(url)
  return { rate: line && usualPace(line), confirm: line && usualConfirm(line.framing) }
}

/**
 * The link address of what is at the other end, and what the line itself is told apart by: the device, or host and port. Where
 * modems call, each has its own.
 */
export const lineAddress = ({ stream }: Pick<LineSettings, 'stream'>): string =>
  stream.kind === 'serial' ? stream.device : `${stream.kind}/${stream.host}:${stream.port}`

/** Octets per second that a wire carries: with start and stop bits some ten bits each; undefined for TCP. */
export function lineRate({ stream }: Pick<LineSettings, 'stream'>): number | undefined {
  const port = stream.kind === 'serial' ? stream : stream.kind === 'tcp' ? stream.comPort : undefined
  return port && port.baud / 10
}

/** The part of its rate that a wire is given: the clocks of both sides differ, and some devices need a breath. */
const SHARE = 0.9

/** Octets per second that a line is given, unless told otherwise. */
export function usualPace(settings: Pick<LineSettings, 'stream'>): number | undefined {
  const rate = lineRate(settings)
  return rate && rate * SHARE
}
