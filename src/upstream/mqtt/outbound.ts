// What a sensor has under way to the broker on one network connection, by packet identifier.

import type { Publication } from './packets/octets.ts'

/** A QoS 1 or 2 publish. */
export interface Flight extends Publication {
  readonly token: number
  readonly qos: 1 | 2
  payload: Uint8Array
  /** the broker's session may know it already */
  dup: boolean
  /** `received`: the broker has it (PUBREC); `released`: PUBREL was sent */
  phase: 'sent' | 'received' | 'released'
  /** how often the broker called its packet identifier in use */
  collisions: number
}

/** A SUBSCRIBE or UNSUBSCRIBE. */
export interface Request {
  readonly token: number
  readonly filter: string
  /** undefined: UNSUBSCRIBE */
  readonly qos: 0 | 1 | 2 | undefined
  readonly replay: boolean
  /** told by the broker with each message that comes for it, in MQTT 5 */
  readonly identifier?: number | undefined
  collisions: number
}

/** QoS 1 and 2 publishes of one connection that may be unfinished at a time, waiting ones included, unless its window is larger. */
export const MAX_FLIGHTS = 64
/** SUBSCRIBE and UNSUBSCRIBE of one sensor that are sent before the first is answered; more wait. */
export const MAX_REQUESTS = 64
const IDS = 0xffff
const EMPTY = new Uint8Array(0)

export class Outbound {
  /** those that were sent */
  readonly flights = new Map<number, Flight>()
  /** those that wait until the broker takes more, in order [MQTT 4.6] */
  readonly waiting: Flight[] = []
  readonly requests = new Map<number, Request>()
  /** requests that wait until others are answered; as many as the session has subscriptions and may ask for */
  readonly later: Request[] = []
  readonly #window: number

  /** `window`: publishes that are sent at once. */
  constructor(window: number) {
    this.#window = window
  }

  get full(): boolean {
    return this.flights.size + this.waiting.length >= Math.max(MAX_FLIGHTS, this.#window)
  }

  /** The next flight that may be sent now. */
  due(): Flight | undefined {
    return this.flights.size < this.#window ? this.waiting.shift() : undefined
  }

  /**
   * The identifier for a token: the same after a crash, unless it is in use. After a collision with an identifier that the
   * broker knows, the next choice is far away, because the identifiers nearby belong to the tokens that come next.
   */
  newId(token: number, collisions = 0): number {
    let packetId = idOf(token + collisions * (IDS >> 1))
    while (this.flights.has(packetId) || this.requests.has(packetId)) packetId = idOf(packetId + 1)
    return packetId
  }

  /** The broker is to complete the publish of this token, also one that this connection does not know. */
  release(token: number): number {
    for (const [packetId, flight] of this.flights) {
      if (flight.token !== token) continue
      flight.phase = 'released'
      return packetId
    }
    const packetId = this.newId(token)
    const rest = { topic: '', payload: EMPTY, retain: false, dup: false, collisions: 0 }
    this.flights.set(packetId, { token, qos: 2, phase: 'released', ...rest })
    return packetId
  }
}

/** 1 to 65,535 and around again. */
function idOf(token: number): number {
  return 1 + ((token + IDS - 1) % IDS)
}
