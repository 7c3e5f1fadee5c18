// Which sensors of a chaos run are on serial lines of their own, and how these are unplugged and plugged in again; and which share a
// radio module, which is reset.

import { pause } from '../../src/sensor/pause.ts'
import type { RadioNode } from '../../src/simulation/radio/node.ts'
import { type RunningRadio, serveRadio } from '../../src/simulation/radio/run-radio.ts'
import { XbeeNetwork } from '../../src/simulation/radio/xbee-network.ts'
import { openLine } from '../../src/transport/line/line.ts'
import type { Transport } from '../../src/transport/transport.ts'
import { PtyPair } from '../ptys.ts'
import type { Link } from './link.ts'
import { between, type Random, seeded } from './random.ts'
import { roles } from './roles.ts'
import { isSecure } from './security.ts'

/** One after the other, in every way that a line may be framed and checked. */
const FRAMINGS = ['framing=slip', 'framing=hdlc', 'framing=cobs&crc=x25', 'framing=slip&crc=xmodem']
/** Of lines that are unplugged in a round, and for how long at most, milliseconds. */
const UNPLUGGED = 0.4
const AWAY = 700
/** One of so many sensors on lines is a node of the radio, in runs without poison: that is long, and the air of a radio is narrow. */
const RADIO_EVERY = 4
/** Octets of the longest message, as elsewhere; and a module as fast as it must be for all this. */
const LONGEST = 1472
const RADIO = { payload: LONGEST, baud: 2_000_000, moves: 0.05 }
const RESET = 0.3
const ANYWHERE = { address: 'the gateway', port: 0 }

/** The names of sensors that have a line, where a share of those have one that do not speak DTLS. */
export function namesOnLines(share: number, dtls: number): string[] {
  const others = roles.map(({ name }) => name).filter((name) => !isSecure(name, dtls))
  return others.filter((_, index) => Math.floor((index + 1) * share) > Math.floor(index * share))
}

interface WiredSensor {
  readonly ptys: PtyPair
  readonly parameters: string
}

/** All lines of a run. */
export class ChaosLines {
  readonly #lines = new Map<string, WiredSensor>()
  readonly #nodes = new Map<string, RadioNode>()
  readonly #network: XbeeNetwork
  readonly #radio: RunningRadio
  /** how often one was unplugged, or the radio module reset */
  unplugged = 0

  private constructor(network: XbeeNetwork, radio: RunningRadio) {
    this.#network = network
    this.#radio = radio
  }

  /** Lines for these sensors, plugged in. Rejects without socat. */
  static async open(names: readonly string[], seed: number, hasRadio: boolean): Promise<ChaosLines> {
    const random = seeded(seed, 0, 'radio')
    const network = new XbeeNetwork({ clock: () => performance.now(), random, loss: 0, ...RADIO })
    const lines = new ChaosLines(network, await serveRadio(network))
    for (const [index, name] of names.entries()) {
      if (hasRadio && index % RADIO_EVERY === RADIO_EVERY - 1) {
        lines.#nodes.set(name, network.node(`0013a200${index.toString(16).padStart(8, '0')}`))
        continue
      }
      const parameters = FRAMINGS[index % FRAMINGS.length] ?? ''
      lines.#lines.set(name, { ptys: await PtyPair.open(), parameters })
    }
    return lines
  }

  /** The gateway's side of them. */
  get listeners(): object[] {
    const wired = [...this.#lines].map(([name, { ptys, parameters }]) => ({
      name: `line ${name}`,
      url: `serial://${ptys.near}?${parameters}&reopen=20ms..200ms`,
    }))
    if (this.#nodes.size === 0) return wired
    const url = `tcp://${this.#radio.place}?framing=xbee&reopen=20ms..200ms`
    return [
      ...wired,
      { name: 'radio', url, maxMessageSize: LONGEST, pace: { inFlight: 4, confirm: '500ms' } },
    ]
  }

  /** The side of a sensor; undefined if it has no line. */
  linkOf(name: string): Link | undefined {
    const node = this.#nodes.get(name)
    if (node !== undefined) return new RadioLink(node)
    const line = this.#lines.get(name)
    return line && new LineLink(`serial://${line.ptys.far}?${line.parameters}&reopen=20ms..100ms`)
  }

  /** Pulls plugs as the seed says, each once in a round, and puts them in again. */
  async trouble(seed: number, round: number, traffic: number, signal: AbortSignal): Promise<void> {
    await Promise.all([
      this.#resetRadio(seeded(seed, round, 'radio'), traffic, signal),
      ...[...this.#lines].map(async ([name, { ptys }]) => {
        const random = seeded(seed, round, `plug of ${name}`)
        if (random() >= UNPLUGGED) return
        await pause(between(random, 0, traffic), signal)
        if (signal.aborted) return
        this.unplugged += 1
        await ptys.unplug()
        await pause(between(random, 0, AWAY), signal)
        await ptys.plug()
      }),
    ])
  }

  async #resetRadio(random: Random, traffic: number, signal: AbortSignal): Promise<void> {
    if (this.#nodes.size === 0 || random() >= RESET) return
    await pause(between(random, 0, traffic), signal)
    if (signal.aborted) return
    this.unplugged += 1
    this.#network.reset()
  }

  async close(): Promise<void> {
    for (const { ptys } of this.#lines.values()) await ptys.close()
    await this.#radio.close()
  }
}

/** A node of the radio. */
class RadioLink implements Link {
  onMessage: (bytes: Uint8Array) => void = () => {}
  onError: (error: Error) => void = () => {}
  readonly #node: RadioNode

  constructor(node: RadioNode) {
    this.#node = node
  }

  async open(): Promise<void> {
    this.#node.onReceive = (bytes) => this.onMessage(bytes)
  }

  send(bytes: Uint8Array): void {
    this.#node.send(bytes)
  }

  close(): void {
    this.#node.close()
  }
}

/** The sensor's end of a line, which comes and goes. */
class LineLink implements Link {
  onMessage: (bytes: Uint8Array) => void = () => {}
  onError: (error: Error) => void = () => {}
  readonly #url: string
  #line: Transport | undefined

  constructor(url: string) {
    this.#url = url
  }

  async open(): Promise<void> {
    this.#line = await openLine({ url: this.#url }, (bytes) => this.onMessage(bytes))
  }

  send(bytes: Uint8Array): void {
    this.#line?.send(bytes, ANYWHERE)
  }

  close(): void {
    void this.#line?.close()
  }
}
