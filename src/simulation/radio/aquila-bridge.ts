// A simulated Aquila bridge at the gateway, with nodes 1 to 65535 around. Pure; its SLIP and check sum are its own.

import { Air, type AirOptions } from './air.ts'
import { RadioNode } from './node.ts'
import { Uart } from './uart.ts'

const OCTETS_PER_SECOND = 11_520
const BUFFER = 512
const TYPE = { nack: 0, ack: 1, settings: 2, message: 0xfe } as const

export class AquilaBridge {
  readonly air: Air
  readonly uart: Uart
  readonly nodes = new Map<string, RadioNode>()
  /** what the gateway said of the network: its number, and the key in hex */
  settings: { readonly pan: number; readonly key: string } | undefined
  /** frames that came before the last one was acknowledged: there must be none */
  overlaps = 0
  #isBusy = false
  #octets: number[] = []
  #isEscaped = false

  constructor(options: AirOptions) {
    this.air = new Air(options)
    this.uart = new Uart(this.air, OCTETS_PER_SECOND, BUFFER)
  }

  /** The node of this number. */
  node(address: string): RadioNode {
    const known = this.nodes.get(address)
    if (known !== undefined) return known
    const node = new RadioNode(this, address, Number(address))
    this.nodes.set(address, node)
    return node
  }

  /** It starts, and wants to know its settings. */
  askForSettings(): void {
    this.#say(0, 0, [2, TYPE.settings])
  }

  /** Octets that the gateway writes. */
  write(octets: Uint8Array): void {
    this.uart.receive(octets, (taken) => {
      for (const octet of taken) this.#step(octet)
    })
  }

  /** See `RadioModem`. */
  fromNode({ short }: RadioNode, message: Uint8Array): void {
    this.air.transmit(message.length, (outcome) => {
      if (outcome !== 'lost') this.#say(200, 60, [5, TYPE.message, 1, short & 0xff, short >> 8, ...message])
    })
  }

  #step(octet: number): void {
    if (octet === 0xc0) {
      const frame = this.#octets
      this.#octets = []
      if (frame.length > 2 && crc(frame.slice(0, -2)) === (frame.at(-2) ?? 0) + 256 * (frame.at(-1) ?? 0))
        this.#handle(frame.slice(0, -2))
    } else if (octet === 0xdb) this.#isEscaped = true
    else {
      this.#octets.push(this.#isEscaped ? (octet === 0xdc ? 0xc0 : 0xdb) : octet)
      this.#isEscaped = false
    }
  }

  #handle([, type, ...rest]: readonly number[]): void {
    if (this.#isBusy) this.overlaps += 1
    if (type === TYPE.settings) {
      const [pan = 0, ...key] = rest
      this.settings = { pan, key: key.map((octet) => octet.toString(16).padStart(2, '0')).join('') }
      return this.#say(0, 0, [2, TYPE.ack])
    }
    if (type !== TYPE.message) return
    const [, low = 0, high = 0, ...message] = rest
    const bytes = Uint8Array.from(message)
    this.#isBusy = true
    this.air.transmit(bytes.length, (outcome) => {
      this.#isBusy = false
      const node = this.nodes.get(`${low + 256 * high}`)
      if (outcome !== 'lost') node?.hear(bytes)
      this.#say(0, 0, [2, outcome === 'arrived' && node?.isReachable ? TYPE.ack : TYPE.nack])
    })
  }

  #say(lqi: number, rssi: number, data: readonly number[]): void {
    const whole = [lqi, rssi, ...data]
    const sum = crc(whole)
    const stuffed = [...whole, sum & 0xff, sum >> 8].flatMap((octet) =>
      octet === 0xc0 ? [0xdb, 0xdc] : octet === 0xdb ? [0xdb, 0xdd] : [octet],
    )
    this.uart.send(Uint8Array.of(0xc0, ...stuffed, 0xc0))
  }
}

/** CRC-16/XMODEM, bit by bit. */
function crc(octets: readonly number[]): number {
  let sum = 0
  for (const octet of octets) {
    sum ^= octet << 8
    for (let bit = 0; bit < 8; bit++) sum = sum & 0x8000 ? ((sum << 1) ^ 0x1021) & 0xffff : sum << 1
  }
  return sum
}
