// The parameters in urls of lines: which there are on which line, and what they may be. Pure.

import { LINE_FRAMINGS } from '../dialogue/kinds.ts'
import { CRC_NAMES } from '../framing/crc.ts'

/**
 * Bits per second; which of them there are, the system or the device server knows. Other numbers are typing errors: all rates are
 * tens, but for a few old ones.
 */
const RATE = /^(?:75|134|[1-9]\d{0,6}0)$/
/** A pause, and the longest that it becomes. */
export const PAUSES = /^(\d{1,6})(ms|s|m)\.\.(\d{1,6})(ms|s|m)$/

/** The words that a parameter may have, the usual one first; or what a value must look like, and an example. */
type Values = readonly string[] | { readonly form: RegExp; readonly example: string }
export type Parameters = Readonly<Record<string, Values>>

/** How a serial port is set. */
const PORT: Parameters = {
  baud: { form: RATE, example: '115200, or another rate that is usual' },
  bits: ['8', '7', '6', '5'],
  parity: ['none', 'even', 'odd'],
  stop: ['1', '2'],
  flow: ['none', 'rts'],
  dtr: ['on', 'off'],
  rts: ['on', 'off'],
}
/** Those of a stream, by its scheme. */
export const PARAMETERS: Readonly<Record<string, Parameters>> = {
  'serial:': PORT,
  'tcp:': { telnet: ['raw', 'rfc2217'], ...PORT },
  'tcp-listen:': { telnet: ['raw'] },
  'xbee:': PORT,
  'loralink:': PORT,
}
/** What is opened from here goes and comes back. */
const COMING_AND_GOING: Parameters = {
  reopen: { form: PAUSES, example: '1s..30s, the shortest and the longest pause' },
  strict: ['off', 'on'],
}
/** Those that belong to a framing; all others have these of plain ones. */
const PLAIN: Parameters = { crc: CRC_NAMES, node: ['none', 'encap'] }
const OF_FRAMING: Readonly<Record<string, Parameters>> = {
  xbee: { api: ['2', '1'] },
  aquila: {
    pan: { form: /^(?:\d{1,2}|1\d\d|2[0-4]\d|25[0-5])$/, example: 'a number from 0 to 255' },
    key: { form: /^[0-9a-f]{32}$/i, example: '16 octets in hex' },
  },
  loralink: {},
}
/** The path of a device. */
export const DEVICE = /^\/[^\0]+[^/\0]$/
/** The same where the stream is a serial device. */
const OF_SERIAL_FRAMING: Readonly<Record<string, Parameters>> = {
  loralink: { tx: { form: DEVICE, example: 'the path of a device, such as /dev/ttyUSB1' } },
}
/** What some schemes say without a parameter. */
export const SAID: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'xbee:': { framing: 'xbee', baud: '9600', flow: 'rts' },
  'loralink:': { framing: 'loralink' },
}

export const listOf = (words: readonly string[]): string => words.join(' or ')

/** What a value should be instead; undefined for one that is right. */
export function expectedInstead(values: Values | undefined, value: string): string | undefined {
  if (values === undefined) return undefined
  if ('form' in values) return values.form.test(value) ? undefined : values.example
  return values.includes(value) ? undefined : listOf(values)
}

/** Those of one line besides what its scheme has: of its framing, and of what goes and comes back. */
export const parametersOf = (framing: string, protocol: string): Parameters => ({
  framing: LINE_FRAMINGS,
  ...(OF_FRAMING[framing] ?? PLAIN),
  ...(protocol.startsWith('tcp') ? {} : OF_SERIAL_FRAMING[framing]),
  ...(protocol === 'tcp-listen:' ? {} : COMING_AND_GOING),
})

/** The first parameter of a serial port among these. */
export const portParameterIn = (given: ReadonlyMap<string, string>): string | undefined =>
  Object.keys(PORT).find((name) => given.has(name))
