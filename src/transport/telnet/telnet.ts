// Telnet as device servers speak it [RFC 854, 856, 2217]: FF is doubled, commands are taken out of the stream, and with RFC 2217 the
// serial port of the server is set. Pure: octets go in, octets come out.

import { COM_PORT, type ComPortNews, type ComPortSettings, readComPort, settingsToSend } from './com-port.ts'

const IAC = 0xff
const DONT = 0xfe
const DO = 0xfd
const WONT = 0xfc
const WILL = 0xfb
const SB = 0xfa
const SE = 0xf0

const BINARY = 0
const SUPPRESS_GO_AHEAD = 3
/** What each side may do; everything else, such as ECHO, is refused. */
const ACCEPTED: ReadonlySet<number> = new Set([BINARY, SUPPRESS_GO_AHEAD, COM_PORT])
/** Octets of a subnegotiation; longer ones are passed over. */
const LONGEST_SUB = 64

/** What a piece of the stream held. */
export interface TelnetRead {
  readonly data: Uint8Array
  /** what is to be sent because of it */
  readonly reply: Uint8Array
  /** what the server says of its serial port; `refused`: it does not know RFC 2217 */
  readonly news: readonly (ComPortNews | { readonly type: 'refused' })[]
}

/** One connection. */
export interface Telnet {
  /** what is said first */
  readonly greeting: Uint8Array
  /** Data as it goes into the stream. */
  encode(data: Uint8Array): Uint8Array
  /** Takes what has come, in whatever pieces. */
  push(bytes: Uint8Array): TelnetRead
}

type State = 'data' | 'command' | 'option' | 'sub' | 'sub command'

/** Data with its FF doubled; the same object where there is none. */
export function doubleIac(data: Uint8Array): Uint8Array {
  let count = 0
  for (const octet of data) if (octet === IAC) count += 1
  if (count === 0) return data
  const doubled = new Uint8Array(data.length + count)
  let at = 0
  for (const octet of data) {
    doubled[at++] = octet
    if (octet === IAC) doubled[at++] = IAC
  }
  return doubled
}

/** A connection at its start. Without a port, `telnet=raw`, nothing is negotiated and nothing answered. */
export function createTelnet(port?: ComPortSettings): Telnet {
  let state: State = 'data'
  let verb = 0
  const sub = new Uint8Array(LONGEST_SUB)
  /** octets of the subnegotiation so far; may be more than are kept */
  let subLength = 0
  /** what this side does and what the other one does */
  const ours = new Set<number>()
  const theirs = new Set<number>()
  /** asked for by this side and not answered yet, in the same way */
  const offered = new Set<number>(port && [COM_PORT, BINARY])
  const wanted = new Set<number>(port && [BINARY])
  let isSet = false

  const subnegotiations = (settings: ComPortSettings): number[] =>
    settingsToSend(settings).flatMap((one) => [
      ...[IAC, SB, COM_PORT],
      ...doubleIac(Uint8Array.from(one)),
      ...[IAC, SE],
    ])

  /** The other side wants this one to do something, or not to. */
  function onDo(option: number, isWanted: boolean): number[] {
    const wasOffered = offered.delete(option)
    if (!isWanted) return ours.delete(option) ? [IAC, WONT, option] : []
    if (ours.has(option)) return []
    if (!ACCEPTED.has(option)) return [IAC, WONT, option]
    ours.add(option)
    const settings = option === COM_PORT && port && !isSet ? subnegotiations(port) : []
    if (option === COM_PORT) isSet = true
    return wasOffered ? settings : [IAC, WILL, option, ...settings]
  }

  /** The other side does something, or does not. */
  function onWill(option: number, isDone: boolean): number[] {
    const wasWanted = wanted.delete(option)
    if (!isDone) return theirs.delete(option) ? [IAC, DONT, option] : []
    if (theirs.has(option)) return []
    if (!ACCEPTED.has(option)) return [IAC, DONT, option]
    theirs.add(option)
    return wasWanted ? [] : [IAC, DO, option]
  }

  function onOption(option: number, reply: number[], news: TelnetRead['news'][number][]): void {
    if (port === undefined) return
    if (verb === DONT && option === COM_PORT && (offered.has(option) || ours.has(option)))
      news.push({ type: 'refused' })
    const isAsked = verb === DO || verb === DONT
    reply.push(...(isAsked ? onDo(option, verb === DO) : onWill(option, verb === WILL)))
  }

  function onSub(news: TelnetRead['news'][number][]): void {
    if (port === undefined || subLength > LONGEST_SUB || sub[0] !== COM_PORT) return
    const one = readComPort(port, sub.subarray(1, subLength))
    if (one !== undefined) news.push(one)
  }

  function keep(octet: number): void {
    if (subLength < LONGEST_SUB) sub[subLength] = octet
    subLength += 1
  }

  return {
    greeting: Uint8Array.from(
      port === undefined ? [] : [IAC, WILL, COM_PORT, IAC, WILL, BINARY, IAC, DO, BINARY],
    ),
    encode: doubleIac,
    push(bytes) {
      const data = new Uint8Array(bytes.length)
      let length = 0
      const reply: number[] = []
      const news: TelnetRead['news'][number][] = []

      function command(octet: number): void {
        state = 'data'
        if (octet === SB) {
          state = 'sub'
          subLength = 0
        } else if (octet >= WILL && octet <= DONT) {
          state = 'option'
          verb = octet
        }
      }

      for (const octet of bytes) {
        if (state === 'data') {
          if (octet === IAC) state = 'command'
          else data[length++] = octet
        } else if (state === 'command') {
          if (octet === IAC) {
            data[length++] = IAC
            state = 'data'
          } else command(octet)
        } else if (state === 'option') {
          onOption(octet, reply, news)
          state = 'data'
        } else if (state === 'sub') {
          if (octet === IAC) state = 'sub command'
          else keep(octet)
        } else if (octet === IAC) {
          keep(octet)
          state = 'sub'
        } else {
          if (octet === SE) onSub(news)
          command(octet) // another command than its end: it was given up
        }
      }
      return { data: data.subarray(0, length), reply: Uint8Array.from(reply), news }
    },
  }
}
