// COM-PORT-OPTION [RFC 2217]: what a device server is told to set at its serial port, and what it says that it has set. Pure.

/** How the port of a device server is to be set. */
export interface ComPortSettings {
  readonly baud: number
  readonly bits: number
  readonly parity: 'none' | 'even' | 'odd'
  readonly stop: number
  readonly flow: 'none' | 'rts'
  /** modem lines; undefined: as the server has them */
  readonly dtr?: boolean | undefined
  readonly rts?: boolean | undefined
}

/** The number of the option. */
export const COM_PORT = 0x2c

const SET_BAUD = 1
const SET_BITS = 2
const SET_PARITY = 3
const SET_STOP = 4
const SET_CONTROL = 5
/** What the server says is numbered from here. */
const FROM_SERVER = 100
const SUSPEND = 108
const RESUME = 109

const PARITY = { none: 1, odd: 2, even: 3 } as const
const FLOW = { none: 1, rts: 3 } as const
const DTR = { on: 8, off: 9 } as const
const RTS = { on: 11, off: 12 } as const

const NAMES: Readonly<Record<number, string>> = {
  [SET_BAUD]: 'baud',
  [SET_BITS]: 'bits',
  [SET_PARITY]: 'parity',
  [SET_STOP]: 'stop',
}

const lineOf = (line: typeof DTR | typeof RTS, isOn: boolean | undefined): number[][] =>
  isOn === undefined ? [] : [[SET_CONTROL, isOn ? line.on : line.off]]

/** The subnegotiations that set a port, each without what is around it: a command, and its value. */
export const settingsToSend = (port: ComPortSettings): readonly (readonly number[])[] => [
  [SET_BAUD, port.baud >>> 24, (port.baud >>> 16) & 0xff, (port.baud >>> 8) & 0xff, port.baud & 0xff],
  [SET_BITS, port.bits],
  [SET_PARITY, PARITY[port.parity]],
  [SET_STOP, port.stop],
  [SET_CONTROL, FLOW[port.flow]],
  ...lineOf(DTR, port.dtr),
  ...lineOf(RTS, port.rts),
]

/** What the server has said: that it holds on or goes on, or that it has set something else than it was told. */
export type ComPortNews =
  | { readonly type: 'suspend' | 'resume' }
  | { readonly type: 'differs'; readonly name: string; readonly wanted: number; readonly got: number }

/** Reads one subnegotiation of the server, without what is around it; undefined for what is as it should be, or not known. */
export function readComPort(port: ComPortSettings, said: Uint8Array): ComPortNews | undefined {
  const [command = 0, ...value] = said
  if (command === SUSPEND) return { type: 'suspend' }
  if (command === RESUME) return { type: 'resume' }
  const asked = command - FROM_SERVER
  const name = NAMES[asked]
  const sent = settingsToSend(port).find(([one]) => one === asked)
  if (name === undefined || sent === undefined || value.length !== sent.length - 1) return undefined
  const [wanted, got] = [numberOf(sent.slice(1)), numberOf(value)]
  return got === wanted ? undefined : { type: 'differs', name, wanted, got }
}

const numberOf = (octets: readonly number[]): number => octets.reduce((sum, octet) => sum * 256 + octet, 0)
