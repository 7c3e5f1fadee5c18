// All connections to the broker: one for each sensor, and the gateway's own [4.1, 7.1].

import { writeToStream } from 'mqtt-packet'
import { Presence } from '../presence.ts'
import type {
  OnUpstreamEvent,
  Upstream,
  UpstreamConnection,
  UpstreamOptions,
  UpstreamStats,
} from '../upstream.ts'
import { SensorConnection, type Shared } from './connection.ts'
import { Endings } from './endings.ts'
import { KeepAlive } from './keepalive.ts'
import { OwnConnection } from './own-connection.ts'
import { Pacing } from './pacing.ts'
import { Decoder } from './packets/decoder.ts'
import { streams } from './streams.ts'

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
  readonly #ownShared: Shared
  readonly #own: OwnConnection

  constructor(options: UpstreamOptions) {
    const { version, connectsPerSecond, connecting } = options
    const pacing = new Pacing(connectsPerSecond, connecting)
    this.#shared = {
      options,
      open: streams(options.url, options.tls),
      decoders: { 4: new Decoder(4), 5: new Decoder(5) },
      endings: new Endings(),
      keepAlive: new KeepAlive(),
      pacing,
      presence: new Presence(),
      onReach: undefined,
      versions: {
        auto: version === 'auto',
        preferred: version === '3.1.1' ? 4 : 5,
        known: version !== 'auto',
      },
      counts: noCounts(),
      busy: new Set(),
      now: options.now ?? (() => performance.now()),
      closing: false,
    }
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
    this.#own = new OwnConnection(this.#ownShared)
  }

  connection(onEvent: OnUpstreamEvent): UpstreamConnection {
    return new SensorConnection(this.#shared, onEvent)
  }

  publishAnonymous(topic: string, payload: Uint8Array, retain: boolean): boolean {
    return this.#own.publish(topic, payload, retain)
  }

  get healthy(): boolean {
    return this.#own.healthy
  }

  stats(): UpstreamStats {
    const { counts, pacing, versions } = this.#shared
    const version = versions.preferred === 5 ? '5' : '3.1.1'
    return { ...counts, waiting: pacing.waiting, version: versions.known ? version : undefined }
  }

  renew(options: UpstreamOptions): void {
    const open = streams(options.url, options.tls)
    Object.assign(this.#shared, { options, open })
    Object.assign(this.#ownShared, { options: ownOptions(options), open })
    this.#shared.pacing.renew(options.connectsPerSecond, options.connecting)
  }

  async close(deadline: number): Promise<void> {
    this.#shared.closing = true
    this.#ownShared.closing = true
    this.#own.close()
    for (const connection of [...this.#shared.busy]) connection.close(false, false)
    this.#shared.pacing.close()
    await this.#shared.endings.close(deadline)
  }
}

/** The gateway's own will says that it is gone, which needs no delay. */
const ownOptions = (options: UpstreamOptions): UpstreamOptions => ({ ...options, absenceSeconds: 0 })

function noCounts(): Shared['counts'] {
  return { connected: 0, connecting: 0, refused: 0, lost: 0, faults: 0 }
}
