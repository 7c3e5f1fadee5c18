// Watches, at the sensor's end of the wire, that nothing is sent to a sensor that sleeps [6.14].

import type { Malformed, Packet } from '../../src/codec/v1/frame.ts'

/** Milliseconds in which an answer to something that the sensor sent is still an answer. */
const ANSWERS = 5000
/** Milliseconds after which a PINGREQ without PINGRESP went lost with a gateway that was killed. */
const FORGOTTEN = 2000
/**
 * Milliseconds after which none is answered any more: what comes while a gateway starts waits until it serves, and on a machine that is
 * busy that takes some seconds. Their PINGRESPs are not those of younger ones.
 */
const OVER = 8000

/** What one sensor and the gateway said so far, as far as sleep is concerned. */
export class SleepWatch {
  #asleep = false
  #sleepAsked = false
  /** when each PINGREQ left that may still wake the sensor */
  #waking: number[] = []
  #spokeAt = Number.NEGATIVE_INFINITY

  /** A datagram leaves for the gateway. Times are milliseconds. */
  toGateway(packet: Packet | Malformed, now: number): void {
    this.#spokeAt = now
    if (packet.type === 'connect') {
      this.#asleep = false
      this.#sleepAsked = false
    } else if (packet.type === 'disconnect') this.#sleepAsked = packet.duration !== null
    else if (packet.type === 'pingreq' && packet.clientId !== null) this.#waking.push(now)
  }

  /** A datagram came from the gateway: what is wrong with that, if anything. */
  fromGateway(packet: Packet | Malformed, now: number): string | undefined {
    this.#waking = this.#waking.filter((at) => now - at < OVER)
    const sleeps = this.#asleep && !this.#waking.some((at) => now - at < FORGOTTEN)
    if (packet.type === 'pingresp') this.#waking.shift()
    // what waits for the sensor may take longer than that, while the store cannot be reached
    else if (this.#asleep && !sleeps) this.#waking.splice(-1, 1, now)
    if (packet.type === 'disconnect' && this.#sleepAsked) this.#asleep = true
    if (!sleeps) return undefined
    const unasked = packet.type === 'publish' || packet.type === 'register' || packet.type === 'pingreq'
    if (!unasked && now - this.#spokeAt < ANSWERS) return undefined
    return `${packet.type.toUpperCase()} to a sleeping sensor`
  }
}
