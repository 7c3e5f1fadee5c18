// All connections to the broker: one for each sensor, and the gateway's own [4.1, 7.1].

import { writeToStream } from 'mqtt-packet'
import type { SharingSensor } from '../aggregating/contract.ts'
import { Pools } from '../aggregating/pools.ts'
import { Presence } from '../presence.ts'
import type { UpstreamStats } from '../stats.ts'
import type {
  OnUpstreamEvent,
  SharedMember,
  Upstream,
  UpstreamConnection,
  UpstreamOptions,
} from '../upstream.ts'
import { Endpoints } from './brokers/endpoints.ts'
import { ReturnProbe } from './brokers/return-probe.ts'
import { SensorConnection } from './connection.ts'
import type { Shared } from './connection-parts.ts'
import { Endings } from './endings.ts'
import { KeepAlive } from './keepalive.ts'
import { Abilities } from './limits/abilities.ts'
import { AnonymousPublisher } from './own/anonymous.ts'
import { OwnConnection } from './own/own-connection.ts'
import { Pacing } from './pacing.ts'
import { Decoder } from './packets/decoder.ts'

// A Buffer for each of 65,536 numbers would be 12 MB, to be walked by every garbage collection.
writeToStream.cacheNumbers = false

/**
 * Makes the upstream side of a gateway and starts to connect the gateway itself; sensors' connections are opened when
 * they are asked for. Throws an Error if the URL or the shared certificates cannot be used.
 */
export function createUpstream(options: UpstreamOptions): Upstream {
  return new MqttUpstream(options)
}

class MqttUpstream implements Upstream {
  readonly #shared: Shared & { readonly pacing: Pacing }
  readonly #ofMany: Shared
  readonly #pools: Pools
  readonly #ownShared: Shared
  readonly #own: OwnConnection
  readonly #anonymousShared: Shared
  readonly #anonymous: AnonymousPublisher
  readonly #probe: ReturnProbe

  constructor(options: UpstreamOptions) {
    this.#shared = createShared(options)
    const { pacing } = this.#shared
    // The gateway's own connection neither waits for those of sensors nor is counted with them. Its attempts show to all when
    // the broker is back.
    const onReach = (found: boolean): void => pacing.hold(!found)
    this.#ownShared = {
      ...this.#shared,
      options: ownOptions(options),
      pacing: undefined,
      onReach,
      counts: noCounts(),
      busy: new Set(),
    }
    this.#own = new OwnConnection(this.#ownShared, () => this.#moveOthers())
    this.#anonymousShared = { ...this.#ownShared, onReach: undefined, counts: noCounts(), busy: new Set() }
    this.#anonymous = new AnonymousPublisher(this.#anonymousShared, () => this.#own.healthy)
    this.#probe = new ReturnProbe(this.#ownShared, (index) => this.#returnTo(index))
    const { now } = this.#shared
    this.#ofMany = { ...this.#shared, options: optionsOfMany(options), carriesMany: true }
    this.#pools = new Pools({
      options: () => this.#ofMany.options,
      lower: (onEvent, onPong) => new SensorConnection(this.#ofMany, onEvent, onPong),
      single: (onEvent) => this.connection(onEvent),
      now,
    })
  }

  connection(onEvent: OnUpstreamEvent): UpstreamConnection {
    return new SensorConnection(this.#shared, onEvent)
  }

  member(sensor: SharingSensor, onEvent: OnUpstreamEvent): SharedMember {
    return this.#pools.member(sensor, onEvent)
  }

  publishAnonymous(topic: string, payload: Uint8Array, retain: boolean, source = ''): boolean {
    return this.#anonymous.publish(topic, payload, retain, source)
  }

  publishOwn(topic: string, payload: Uint8Array, retain: boolean): boolean {
    return this.#own.publish(topic, payload, retain)
  }

  hearOwn(topic: string, onMessage: (payload: Uint8Array) => void): void {
    this.#own.hear(topic, onMessage)
  }

  get ownOpenings(): number {
    return this.#own.openings
  }

  get url(): string {
    return this.#shared.endpoints.current.url
  }

  get healthy(): boolean {
    return this.#own?.healthy ?? false
  }

  stats(): UpstreamStats {
    const { counts, pacing, endpoints } = this.#shared
    const { versions } = endpoints.current
    const version = versions.preferred === 5 ? '5' : '3.1.1'
    const trouble = this.#own.trouble
    const known = versions.known ? version : undefined
    const { portless } = endpoints
    return {
      ...counts,
      waiting: pacing.waiting,
      portless,
      trouble,
      version: known,
      shared: this.#pools.stats(),
    }
  }

  renew(options: UpstreamOptions): void {
    this.#shared.endpoints.renew(options)
    Object.assign(this.#shared, { options })
    Object.assign(this.#ofMany, { options: optionsOfMany(options) })
    Object.assign(this.#ownShared, { options: ownOptions(options) })
    Object.assign(this.#anonymousShared, { options: ownOptions(options) })
    this.#probe.watch()
    this.#shared.abilities.renew(options)
    this.#shared.pacing.renew(options.connectsPerSecond, options.connecting)
  }

  /** Another broker is the current one: everything else follows the gateway's own connection there. */
  #moveOthers(): void {
    for (const connection of [...this.#shared.busy]) connection.move()
    this.#anonymous.move()
    this.#probe.watch()
  }

  #returnTo(index: number): void {
    this.#shared.endpoints.choose(index)
    this.#own.move()
    this.#moveOthers()
  }

  async close(deadline: number): Promise<void> {
    this.#shared.closing = true
    this.#ofMany.closing = true
    this.#ownShared.closing = true
    this.#anonymousShared.closing = true
    this.#probe.stop()
    this.#anonymous.close()
    this.#own.close()
    this.#pools.close()
    for (const connection of [...this.#shared.busy]) connection.close(false, false)
    this.#shared.pacing.close()
    await this.#shared.endings.close(deadline)
  }
}

/** The gateway's own will says that it is gone, which needs no delay. */
const ownOptions = (options: UpstreamOptions): UpstreamOptions => ({ ...options, absenceSeconds: 0 })

/** Messages that the broker may send at once to many sensors together, for each that it may send to one. */
const SHARE = 50

/** What waits for one sensor does not hold up what the broker has for others that share the connection. */
const optionsOfMany = (options: UpstreamOptions): UpstreamOptions => ({
  ...options,
  receiveMaximum: Math.min(0xffff, options.receiveMaximum * SHARE),
})

function noCounts(): Shared['counts'] {
  return { connected: 0, connecting: 0, refused: 0, lost: 0, faults: 0 }
}

/** What the connections of all sensors share. */
export function createShared(options: UpstreamOptions): Shared & { readonly pacing: Pacing } {
  const pacing = new Pacing(options.connectsPerSecond, options.connecting)
  return {
    options,
    endpoints: new Endpoints(options),
    decoders: { 4: new Decoder(4), 5: new Decoder(5) },
    abilities: new Abilities(options),
    endings: new Endings(),
    keepAlive: new KeepAlive(),
    pacing,
    presence: new Presence(),
    onReach: undefined,
    counts: noCounts(),
    busy: new Set(),
    now: options.now ?? (() => performance.now()),
    closing: false,
  }
}
