// Frames of the XBee API: what the data of each says, and the data of those that are sent. Pure.

/** How a module speaks to a peer: Zigbee and DigiMesh, 802.15.4 with long or with short addresses. */
export type Speech = 'network' | 'long' | 'short'

/** What a module says. */
export type ApiFrame =
  | {
      readonly type: 'received'
      readonly speech: Speech
      /** address of 64 bits in hex; undefined where the frame has none, or the module does not know it */
      readonly long: string | undefined
      /** address of 16 bits; undefined where it is not known */
      readonly short: number | undefined
      readonly isBroadcast: boolean
      readonly rssi?: number | undefined
      readonly payload: Uint8Array
    }
  | {
      readonly type: 'status'
      readonly id: number
      readonly delivery: number
      readonly short?: number | undefined
    }
  | {
      readonly type: 'answer'
      readonly id: number
      readonly command: string
      readonly isFine: boolean
      readonly value: Uint8Array
    }
  | { readonly type: 'modem'; readonly status: number }
  /** it is none of the gateway's concern, such as samples of inputs */
  | { readonly type: 'other' }

const UNKNOWN_LONG = 'ffffffffffffffff'
/** Stands for an address that is not known, and for all. */
const UNKNOWN_SHORT = 0xfffe
const BROADCAST = [0, 0, 0, 0, 0, 0, 0xff, 0xff] as const
const NETWORK_BROADCAST = 0x02
/** To all of the PAN, or of all PANs. */
const SHORT_BROADCAST = 0x06
/** Where serial data goes among the endpoints and clusters of Zigbee. */
const DATA_ENDPOINT = 0xe8
const DATA_CLUSTER = 0x0011

/** Reads the data of a frame; undefined if it is none that these modules send. */
export function readApiFrame(data: Uint8Array): ApiFrame | undefined {
  const view = new DataView(data.buffer, data.byteOffset, data.length)
  const read = READERS[data[0] ?? -1]
  return read === undefined || data.length < read.least ? undefined : read.frame(data, view)
}

interface Reader {
  readonly least: number
  frame(data: Uint8Array, view: DataView): ApiFrame
}

const OTHER: Reader = { least: 1, frame: () => ({ type: 'other' }) }

const READERS: Readonly<Record<number, Reader>> = {
  144: { least: 12, frame: (data, view) => networkFrame(data, view, 11) }, // 90 Receive Packet
  145: {
    least: 18, // 91 Explicit Rx
    frame: (data, view) =>
      data[11] === DATA_ENDPOINT && data[12] === DATA_ENDPOINT && view.getUint16(13) === DATA_CLUSTER
        ? networkFrame(data, view, 17)
        : { type: 'other' },
  },
  128: {
    least: 11, // 80 Rx, long address
    frame: (data) => ({
      ...{ type: 'received', speech: 'long', long: longOf(data), short: undefined },
      ...{ rssi: -(data[9] ?? 0), isBroadcast: isShortBroadcast(data[10]), payload: data.slice(11) },
    }),
  },
  129: {
    least: 5, // 81 Rx, short address
    frame: (data, view) => ({
      ...{ type: 'received', speech: 'short', long: undefined, short: view.getUint16(1) },
      ...{ rssi: -(data[3] ?? 0), isBroadcast: isShortBroadcast(data[4]), payload: data.slice(5) },
    }),
  },
  139: {
    least: 7, // 8B Transmit Status
    frame: (data, view) => ({
      ...{ type: 'status', id: data[1] ?? 0, delivery: data[5] ?? 0, short: knownShort(view.getUint16(2)) },
    }),
  },
  137: { least: 3, frame: (data) => ({ type: 'status', id: data[1] ?? 0, delivery: data[2] ?? 0 }) }, // 89 Tx Status
  136: {
    least: 5, // 88 AT Command Response
    frame: (data) => ({
      ...{ type: 'answer', id: data[1] ?? 0, command: String.fromCharCode(data[2] ?? 0, data[3] ?? 0) },
      ...{ isFine: data[4] === 0, value: data.slice(5) },
    }),
  },
  138: { least: 2, frame: (data) => ({ type: 'modem', status: data[1] ?? 0 }) }, // 8A Modem Status
  130: OTHER, // 82, 83, 92, 94: samples of inputs and sensors
  131: OTHER,
  146: OTHER,
  148: OTHER,
  149: OTHER, // 95 a node shows itself
  151: OTHER, // 97 answers of remote modules
  161: OTHER, // A1, A3, A4: routes and joining
  163: OTHER,
  164: OTHER,
}

function networkFrame(data: Uint8Array, view: DataView, options: number): ApiFrame {
  const long = longOf(data)
  return {
    type: 'received',
    speech: 'network',
    long: long === UNKNOWN_LONG ? undefined : long,
    short: knownShort(view.getUint16(9)),
    isBroadcast: ((data[options] ?? 0) & NETWORK_BROADCAST) !== 0,
    payload: data.slice(options + 1),
  }
}

const isShortBroadcast = (options = 0): boolean => (options & SHORT_BROADCAST) !== 0
const knownShort = (short: number): number | undefined => (short >= UNKNOWN_SHORT ? undefined : short)
const longOf = (data: Uint8Array): string => hexOf(data.subarray(1, 9))
const hexOf = (octets: Uint8Array): string =>
  Array.from(octets, (octet) => octet.toString(16).padStart(2, '0')).join('')

/** Where a message goes. */
export interface ApiReceiver {
  readonly speech: Speech
  /** undefined, and no short address: all */
  readonly long: string | undefined
  readonly short: number | undefined
  /** hops of a message to all, 0 = as far as it goes */
  readonly radius: number
}

/** The data of a frame that sends; `id` 0 asks for no status. */
export function transmitRequest(id: number, receiver: ApiReceiver, payload: Uint8Array): Uint8Array {
  const { speech, long, short = UNKNOWN_SHORT, radius } = receiver
  const isToAll = long === undefined && receiver.short === undefined
  const address = isToAll ? BROADCAST : octetsOf(long ?? UNKNOWN_LONG)
  if (speech === 'long') return Uint8Array.of(0x00, id, ...address, 0, ...payload)
  if (speech === 'short') {
    const octets = isToAll ? [0xff, 0xff] : [short >> 8, short & 0xff]
    return Uint8Array.of(0x01, id, ...octets, 0, ...payload)
  }
  const hops = isToAll ? radius : 0
  return Uint8Array.of(0x10, id, ...address, short >> 8, short & 0xff, hops, 0, ...payload)
}

const octetsOf = (hex: string): number[] =>
  Array.from({ length: 8 }, (_, i) => Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16))

/** The data of a frame that asks for a setting of the module. */
export const atCommand = (id: number, command: string): Uint8Array =>
  Uint8Array.of(0x08, id, command.charCodeAt(0), command.charCodeAt(1))
