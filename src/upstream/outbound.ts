// What a sensor has under way to the broker: QoS 1 and 2 publishes, which outlive a connection, and requests, which do not.

/** A QoS 1 or 2 publish. */
export interface Flight {
  readonly token: number
  readonly topic: string
  payload: Buffer
  readonly qos: 1 | 2
  readonly retain: boolean
  /** `waiting` for room in the broker's window; `sent`; `released`: PUBREL was sent, it must not be published again */
  phase: 'waiting' | 'sent' | 'released'
  /** the broker's session may know it already */
  dup: boolean
  /** the sensor was told that the broker has it */
  received: boolean
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
  collisions: number
}

/** QoS 1 and 2 publishes of one sensor that may be unfinished at a time, waiting ones included. */
export const MAX_FLIGHTS = 64
/** SUBSCRIBE and UNSUBSCRIBE of one sensor that are sent before the first is answered; more wait. */
export const MAX_REQUESTS = 64
/** Publishes sent at once, even if the broker allows more; the default of Mosquitto, which tells its own only in MQTT 5. */
export const WINDOW = 20

const EMPTY = Buffer.alloc(0)
const LAST_ID = 0xffff

/** Keeps both by packet identifier. */
export class Outbound {
  /** in order of publishing, which is the order of sending again [MQTT 4.6] */
  readonly flights = new Map<number, Flight>()
  readonly requests = new Map<number, Request>()
  /** requests that wait until others are answered; as many as the session has subscriptions and may ask for */
  readonly later: Request[] = []
  #lastId: number

  /** Starts at a random identifier: the broker's session may still know those of an earlier life of the gateway. */
  constructor(random: () => number) {
    this.#lastId = Math.floor(random() * LAST_ID)
  }

  /** An identifier that is not in use. */
  newId(): number {
    do this.#lastId = this.#lastId >= LAST_ID ? 1 : this.#lastId + 1
    while (this.flights.has(this.#lastId) || this.requests.has(this.#lastId))
    return this.#lastId
  }

  /** The flights that may be sent now, given the broker's window; they are `sent` after this. */
  due(window: number): [number, Flight][] {
    const flights = [...this.flights]
    let room = Math.min(window, WINDOW)
    for (const [, flight] of flights) if (flight.phase !== 'waiting') room -= 1
    const due = flights.filter(([, flight]) => flight.phase === 'waiting').slice(0, Math.max(0, room))
    for (const [, flight] of due) flight.phase = 'sent'
    return due
  }

  /** PUBREC came: the broker has it. Tells whether the sensor is to hear of it. */
  release(flight: Flight): boolean {
    const first = !flight.received
    flight.phase = 'released'
    flight.received = true
    flight.payload = EMPTY
    return first
  }

  /**
   * A new connection was accepted. Makes everything unfinished ready to be sent again and returns what is done instead:
   * flights past PUBREC whose session the broker has lost. It had them, and they must not be published again [MQTT 4.3.3].
   */
  resume(sessionPresent: boolean): Flight[] {
    const done: Flight[] = []
    for (const [packetId, flight] of this.flights) {
      if (flight.phase !== 'released') {
        flight.dup = sessionPresent && (flight.dup || flight.phase === 'sent')
        flight.phase = 'waiting'
      } else if (!sessionPresent) {
        this.flights.delete(packetId)
        done.push(flight)
      }
    }
    return done
  }

  /** Empties both kinds of requests and returns what was in them. */
  takeRequests(): Request[] {
    const taken = [...this.requests.values(), ...this.later.splice(0)]
    this.requests.clear()
    return taken
  }

  clear(): void {
    this.flights.clear()
    this.takeRequests()
  }
}
