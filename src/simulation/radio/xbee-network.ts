// A simulated XBee network: a coordinator at the gateway's line, and nodes whose 16-bit addresses may change. Pure.

import { Air, type AirOptions, type Outcome } from './air.ts'
import { type FrameMode, FrameReader, writeFrame } from './modem-frames.ts'
import { RadioNode } from './node.ts'
import { Uart } from './uart.ts'

export interface XbeeNetworkOptions extends AirOptions {
  /** AP of the module: 0 is transparent mode, in which it answers nothing */
  readonly mode?: FrameMode | 0
  /** AO of the module: 0 gives frames 90, 1 and 3 frames 91, 2 frames 80 of 802.15.4 */
  readonly output?: number
  /** NP: octets of the longest message */
  readonly payload?: number
  readonly baud?: number
  /** part of messages before which a node has found another short address */
  readonly moves?: number
}

/** Octets of the gateway that the module keeps until it can handle them. */
const BUFFER = 512
const UNKNOWN_SHORT = 0xfffe
const OWN = [0x00, 0x13, 0xa2, 0x00, 0x40, 0x00, 0x00, 0x01]
const STATUS = { fine: 0x00, unacknowledged: 0x21, notFound: 0x24, tooLong: 0x74 } as const

export class XbeeNetwork {
  readonly air: Air
  readonly uart: Uart
  readonly nodes = new Map<string, RadioNode>()
  readonly #options: Required<Pick<XbeeNetworkOptions, 'mode' | 'output' | 'payload' | 'moves'>>
  readonly #frameMode: FrameMode
  readonly #reader: FrameReader
  #epoch = 0

  constructor(options: XbeeNetworkOptions) {
    const { mode = 2, output = 0, payload = 84, baud = 9600, moves = 0 } = options
    this.#options = { mode, output, payload, moves }
    this.#frameMode = mode === 0 ? 2 : mode
    this.air = new Air(options)
    this.uart = new Uart(this.air, baud / 10, BUFFER)
    this.#reader = new FrameReader(this.#frameMode)
  }

  /** The node of this 64-bit address, in hex; it joins if it is new. */
  node(address: string): RadioNode {
    const known = this.nodes.get(address)
    if (known !== undefined) return known
    const node = new RadioNode(this, address, this.#freeShort())
    this.nodes.set(address, node)
    return node
  }

  /** Octets that the gateway writes. */
  write(octets: Uint8Array): void {
    const epoch = this.#epoch
    this.uart.receive(octets, (taken) => {
      if (epoch !== this.#epoch || this.#options.mode === 0) return
      for (const data of this.#reader.push(taken)) this.#handle(data)
    })
  }

  /** The module restarts: what it was given is forgotten. */
  reset(): void {
    this.#epoch += 1
    this.#tell([0x8a, 0x00])
  }

  /** The node finds another short address. */
  moveNode(node: RadioNode): void {
    node.short = this.#freeShort()
  }

  /** See `RadioModem`. */
  fromNode(node: RadioNode, message: Uint8Array, isBroadcast: boolean): void {
    if (this.air.random() < this.#options.moves) this.moveNode(node)
    this.air.transmit(message.length, (outcome) => {
      if (outcome === 'lost' || this.#options.mode === 0) return
      this.#tell(this.#received(node, message, isBroadcast))
    })
  }

  #received({ address, short }: RadioNode, message: Uint8Array, isBroadcast: boolean): number[] {
    const long = octetsOf(address)
    const head = [...long, short >> 8, short & 0xff]
    switch (this.#options.output) {
      case 0:
        return [0x90, ...head, isBroadcast ? 2 : 1, ...message]
      case 2:
        return [0x80, ...long, 40 + (short % 50), isBroadcast ? 4 : 0, ...message]
      default:
        return [0x91, ...head, 0xe8, 0xe8, 0, 0x11, 0xc1, 0x05, isBroadcast ? 2 : 1, ...message]
    }
  }

  #tell(data: readonly number[]): void {
    this.uart.send(writeFrame(data, this.#frameMode))
  }

  #handle(data: readonly number[]): void {
    const [type, id = 0] = data
    const long = hexOf(data.slice(2, 10))
    if (type === 0x08) this.#answer(id, data.slice(2, 4))
    else if (type === 0x10) this.#transmit(id, long, (data[10] ?? 0) * 256 + (data[11] ?? 0), data.slice(14))
    else if (type === 0x00) this.#transmit(id, long, undefined, data.slice(11))
  }

  #answer(id: number, command: readonly number[]): void {
    const { payload, output, mode } = this.#options
    const values: Readonly<Record<string, readonly number[]>> = {
      AP: [mode],
      NP: [payload >> 8, payload & 0xff],
      SH: OWN.slice(0, 4),
      SL: OWN.slice(4),
      AO: [output],
      VR: [0x23, 0xa7],
    }
    const value = values[String.fromCharCode(...command)]
    this.#tell([0x88, id, ...command, value === undefined ? 2 : 0, ...(value ?? [])])
  }

  /** `short`: undefined for frames of 802.15.4, which have another kind of status */
  #transmit(id: number, long: string, short: number | undefined, message: readonly number[]): void {
    const bytes = Uint8Array.from(message)
    const epoch = this.#epoch
    const tell = (delivery: number, found = UNKNOWN_SHORT): void => {
      if (id === 0 || epoch !== this.#epoch) return
      if (short === undefined) this.#tell([0x89, id, delivery === STATUS.fine ? 0 : 1])
      else this.#tell([0x8b, id, found >> 8, found & 0xff, 0, delivery, 0])
    }
    if (message.length > this.#options.payload) return tell(STATUS.tooLong)
    if (long === '000000000000ffff')
      return this.air.transmit(message.length, (outcome) => {
        if (outcome !== 'lost') for (const node of this.nodes.values()) node.hear(bytes)
        tell(STATUS.fine)
      })
    const node = this.nodes.get(long)
    const isStale = short !== undefined && short !== UNKNOWN_SHORT && short !== node?.short
    if (node === undefined || isStale) return this.air.transmit(0, () => tell(STATUS.notFound))
    this.air.transmit(message.length, (outcome: Outcome) => {
      if (epoch !== this.#epoch) return
      if (!node.isReachable || outcome === 'lost') return tell(STATUS.unacknowledged)
      node.hear(bytes)
      if (outcome === 'unheard') tell(STATUS.unacknowledged)
      else tell(STATUS.fine, node.short)
    })
  }

  #freeShort(): number {
    const taken = new Set(Array.from(this.nodes.values(), ({ short }) => short))
    let short = 1 + Math.floor(this.air.random() * 0xfff0)
    while (taken.has(short)) short = (short % 0xfff0) + 1
    return short
  }
}

const hexOf = (octets: readonly number[]): string =>
  octets.map((octet) => octet.toString(16).padStart(2, '0')).join('')
const octetsOf = (hex: string): number[] =>
  Array.from({ length: hex.length / 2 }, (_, i) => Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16))
