// A simulated LoRaLink modem at the gateway, or two of them, with nodes 1 to 254 around. Pure.

import { Air, type AirOptions } from './air.ts'
import { FrameReader, writeFrame } from './modem-frames.ts'
import { RadioNode } from './node.ts'
import { Uart } from './uart.ts'

export interface LoralinkOptions extends AirOptions {
  /** part of the frames for which the channel is not free */
  readonly busy?: number
  /** there are two modems: this one receives, `sender` sends */
  readonly isPair?: boolean
}

const OCTETS_PER_SECOND = 11_520
const BUFFER = 1024
const TYPE = { message: 0x40, sent: 0x80, busy: 0x81 } as const
const EVERYBODY = 0xff

export class LoralinkModem {
  readonly air: Air
  readonly uart: Uart
  readonly nodes = new Map<string, RadioNode>()
  /** the modem that sends, where there are two */
  readonly sender: { readonly air: Air; readonly uart: Uart; write(octets: Uint8Array): void }
  readonly #busy: number
  readonly #reader = new FrameReader(2, 1)
  /** frames that came while one was being sent: there must be none */
  overlaps = 0
  #isSending = false

  constructor(options: LoralinkOptions) {
    const { busy = 0, isPair = false } = options
    this.#busy = busy
    this.air = new Air(options)
    this.uart = new Uart(this.air, OCTETS_PER_SECOND, BUFFER)
    const uart = isPair ? new Uart(this.air, OCTETS_PER_SECOND, BUFFER) : this.uart
    this.sender = { air: this.air, uart, write: (octets) => this.#receive(octets) }
  }

  /** The node of this number. */
  node(address: string): RadioNode {
    const known = this.nodes.get(address)
    if (known !== undefined) return known
    const node = new RadioNode(this, address, Number(address))
    this.nodes.set(address, node)
    return node
  }

  /** Octets that the gateway writes to the first device, which with two is nothing. */
  write(octets: Uint8Array): void {
    if (this.sender.uart === this.uart) this.#receive(octets)
  }

  /** See `RadioModem`. Whether it goes to all, LoRa does not say. */
  fromNode(node: RadioNode, message: Uint8Array): void {
    this.air.transmit(message.length, (outcome) => {
      if (outcome !== 'lost')
        this.uart.send(writeFrame([node.short, 0xff, 0xc4, 0, 9, TYPE.message, ...message], 2, 1))
    })
  }

  #receive(octets: Uint8Array): void {
    this.sender.uart.receive(octets, (taken) => {
      for (const data of this.#reader.push(taken)) this.#transmit(data)
    })
  }

  #transmit([destination = 0, type, ...message]: readonly number[]): void {
    if (type !== TYPE.message) return
    if (this.#isSending) this.overlaps += 1
    if (this.air.random() < this.#busy) return this.#confirm(TYPE.busy)
    this.#isSending = true
    const bytes = Uint8Array.from(message)
    this.air.transmit(bytes.length, (outcome) => {
      this.#isSending = false
      const hearers = destination === EVERYBODY ? this.nodes.values() : [this.nodes.get(`${destination}`)]
      if (outcome !== 'lost') for (const node of hearers) node?.hear(bytes)
      this.#confirm(TYPE.sent) // it was sent: more nobody knows
    })
  }

  #confirm(type: number): void {
    this.sender.uart.send(writeFrame([0, 0, 0, 0, 0, type], 2, 1))
  }
}
