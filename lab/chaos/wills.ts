// Wills in a chaos run: whose must arrive, whose must not. Every life of a sensor has a will of its own, known by number.

/** Milliseconds after a sensor's death in which its will has to arrive. */
const LATEST = 30_000
/** Milliseconds for which the owner of a sensor cannot hear it at most, and until all have found each other again. */
const LONGEST_SILENCE = 10_000

interface Life {
  state: 'alive' | 'left' | 'dead' | 'refused'
  endedAt: number
  arrivals: number
  /** its will came after its death */
  fulfilled: boolean
  /** arrivals that stops of the broker while it was connected account for */
  byBroker: number
  /** kills of the gateway since it died */
  kills: number
  overdue: boolean
  /** the gateway hears nothing of it within a keep-alive of this length: milliseconds */
  keepAlive: number
  /** its owner could not hear it for longer than that, perhaps: it may be taken for lost, and its will then comes early */
  mayBeLost: boolean
}

/** The wills of all sensors. */
export class Wills {
  readonly #lives = new Map<string, Life>()
  /** with MQTT 3.1.1 a gateway that crashes makes the broker publish every will: only what must arrive is checked then */
  readonly #strict: boolean
  /** by who they befall: times in which the owner of a sensor may be unable to hear it */
  readonly #silences = new Set<(sensor: string) => boolean>()
  /** wills of the dead that arrived */
  arrived = 0
  /** wills that Mosquitto published because it was itself stopped: it does that for everyone connected */
  byBroker = 0
  /** wills of the dead that came again, after a gateway was killed in the act */
  repeated = 0
  /** wills of the living with MQTT 3.1.1, and of those that were cut off for longer than their keep-alive */
  tolerated = 0

  constructor(strict: boolean) {
    this.#strict = strict
  }

  /** A sensor connects with the will of this life, and promises to be heard within so many milliseconds. */
  begin(sensor: string, life: number, keepAlive = Number.POSITIVE_INFINITY): void {
    this.#lives.set(`${sensor}/${life}`, {
      state: 'alive',
      endedAt: 0,
      arrivals: 0,
      fulfilled: false,
      byBroker: 0,
      kills: 0,
      overdue: false,
      keepAlive,
      mayBeLost: keepAlive < LONGEST_SILENCE && [...this.#silences].some((befalls) => befalls(sensor)),
    })
  }

  /**
   * Notes that the sensor fell silent, or got the answer to its DISCONNECT; or that its CONNECT was refused for now: a repetition of it
   * may have been accepted since, so that its will may come, or not.
   */
  end(sensor: string, life: number, state: 'left' | 'dead' | 'refused'): void {
    const ended = this.#lives.get(`${sensor}/${life}`)
    if (ended === undefined) return
    ended.state = state === 'dead' && ended.mayBeLost ? 'refused' : state
    ended.endedAt = performance.now()
  }

  /** Whether the story of this life is over. */
  isSettled(sensor: string, life: number): boolean {
    const found = this.#lives.get(`${sensor}/${life}`)
    if (found === undefined || found.state === 'left' || found.state === 'refused') return true
    return found.state === 'dead' && (found.fulfilled || found.overdue)
  }

  /** wills of the dead that are still on their way */
  get open(): number {
    return [...this.#lives.values()].filter(
      ({ state, fulfilled, overdue }) => state === 'dead' && !fulfilled && !overdue,
    ).length
  }

  /** It publishes every will as it stops, and again when it is back, if nobody had time to acknowledge that. */
  brokerStops(): void {
    for (const life of this.#lives.values()) if (!isOver(life)) life.byBroker += 2
  }

  /** A time begins in which the owner of these sensors may be unable to hear them, however well they speak. The result ends it. */
  beginSilence(befalls: (sensor: string) => boolean): () => void {
    this.#silences.add(befalls)
    for (const [key, life] of this.#lives)
      if (life.state === 'alive' && life.keepAlive < LONGEST_SILENCE && befalls(sensorOf(key)))
        life.mayBeLost = true
    return () => this.#silences.delete(befalls)
  }

  /** Whether the gateway may take it for lost, and tell it so, although it lives. */
  mayBeLost(sensor: string, life: number): boolean {
    return this.#lives.get(`${sensor}/${life}`)?.mayBeLost === true
  }

  gatewayKilled(): void {
    for (const life of this.#lives.values()) if (life.state === 'dead') life.kills += 1
  }

  /** Notes that a will arrived; returns what is wrong with that, if anything. */
  arrive(sensor: string, number: number): string | undefined {
    const life = this.#lives.get(`${sensor}/${number}`)
    if (life === undefined) return `a will of ${sensor} that it never gave: ${number}`
    life.arrivals += 1
    if (life.state === 'dead' && !life.fulfilled) {
      life.fulfilled = true
      this.arrived += 1
      return undefined
    }
    if (life.byBroker > 0) {
      life.byBroker -= 1
      this.byBroker += 1
      return undefined
    }
    if (life.state === 'dead' && life.kills > 0) {
      this.repeated += 1
      return undefined
    }
    if (!this.#strict || life.state === 'refused' || (life.state === 'alive' && life.mayBeLost)) {
      this.tolerated += 1
      return undefined
    }
    if (life.state === 'dead') return `the will of ${sensor}, life ${number}, came ${life.arrivals} times`
    return `the will of ${sensor}, life ${number}, came although the sensor ${life.state === 'left' ? 'had left properly' : 'lives'}`
  }

  /** Wills that should have come by now; each is told once. */
  overdue(): string[] {
    const faults: string[] = []
    for (const [key, life] of this.#lives) {
      if (life.state !== 'dead' || life.fulfilled || life.overdue) continue
      if (performance.now() - life.endedAt < LATEST) continue
      life.overdue = true
      faults.push(`the will of ${key} did not come within ${LATEST / 1000} s of its death`)
    }
    return faults
  }
}

const sensorOf = (key: string): string => key.slice(0, key.lastIndexOf('/'))

/** Its will came, or it left: a broker that stops has none to publish. */
const isOver = ({ state, fulfilled }: Life): boolean => state === 'left' || fulfilled
