// A whole gateway for tests, on ports of its own; its sensors on real UDP; and the office, an MQTT client beside it.

import { mkdtempSync, rmSync } from 'node:fs'
import { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connectAsync, type IClientOptions, type MqttClient } from 'mqtt'
import { expect } from 'vitest'
import { loadConfig } from '../../src/config/load.ts'
import type { Config } from '../../src/config/schema.ts'
import { Gateway } from '../../src/gateway/gateway.ts'
import type { GatewayParts } from '../../src/gateway/parts.ts'
import { type ReceivedMessage, Sensor, type SensorOptions } from '../../src/sensor/sensor.ts'
import type { Broker } from './broker.ts'
import { Inbox } from './inbox.ts'
import { UdpPeer } from './sensor.ts'

type BrokerAddress = Pick<Broker, 'url' | 'ca'>

/** A message as both sides see it, for comparing. */
export interface Seen {
  readonly topic: string
  readonly text: string
  readonly qos: number
  readonly retain: boolean
}

/** A Sensor that keeps what it receives. */
export class TestSensor extends Sensor {
  readonly inbox = new Inbox<Seen & { readonly payload: Uint8Array }>()

  constructor(options: SensorOptions) {
    super(options)
    this.on('message', ({ topic, payload, qos, retain }: ReceivedMessage) =>
      this.inbox.put({ topic, text: Buffer.from(payload).toString(), qos, retain, payload }),
    )
  }
}

let names = 0

/** A ClientId that no other test of this process uses. */
export const freshName = (): string => `s${process.pid}-${++names}`

/** Options of `TestGateway.start` beside the configuration. */
export interface TestParts extends GatewayParts {
  /** false: the broker needs not be there */
  readonly healthy?: boolean
  /** sessions are kept in a folder of its own, so that `restart` finds them */
  readonly durable?: boolean
}

/** A running gateway and all that was made for it. */
export class TestGateway {
  #gateway: Gateway
  readonly config: Config
  readonly #folder: string | undefined
  readonly #urls: readonly string[]
  readonly #sensors: Sensor[] = []
  readonly #peers: UdpPeer[] = []
  #running = true

  private constructor(gateway: Gateway, config: Config, folder: string | undefined) {
    this.#gateway = gateway
    this.config = config
    this.#folder = folder
    this.#urls = gateway.status().listeners.map(({ url }) => url)
  }

  /**
   * Starts it at this broker with one listener on 127.0.0.1, quick reconnections and a ClientId of its own, unless
   * `overrides` say otherwise; its sessions live in memory, unless it is `durable`. Resolves when its own connection
   * stands (`healthy: false`: at once).
   */
  static async start(
    broker: BrokerAddress | 'embedded',
    overrides: Record<string, unknown> & { broker?: object } = {},
    { healthy = true, durable = false, ...parts }: TestParts = {},
  ): Promise<TestGateway> {
    const folder = durable ? mkdtempSync(join(tmpdir(), 'mqttsn-state-')) : undefined
    const store = folder !== undefined && { store: { type: 'lmdb', path: folder } }
    const config = testConfig(broker, { ...store, ...overrides })
    const gateway = new Gateway(config, parts)
    await gateway.start()
    const test = new TestGateway(gateway, config, folder)
    if (healthy) await until(() => gateway.status().broker.healthy)
    return test
  }

  get gateway(): Gateway {
    return this.#gateway
  }

  /**
   * Stops the gateway, lets something happen `meanwhile`, and starts it again on the same ports and the same folder, as
   * if its process had been restarted; resolves when it serves.
   */
  async restart(meanwhile: () => Promise<void> = async () => {}, parts: GatewayParts = {}): Promise<void> {
    await this.stopGateway()
    await meanwhile()
    const listeners = this.config.listeners.map((listener, i) => ({ ...listener, url: this.url(i) }))
    this.#gateway = new Gateway({ ...this.config, listeners }, parts)
    await this.#gateway.start()
    this.#running = true
  }

  /** Where sensors connect: the first listener, or another one by its number. */
  url(listener = 0): string {
    return this.#urls[listener] ?? ''
  }

  /** A Sensor for the first listener, not yet connected; closed by `stop`. */
  sensor(options: SensorOptions = {}): TestSensor {
    const sensor = new TestSensor({ gateway: this.url(), clientId: freshName(), tRetry: 2000, ...options })
    this.#sensors.push(sensor)
    return sensor
  }

  /** The same, connected. */
  async connected(options: SensorOptions = {}): Promise<TestSensor> {
    const sensor = this.sensor(options)
    await sensor.connect()
    return sensor
  }

  /** A bare socket that writes to the first listener; closed by `stop`. */
  async peer(address = '127.0.0.1'): Promise<UdpPeer> {
    const peer = await UdpPeer.open(address)
    const { hostname, port } = new URL(this.url())
    peer.remote = { address: hostname.replace(/^\[|\]$/g, ''), port: Number(port) }
    this.#peers.push(peer)
    return peer
  }

  /** The gateway's view of a sensor. */
  stateOf({ clientId }: { clientId: string }): string | undefined {
    return this.gateway.sessions.byClientId.get(clientId)?.state
  }

  /** Stops the gateway alone, as at the end of its process, and makes sure that nothing went wrong inside; sensors stay. */
  async stopGateway(): Promise<void> {
    if (!this.#running) return
    this.#running = false
    const { broker } = this.gateway.status()
    await this.gateway.stop()
    const { counters } = this.gateway.status()
    expect({ faults: counters.faults, protocolErrors: broker.faults }).toEqual({
      faults: 0,
      protocolErrors: 0,
    })
  }

  /** Ends everything. */
  async stop(): Promise<void> {
    for (const sensor of this.#sensors) sensor.close()
    await Promise.all(this.#peers.map((peer) => peer.close()))
    await this.stopGateway()
    if (this.#folder !== undefined) rmSync(this.#folder, { recursive: true })
  }
}

/** So many connections that sensors share, in place of one for each: stories run in both ways, see vitest.config.ts. */
export const sharedConnections = process.env['MQTTSN_TEST_SHARED']

/** The configuration of a gateway for tests; but for that, the environment has no say in it. */
export function testConfig(
  broker: BrokerAddress | 'embedded',
  { broker: brokerOverrides, ...overrides }: Record<string, unknown> & { broker?: object },
) {
  const { url, ca } = broker === 'embedded' ? { url: broker, ca: undefined } : broker
  const defaults = {
    listeners: [{ url: 'udp://127.0.0.1:0' }],
    broker: {
      url,
      clientId: `gateway-${freshName()}`,
      reconnect: { min: '20ms', max: '200ms' },
      ...(sharedConnections !== undefined && { connections: { shared: Number(sharedConnections) } }),
      ...(ca !== undefined && { tls: { ca } }),
      ...brokerOverrides,
    },
    store: { type: 'memory' },
    log: { level: 'silent' },
  }
  return loadConfig({ env: {}, overrides: { ...defaults, ...overrides } }).config
}

/** Somebody else at the broker: sees what sensors publish, writes to them. */
export class Office {
  readonly inbox = new Inbox<Seen & { readonly payload: Uint8Array }>()
  readonly #client: MqttClient

  private constructor(client: MqttClient) {
    this.#client = client
    client.on('message', (topic, payload, { qos, retain }) =>
      this.inbox.put({ topic, text: payload.toString(), qos, retain, payload: new Uint8Array(payload) }),
    )
    // What happens to its connection is not what a test is about; without a listener it would end the process.
    client.on('error', () => {})
  }

  /** Connects and subscribes to these filters. */
  static async at({ url, ca }: BrokerAddress, ...filters: string[]): Promise<Office> {
    return Office.as({ url, ca }, {}, ...filters)
  }

  /** The same with options of MQTT.js, such as a user name. */
  static async as(
    { url, ca }: BrokerAddress,
    options: IClientOptions,
    ...filters: string[]
  ): Promise<Office> {
    const client = await connectAsync(url, {
      protocolVersion: 4,
      reconnectPeriod: 0,
      ...(ca !== undefined && { ca }),
      ...options,
    })
    // MQTT.js leaves Nagle's algorithm on, which costs 40 ms now and then.
    if (client.stream instanceof Socket) client.stream.setNoDelay(true)
    const office = new Office(client)
    for (const filter of filters) await client.subscribeAsync(filter, { qos: 2 })
    return office
  }

  /** Resolves when the broker has it (at QoS 0: when it is on its way). */
  async publish(
    topic: string,
    payload: string | Uint8Array,
    { qos = 1, retain = false }: { qos?: 0 | 1 | 2; retain?: boolean } = {},
  ): Promise<void> {
    const data = typeof payload === 'string' ? payload : Buffer.from(payload)
    await this.#client.publishAsync(topic, data, { qos, retain })
  }

  close(): Promise<void> {
    return this.#client.endAsync(true)
  }
}

/** Waits for something that no event tells. */
export async function until(condition: () => boolean, milliseconds = 8000): Promise<void> {
  const deadline = performance.now() + milliseconds
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`not within ${milliseconds} ms: ${condition}`)
    await aWhile(5)
  }
}

/** A while in which something must not happen: long for this machine, short for a person. */
export const aWhile = (milliseconds = 150): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds))

/** What a message is, without the octets. */
export const seen = ({ topic, text, qos, retain }: Seen): Seen => ({ topic, text, qos, retain })
