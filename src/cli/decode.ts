// `mqttsn decode`: explains datagrams that are given as hex, or come from standard input as hex or raw
// octets.

import { Command, Option } from 'commander'
import { describeFrame, explainMalformed, hex } from '../codec/v1/describe.ts'
import { decodeFrame } from '../codec/v1/frame.ts'
import { LINE_FRAMINGS } from '../transport/dialogue/kinds.ts'
import { CRC_NAMES } from '../transport/framing/crc.ts'
import { type Found, type LineForm, readLine } from './decode/line-octets.ts'

/** More than this is not read from standard input. */
const MAX_INPUT = 16 * 1024 * 1024

const EXAMPLES = `
Hex may hold spaces, colons, commas, dashes and 0x. Each argument, or each line of standard input, is one datagram;
arguments of one octet each are joined to one datagram. Standard input that is no hex is one raw datagram.

With --framing the octets are those of a serial line, of a device server or of a radio module, all in one piece, however they are
cut: its messages are found and explained, and so is what is none.

Exit code: 0 if every datagram is a message, 1 if any is malformed, 2 if the input cannot be used.

Examples:
  $ mqttsn decode 0b0c200001000132312e35
  $ mqttsn decode 02 17
  $ mqttsn decode 0217 '02:16' --json
  $ mqttsn decode --framing slip c0 0a 04 04 01 00 3c 6d 31 33 35 c0
  $ mqttsn decode --framing hdlc --json 7e0a040401003c6d313335ed737e
  $ tshark -r capture.pcap -Y udp.port==1884 -T fields -e udp.payload | mqttsn decode
`

/**
 * The command `decode`, to be added to the program. Sets `process.exitCode` to 1 when a datagram is
 * malformed.
 */
export function decodeCommand(): Command {
  return new Command('decode')
    .description('explain MQTT-SN datagrams: every field with its octets and its meaning')
    .argument('[hex...]', 'datagrams as hex; without any, standard input is read')
    .option('--json', 'print one JSON object per datagram, on one line each')
    .addOption(
      new Option('--framing <name>', 'the octets are those of a line with this framing').choices(
        LINE_FRAMINGS,
      ),
    )
    .addOption(
      new Option('--crc <kind>', 'check sum on that line, if it is not the usual one').choices(CRC_NAMES),
    )
    .addOption(new Option('--api <mode>', 'API mode of a XBee module').choices(['1', '2']))
    .addHelpText('after', EXAMPLES)
    .action(async (args: string[], options: DecodeFlags, command: Command) => {
      let datagrams: Uint8Array[]
      try {
        datagrams = args.length > 0 ? fromArguments(args) : fromInput(await readInput())
      } catch (error) {
        command.error(`error: ${error instanceof Error ? error.message : error}`, { exitCode: 2 })
      }
      const found =
        options.framing === undefined ? datagrams.map(bare) : readLine(joined(datagrams), formOf(options))
      const print = options.json === true ? toJson : toText
      for (const one of found) {
        command.configureOutput().writeOut?.(`${print(one)}\n`)
        if (one.message === undefined || decodeFrame(one.message).packet.type === 'malformed')
          process.exitCode = 1
      }
      if (found.length === 0) command.error('error: there is no message in these octets', { exitCode: 1 })
    })
}

interface DecodeFlags {
  json?: true
  framing?: string
  crc?: LineForm['crc']
  api?: '1' | '2'
}

const bare = (message: Uint8Array): Found => ({ message })
const joined = (pieces: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(pieces))
const formOf = ({ framing = '', crc, api }: DecodeFlags): LineForm => ({
  framing,
  crc,
  api: api === '1' ? 1 : 2,
})

/** Datagrams from command line arguments. Throws Error for what is not hex. */
export function fromArguments(args: readonly string[]): Uint8Array[] {
  const datagrams = args.map((arg) => parseHex(arg) ?? refuse(arg))
  // No message has one octet, so these are the octets of one datagram, typed with spaces between.
  if (datagrams.every((datagram) => datagram.length === 1)) {
    return [Uint8Array.from(datagrams, (datagram) => datagram[0] ?? 0)]
  }
  return datagrams
}

/**
 * Datagrams from standard input: one raw datagram, or a line of hex for each. Throws Error for unusable text.
 */
export function fromInput(input: Uint8Array): Uint8Array[] {
  if (input.length === 0) throw new Error('standard input is empty: expected hex or one datagram')
  // Hex text is never a message by accident, for its second character would be a reserved MsgType.
  if (decodeFrame(input).packet.type !== 'malformed') return [input]
  const text = new TextDecoder().decode(input)
  if (/[^\P{C}\t\r\n]|\uFFFD/u.test(text)) return [input]
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  if (lines.length === 0)
    throw new Error('standard input holds only blank lines: expected hex or one datagram')
  return lines.map((line) => parseHex(line) ?? refuse(line.trim()))
}

function parseHex(text: string): Uint8Array | undefined {
  const digits = text.replace(/\b0x/gi, '').replace(/[\s:,-]/g, '')
  if (digits.length % 2 !== 0 || !/^[0-9a-f]*$/i.test(digits)) return undefined
  return Uint8Array.from({ length: digits.length / 2 }, (_, i) =>
    Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16),
  )
}

function refuse(text: string): never {
  const shown = JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}...` : text)
  throw new Error(`${shown} is not hex: expected two digits 0-9 a-f for each octet`)
}

async function readInput(): Promise<Uint8Array> {
  if (process.stdin.isTTY) process.stderr.write('Reading hex from the terminal; end with Ctrl-D.\n')
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of process.stdin as AsyncIterable<Uint8Array>) {
    chunks.push(chunk)
    size += chunk.length
    if (size > MAX_INPUT) throw new Error(`standard input is longer than ${MAX_INPUT} octets`)
  }
  // A plain Uint8Array, since JSON knows Buffers by a form of their own.
  return new Uint8Array(Buffer.concat(chunks))
}

/** Why octets of a line are no message. */
const LOST: Readonly<Record<string, string>> = {
  noise: 'no message: it breaks the rules of the framing, or is cut off',
  checksum: 'no message: its check sum does not fit',
  oversized: 'no message: it is longer than messages are',
}

function toText(found: Found): string {
  if (found.message === undefined)
    return `${LOST[found.lost] ?? `no message: ${found.lost}`}${found.octets.length > 0 ? `: ${hex(found.octets)}` : ''}`
  const lines = describeFrame(found.message)
  return (found.from === undefined ? lines : [`from ${found.from}`, ...lines]).join('\n')
}

function toJson(found: Found): string {
  if (found.message === undefined) return JSON.stringify({ lost: found.lost, hex: hex(found.octets) })
  const { message: datagram, from } = found
  const frame = decodeFrame(datagram)
  const explanation = explainMalformed(datagram, frame)
  const encapsulation = frame.nodeId && { nodeId: frame.nodeId, radius: frame.radius }
  const packet = explanation === undefined ? frame.packet : { ...frame.packet, explanation }
  return JSON.stringify({ hex: datagram, from, ...encapsulation, packet }, (_key, value: unknown) =>
    value instanceof Uint8Array ? hex(value) : value,
  )
}
