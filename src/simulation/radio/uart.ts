// The serial side of a simulated modem: octets take their time both ways, and only so many wait. Pure.

import type { Air } from './air.ts'

export class Uart {
  readonly #air: Air
  readonly #octetsPerSecond: number
  readonly #buffer: number
  #inFreeAt = 0
  #outFreeAt = 0
  #waiting = 0
  /** octets that found no room */
  overrun = 0
  /** goes to the gateway */
  toGateway: (octets: Uint8Array) => void = () => {}

  /** `buffer`: octets from the gateway that may wait */
  constructor(air: Air, octetsPerSecond: number, buffer: number) {
    this.#air = air
    this.#octetsPerSecond = octetsPerSecond
    this.#buffer = buffer
  }

  /** Octets of the gateway; `take` comes when the modem has them. */
  receive(octets: Uint8Array, take: (octets: Uint8Array) => void): void {
    const room = Math.max(0, this.#buffer - this.#waiting)
    this.overrun += Math.max(0, octets.length - room)
    const kept = octets.slice(0, room)
    if (kept.length === 0) return
    this.#waiting += kept.length
    this.#inFreeAt = Math.max(this.#inFreeAt, this.#air.now) + (1000 * kept.length) / this.#octetsPerSecond
    this.#air.at(this.#inFreeAt, () => {
      this.#waiting -= kept.length
      take(kept)
    })
  }

  send(octets: Uint8Array): void {
    this.#outFreeAt =
      Math.max(this.#outFreeAt, this.#air.now) + (1000 * octets.length) / this.#octetsPerSecond
    this.#air.at(this.#outFreeAt, () => this.toGateway(octets))
  }
}
