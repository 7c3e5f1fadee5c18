// Opens upstreams for tests and watches what their connections report.

import { connectAsync, type MqttClient } from 'mqtt'
import type { UpstreamEvent } from '../../src/session/events.ts'
import { createUpstream } from '../../src/upstream/mqtt/mqtt.ts'
import type {
  ConnectOptions,
  SharedMember,
  Upstream,
  UpstreamConnection,
  UpstreamOptions,
} from '../../src/upstream/upstream.ts'
import type { Broker } from '../support/broker.ts'

const quiet = { debug: ignore, info: ignore, warn: ignore, error: ignore }

function ignore(): void {
  // tests look at events, not at logs
}

/** Options with short times; what a test is about is given by it. */
export function upstreamOptions(
  broker: Pick<Broker, 'url' | 'ca'>,
  changes: Partial<UpstreamOptions> = {},
): UpstreamOptions {
  return {
    url: broker.url,
    version: 'auto',
    tls: { ca: broker.ca, verify: true },
    keepAlive: 60_000,
    connectTimeout: 4000,
    sessionExpirySeconds: 3600,
    absenceSeconds: 0,
    receiveMaximum: 10,
    writeBuffer: 1_048_576,
    connectsPerSecond: 1000,
    connecting: 100,
    own: { clientId: `gateway-${Math.random()}` },
    reconnect: { min: 20, max: 200 },
    log: quiet,
    ...changes,
  }
}

export type EventOf<T extends UpstreamEvent['type']> = Extract<UpstreamEvent, { type: T }>

/** Sensors have connections of their own, or share so many. */
export type Mode = 'perSensor' | { readonly shared: number; readonly publishesPerSecond?: number }

const POOL = 'all'

/** What a mode needs of the options. */
export const sharing = (mode: Mode): Partial<UpstreamOptions> =>
  mode === 'perSensor'
    ? {}
    : {
        pools: new Map([
          [
            POOL,
            {
              count: mode.shared,
              publishesPerSecond: mode.publishesPerSecond,
              identity: { clientId: `shared-${Math.random()}-` },
            },
          ],
        ]),
      }

/** A member of a pool, as soon as it is known which sensor it is. */
function memberOf(upstream: Upstream, onEvent: (event: UpstreamEvent) => void): UpstreamConnection {
  let member: SharedMember | undefined
  return {
    connect(options) {
      const { clientId } = options.identity
      member ??= upstream.member({ clientId, pool: POOL, received: () => [], needs: () => true }, onEvent)
      member.connect(options)
    },
    publish: (...publish) => member?.publish(...publish),
    release: (token) => member?.release(token),
    subscribe: (...subscribe) => member?.subscribe(...subscribe),
    unsubscribe: (...unsubscribe) => member?.unsubscribe(...unsubscribe),
    acknowledge: (ack) => member?.acknowledge(ack),
    close: (publishWill, final) => member?.close(publishWill, final),
    isFlushed: () => member?.isFlushed() === true,
    cut: () => member?.cut(),
  }
}

/** One sensor's connection and all that it reported. */
export class Observed {
  readonly events: UpstreamEvent[] = []
  readonly connection: UpstreamConnection
  readonly #unread: UpstreamEvent[] = []
  #changed: () => void = ignore

  constructor(upstream: Upstream, mode: Mode = 'perSensor') {
    const open = (onEvent: (event: UpstreamEvent) => void) =>
      mode === 'perSensor' ? upstream.connection(onEvent) : memberOf(upstream, onEvent)
    this.connection = open((event) => {
      this.events.push(event)
      this.#unread.push(event)
      this.react(event)
      this.#changed()
    })
  }

  /** For those who do more than look. */
  protected react(_event: UpstreamEvent): void {
    // nothing by default
  }

  /** Waits for the next event of this type that was not waited for before; others stay. */
  async next<T extends UpstreamEvent['type']>(type: T): Promise<EventOf<T>> {
    for (;;) {
      const index = this.#unread.findIndex((event) => event.type === type)
      const [event] = index < 0 ? [] : this.#unread.splice(index, 1)
      if (event !== undefined) return event as EventOf<T>
      await new Promise<void>((resolve) => {
        this.#changed = resolve
      })
    }
  }

  /** Connects, clean and without will unless told otherwise, and waits for `connected`. */
  async open(clientId: string, changes: Partial<ConnectOptions> = {}): Promise<EventOf<'connected'>> {
    this.connection.connect(connectOptions(clientId, changes))
    return this.next('connected')
  }

  count(type: UpstreamEvent['type']): number {
    return this.events.filter((event) => event.type === type).length
  }
}

interface Unfinished {
  readonly topic: string
  readonly payload: Uint8Array
  readonly qos: 1 | 2
  received: boolean
}

/** Does a session's part: goes on with what is unfinished, and takes every QoS 2 message once, whatever is repeated. */
export class Careful extends Observed {
  /** payloads, each one once at QoS 2 */
  readonly texts: string[] = []
  readonly #unfinished = new Map<number, Unfinished>()
  readonly #received = new Set<number>()

  publish(token: number, topic: string, payload: Uint8Array, qos: 1 | 2): void {
    this.#unfinished.set(token, { topic, payload, qos, received: false })
    this.connection.publish(token, topic, payload, qos, false, false)
  }

  protected override react(event: UpstreamEvent): void {
    const { connection } = this
    if (event.type === 'connected') {
      for (const [token, { topic, payload, qos, received }] of this.#unfinished) {
        if (received) connection.release(token)
        else connection.publish(token, topic, payload, qos, false, true)
      }
    } else if (event.type === 'received') {
      const unfinished = this.#unfinished.get(event.token)
      if (unfinished !== undefined) unfinished.received = true
      connection.release(event.token)
    } else if (event.type === 'published') {
      this.#unfinished.delete(event.token)
    } else if (event.type === 'message') {
      const { message, packetId, ack } = event
      if (!this.#received.has(packetId)) this.texts.push(text(message.payload))
      if (packetId !== 0) this.#received.add(packetId)
      if (ack !== undefined) connection.acknowledge(ack)
    } else if (event.type === 'releasing') {
      this.#received.delete(event.packetId)
      connection.acknowledge(event.ack)
    }
  }
}

export function connectOptions(clientId: string, changes: Partial<ConnectOptions> = {}): ConnectOptions {
  return { identity: { clientId }, clean: true, mend: false, will: undefined, ...changes }
}

/** An upstream for one test file or suite, with the connections that were opened on it. */
export class Rig {
  readonly upstream: Upstream
  readonly #mode: Mode

  constructor(
    broker: Pick<Broker, 'url' | 'ca'>,
    changes: Partial<UpstreamOptions> = {},
    mode: Mode = 'perSensor',
  ) {
    this.upstream = createUpstream(upstreamOptions(broker, { ...sharing(mode), ...changes }))
    this.#mode = mode
  }

  sensor(): Observed {
    return new Observed(this.upstream, this.#mode)
  }

  careful(): Careful {
    return new Careful(this.upstream, this.#mode)
  }

  async close(): Promise<void> {
    await this.upstream.close(1000)
  }
}

/** Somebody else at the broker, who sees what sensors publish. */
export class Witness {
  readonly client: MqttClient
  readonly messages: { topic: string; text: string; qos: number; retain: boolean }[] = []
  #changed: () => void = ignore

  private constructor(client: MqttClient) {
    this.client = client
    client.on('message', (topic, payload, { qos, retain }) => {
      this.messages.push({ topic, text: payload.toString(), qos, retain })
      this.#changed()
    })
  }

  static async at(broker: Pick<Broker, 'url' | 'ca'>, ...filters: string[]): Promise<Witness> {
    const ca = broker.ca === undefined ? {} : { ca: broker.ca }
    const witness = new Witness(await connectAsync(broker.url, { ...ca, protocolVersion: 4 }))
    for (const filter of filters) await witness.client.subscribeAsync(filter, { qos: 2 })
    return witness
  }

  /** Waits until `count` messages have come. */
  async saw(count: number): Promise<void> {
    while (this.messages.length < count) {
      await new Promise<void>((resolve) => {
        this.#changed = resolve
      })
    }
  }

  /**
   * Publishes one message of its own and waits until it came back: whatever was published before has come by then. At
   * the highest QoS that the broker has, because a message of lower QoS overtakes those whose PUBREL is still to come.
   */
  async settled(topic: string, qos: 0 | 1 | 2 = 2): Promise<void> {
    await this.client.publishAsync(topic, 'settled', { qos })
    while (!this.messages.some(({ text }) => text === 'settled')) await this.saw(this.messages.length + 1)
    this.messages.splice(
      this.messages.findIndex(({ text }) => text === 'settled'),
      1,
    )
  }

  async close(): Promise<void> {
    await this.client.endAsync(true)
  }
}

export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

export function text(payload: Uint8Array): string {
  return new TextDecoder().decode(payload)
}

/** Resolves after so many milliseconds; only for what must not happen in that time. */
export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}
