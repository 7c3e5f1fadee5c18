// Urls of lines, `serial:///dev/ttyUSB0?framing=slip`, `xbee:///dev/ttyUSB0` and `tcp://10.0.0.9:4001?framing=hdlc`: what they say,
// or what is wrong with them. Pure; the configuration and the transport read them alike.

import { type DialogueSettings, LINE_FRAMINGS, usualConfirm, usualLongest } from '../dialogue/kinds.ts'
import { CRC_NAMES } from '../framing/crc.ts'

/** A serial device and how it is set. */
export interface SerialSettings {
  readonly kind: 'serial'
  readonly device: string
  readonly baud: number
  readonly bits: number
  readonly parity: 'none' | 'even' | 'odd'
  readonly stop: number
  readonly flow: 'none' | 'rts'
}

/** A stream over TCP, to a device server or a modem. */
export interface TcpSettings {
  readonly kind: 'tcp'
  readonly host: string
  readonly port: number
}

/** What an url of a line says. */
export interface LineSettings extends DialogueSettings {
  readonly stream: SerialSettings | TcpSettings
  /** `encap`: what travels is encapsulated, and many nodes are behind the line [5.5] */
  readonly node: 'none' | 'encap'
  /** milliseconds between attempts to open it, doubling from `min` to `max` */
  readonly reopen: { readonly min: number; readonly max: number }
  /** a line that cannot be opened at the start is an error */
  readonly strict: boolean
}

/** Rates that every `stty` knows. */
const BAUDS = [
  '50', '75', '110', '134', '150', '200', '300', '600', '1200', '1800', '2400', '4800', '9600', '19200', '38400', '57600',
  '115200', '230400', '460800', '500000', '576000', '921600', '1000000', '1152000', '1500000', '2000000', '2500000', '3000000',
  '3500000', '4000000',
] // biome-ignore format: a table

const TIME = /^(\d{1,6})(ms|s|m)\.\.(\d{1,6})(ms|s|m)$/
const UNIT: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000 }

/** The words that a parameter may have, in their order; undefined: see `reopen`. */
type Parameters = Readonly<Record<string, readonly string[] | undefined>>

const SERIAL: Parameters = {
  baud: BAUDS,
  bits: ['8', '7', '6', '5'],
  parity: ['none', 'even', 'odd'],
  stop: ['1', '2'],
  flow: ['none', 'rts'],
}
/** Those of a stream, by its scheme. */
const PARAMETERS: Readonly<Record<string, Parameters>> = {
  'serial:': SERIAL,
  'tcp:': {},
  'xbee:': SERIAL,
}
/** Those that belong to a framing; all others have these of plain ones. */
const PLAIN: Parameters = { crc: CRC_NAMES, node: ['none', 'encap'] }
const OF_FRAMING: Readonly<Record<string, Parameters>> = {
  xbee: { api: ['2', '1'] },
}
/** What some schemes say without a parameter. */
const SAID: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'xbee:': { framing: 'xbee', baud: '9600', flow: 'rts' },
}

/** The schemes of lines, without colon. */
export const LINE_SCHEMES: readonly string[] = Object.keys(PARAMETERS).map((scheme) => scheme.slice(0, -1))

/** What such urls look like, for messages to people. */
export const LINE_EXAMPLES =
  '"serial:///dev/serial/by-id/NAME?framing=slip", "xbee:///dev/serial/by-id/NAME" or "tcp://10.0.0.9:4001?framing=hdlc"'

/** Whether an url is that of a line, right or wrong. */
export const isLineUrl = (url: string): boolean => LINE_SCHEMES.includes(url.split(':', 1)[0] ?? '')

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
  const known: Parameters = {
    ...ofScheme,
    framing: LINE_FRAMINGS,
    ...(OF_FRAMING[framing] ?? PLAIN),
    reopen: undefined,
    strict: ['off', 'on'],
  }
  for (const [name, value] of given) {
    if (!Object.hasOwn(known, name)) {
      const names = Object.keys(known)
      return { expected: `no parameters but ${names.join(', ')}`, unknown: { name, known: names } }
    }
    const words = known[name]
    if (words !== undefined && !words.includes(value))
      return {
        expected: `${name}=${words === BAUDS ? '115200, or another rate that is usual' : listOf(words)}`,
      }
  }
  if (framing === '') return { expected: `framing=${listOf(LINE_FRAMINGS)} in the url` }
  const reopen = readPause(given.get('reopen') ?? '1s..30s')
  if (reopen === undefined) return { expected: 'reopen=1s..30s, the shortest and the longest pause' }
  const stream = parsed.protocol === 'tcp:' ? readTcp(parsed) : readSerial(parsed, given)
  if (stream === undefined) return { expected: LINE_EXAMPLES }
  return {
    stream,
    framing,
    crc: CRC_NAMES.find((name) => name === given.get('crc')),
    api: framing !== 'xbee' ? undefined : given.get('api') === '1' ? 1 : 2,
    node: given.get('node') === 'encap' ? 'encap' : 'none',
    reopen,
    strict: given.get('strict') === 'on',
  }
}

const listOf = (words: readonly string[]): string => words.join(' or ')

function readPause(text: string): LineSettings['reopen'] | undefined {
  const [, least = '', leastUnit = '', most = '', mostUnit = ''] = TIME.exec(text) ?? []
  const [min, max] = [Number(least) * (UNIT[leastUnit] ?? 0), Number(most) * (UNIT[mostUnit] ?? 0)]
  return min >= 10 && min <= max && max <= 3_600_000 ? { min, max } : undefined
}

function readSerial({ host, pathname }: URL, given: ReadonlyMap<string, string>): SerialSettings | undefined {
  const device = decoded(pathname)
  if (host !== '' || device === undefined || !/^\/[^\0]+[^/\0]$/.test(device)) return undefined
  const parity = given.get('parity')
  return {
    kind: 'serial',
    device,
    baud: Number(given.get('baud') ?? 115_200),
    bits: Number(given.get('bits') ?? 8),
    parity: parity === 'even' || parity === 'odd' ? parity : 'none',
    stop: Number(given.get('stop') ?? 1),
    flow: given.get('flow') === 'rts' ? 'rts' : 'none',
  }
}

function readTcp({ hostname, port, pathname, username, password }: URL): TcpSettings | undefined {
  const isPlain = (pathname === '' || pathname === '/') && username === '' && password === ''
  if (!isPlain || hostname === '' || !(Number(port) > 0)) return undefined
  return { kind: 'tcp', host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) }
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

/** Octets of the longest message of a listener with this url, of whatever kind, unless told otherwise. */
export const usualMessageSize = (url: string): number => usualLongest(lineIn(url)?.framing ?? '')

/** How fast a line is, unless told otherwise: octets per second, and milliseconds for a confirmation; undefined: no limit, none. */
export function usualSpeed(url: string): { rate: number | undefined; confirm: number | undefined } {
  const line = lineIn(url)
  return { rate: line && usualPace(line), confirm: line && usualConfirm(line.framing) }
}

/** The link address of what is at the other end, and what the line itself is told apart by: the device, or host and port. */
export const lineAddress = ({ stream }: Pick<LineSettings, 'stream'>): string =>
  stream.kind === 'serial' ? stream.device : `tcp/${stream.host}:${stream.port}`

/** Octets per second that a wire carries: with start and stop bits some ten bits each; undefined for TCP. */
export const lineRate = ({ stream }: Pick<LineSettings, 'stream'>): number | undefined =>
  stream.kind === 'serial' ? stream.baud / 10 : undefined

/** The part of its rate that a wire is given: the clocks of both sides differ, and some devices need a breath. */
const SHARE = 0.9

/** Octets per second that a line is given, unless told otherwise. */
export function usualPace(settings: Pick<LineSettings, 'stream'>): number | undefined {
  const rate = lineRate(settings)
  return rate && rate * SHARE
}
