// Which sensors of a chaos run are on serial lines of their own, and how these are unplugged and plugged in again.

import { pause } from '../../src/sensor/pause.ts'
import { openLine } from '../../src/transport/line/line.ts'
import type { Transport } from '../../src/transport/transport.ts'
import { PtyPair } from '../ptys.ts'
import type { Link } from './link.ts'
import { between, seeded } from './random.ts'
import { roles } from './roles.ts'
import { isSecure } from './security.ts'

/** One after the other, in every way that a line may be framed and checked. */
const FRAMINGS = ['framing=slip', 'framing=hdlc', 'framing=cobs&crc=x25', 'framing=slip&crc=xmodem']
/** Of lines that are unplugged in a round, and for how long at most, milliseconds. */
const UNPLUGGED = 0.4
const AWAY = 700
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
  /** how often one was unplugged */
  unplugged = 0

  /** Lines for these sensors, plugged in. Rejects without socat. */
  static async open(names: readonly string[]): Promise<ChaosLines> {
    const lines = new ChaosLines()
    for (const [index, name] of names.entries()) {
      const parameters = FRAMINGS[index % FRAMINGS.length] ?? ''
      lines.#lines.set(name, { ptys: await PtyPair.open(), parameters })
    }
    return lines
  }

  /** The gateway's side of them. */
  get listeners(): object[] {
    return [...this.#lines].map(([name, { ptys, parameters }]) => ({
      name: `line ${name}`,
      url: `serial://${ptys.near}?${parameters}&reopen=20ms..200ms`,
    }))
  }

  /** The side of a sensor; undefined if it has no line. */
  linkOf(name: string): Link | undefined {
    const line = this.#lines.get(name)
    return line && new LineLink(`serial://${line.ptys.far}?${line.parameters}&reopen=20ms..100ms`)
  }

  /** Pulls plugs as the seed says, each once in a round, and puts them in again. */
  async trouble(seed: number, round: number, traffic: number, signal: AbortSignal): Promise<void> {
    await Promise.all(
      [...this.#lines].map(async ([name, { ptys }]) => {
        const random = seeded(seed, round, `plug of ${name}`)
        if (random() >= UNPLUGGED) return
        await pause(between(random, 0, traffic), signal)
        if (signal.aborted) return
        this.unplugged += 1
        await ptys.unplug()
        await pause(between(random, 0, AWAY), signal)
        await ptys.plug()
      }),
    )
  }

  async close(): Promise<void> {
    for (const { ptys } of this.#lines.values()) await ptys.close()
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
