// The demo's cast: a real gateway with the embedded broker, simulated sensors on real UDP, and an office on plain MQTT.

import { setMaxListeners } from 'node:events'
import { connectAsync, type MqttClient } from 'mqtt'
import { loadConfig } from '../../config/load.ts'
import type { Config } from '../../config/schema.ts'
import type { Console } from '../../console/server.ts'
import { Gateway } from '../../gateway/gateway.ts'
import { createLog } from '../../log.ts'
import { openConsole } from '../../monitor/open-console.ts'
import { pause } from '../../sensor/pause.ts'
import { Sensor } from '../../sensor/sensor.ts'
import { button } from '../../simulation/button.ts'
import { door } from '../../simulation/door.ts'
import { forwarded } from '../../simulation/forwarded.ts'
import { meter } from '../../simulation/meter.ts'
import { type Simulation, type SimulationEvent, simulate } from '../../simulation/simulation.ts'
import { thermometer } from '../../simulation/thermometer.ts'
import { valve } from '../../simulation/valve.ts'
import { version } from '../../version.ts'
import { CONSOLE, GATEWAY, hostFlags } from '../terminal/addresses.ts'
import { invocation } from '../terminal/invocation.ts'
import type { Board } from './board.ts'
import { type DemoRadio, startRadio } from './radio.ts'

/** The running demo. */
export interface Scene {
  readonly gateway: Gateway
  readonly gatewayUrl: string
  /** what radio there is, in words */
  readonly radio: string | undefined
  /** where the sessions are kept, if they outlive the demo */
  readonly store: string | undefined
  readonly brokerUrl: string
  readonly consoleUrl: string
  /** commands to join in by, as they are to be typed */
  readonly joinIn: readonly string[]
  /** resolves when everything has been taken down after the signal */
  readonly ended: Promise<void>
  summary(): string
}

const cast: readonly [simulation: Simulation, clientId: string, interval: number][] = [
  [thermometer, 'thermometer-1', 2000],
  [thermometer, 'thermometer-2', 2500],
  [door, 'door-1', 3000],
  [meter, 'meter-1', 3500],
  [valve, 'valve-1', 3000],
  [button, 'button-1', 4000],
  [forwarded, 'forwarded-1', 3000],
]

/** Those on the radio, with `--radio`. */
const onRadio: readonly [simulation: Simulation, clientId: string, interval: number][] = [
  [thermometer, 'radio-1', 2500],
  [meter, 'radio-2', 3500],
]

/** Starts everything; rejects if the port is taken. It ends when `signal` is aborted. */
export async function playScene(options: {
  port: number
  /** where the console is to be, and only there */
  console: string | undefined
  /** sensors on a simulated radio network as well */
  radio: boolean
  /** url of a PostgreSQL database; undefined: sessions are kept in memory */
  store: string | undefined
  board: Board
  signal: AbortSignal
}): Promise<Scene> {
  const { port, console: wanted, store, board, signal } = options
  const radio = options.radio ? await startRadio() : undefined
  try {
    return await playWith(radio, { port, wanted, store, board, signal })
  } catch (error) {
    await radio?.close()
    throw error
  }
}

async function playWith(
  radio: DemoRadio | undefined,
  options: {
    port: number
    wanted: string | undefined
    store: string | undefined
    board: Board
    signal: AbortSignal
  },
): Promise<Scene> {
  const { port, wanted, store, board, signal } = options
  const { config } = loadConfig({
    env: {},
    overrides: {
      listeners: [
        { url: `udp://127.0.0.1:${port}`, forwarders: ['127.0.0.1'] },
        ...(radio === undefined ? [] : [{ url: radio.url, name: 'radio' }]),
      ],
      broker: 'embedded',
      predefined: { 1: 'home/button' },
      store: store === undefined ? { type: 'memory' } : { type: 'postgres', url: store },
      log: { level: 'silent' },
    },
  })
  const gateway = new Gateway(config)
  gateway.observe({
    effect(effect) {
      if (effect.type === 'changed') board.tell(effect.session.clientId, 'state', effect.to)
      // the observer is told before the effect is performed; while the broker is away the message is dropped
      if (effect.type === 'publishAnonymous' && gateway.isHealthy()) {
        board.tell('button-1', 'published', `${effect.topic} ${Buffer.from(effect.payload)} (QoS -1)`)
      }
    },
  })
  await gateway.start()
  const console = await openFirstFree(gateway, config, wanted).catch(async (error: unknown) => {
    await gateway.stop()
    throw error
  })
  const { broker, listeners } = gateway.status()
  const gatewayUrl = listeners[0]?.url ?? ''
  const say = (event: SimulationEvent) => tell(board, event)
  setMaxListeners(100, signal) // every sensor of the demo listens to this signal
  const client = await openOffice(broker.url, board) // connects before the sensors start, so that it sees every message
  const lives = cast.map(([simulation, clientId, interval]) =>
    simulate(simulation, { sensorOptions: { gateway: gatewayUrl, clientId }, interval, signal, say }),
  )
  if (radio !== undefined)
    onRadio.forEach(([simulation, clientId, interval], i) => {
      // what is lost is repeated while somebody looks on
      const sensorOptions = { clientId, transport: radio.node(i + 1), tRetry: 2000 }
      lives.push(simulate(simulation, { sensorOptions, interval, signal, say }))
    })
  lives.push(fragile(gatewayUrl, board, signal), office(client, board, signal))
  const ended = Promise.all(lives)
    .then(() => console.close())
    .then(() => gateway.stop())
    .then(() => radio?.close())
  const startedAt = Date.now()
  return {
    gateway,
    gatewayUrl,
    radio: radio?.about,
    store: store === undefined ? undefined : config.store.url,
    brokerUrl: broker.url,
    consoleUrl: console.url,
    joinIn: [
      `${invocation()} sub${hostFlags(gatewayUrl, GATEWAY)} -t '#'`,
      `${invocation()} pub${hostFlags(gatewayUrl, GATEWAY)} -t valve/valve-1/setpoint -m 80 -q 1`,
      `${invocation()} top${hostFlags(console.url, CONSOLE)}`,
    ],
    ended,
    summary() {
      const { received, published, delivered } = gateway.status().counters
      const messages = Object.values(received).reduce((sum, n) => sum + n, 0)
      const seconds = ((Date.now() - startedAt) / 1000).toFixed(0)
      return `${seconds} s: ${messages} MQTT-SN messages from ${board.rows.size - 1} sensors, ${published} published to the broker, ${delivered} delivered from it.`
    },
  }
}

/** The console where it is wanted; else at its usual address, or at any free one where that is taken. */
async function openFirstFree(gateway: Gateway, config: Config, wanted: string | undefined): Promise<Console> {
  const log = createLog(config.log)
  const at = async (url: string) => {
    const console = await openConsole(
      gateway,
      { ...config, console: { ...config.console, url } },
      log,
      version(),
    )
    if (console === undefined) throw new Error('the console is switched off')
    return console
  }
  if (wanted !== undefined) return at(wanted)
  return at(config.console.url).catch(() => at('http://127.0.0.1:0'))
}

/** Puts messages and notes of a sensor on the board; states are put there by the gateway's observer. */
function tell(board: Board, event: SimulationEvent): void {
  const who = event.sensor
  if (event.type === 'note') board.tell(who, 'note', event.text)
  else if (event.type !== 'state' && event.qos !== -1) {
    board.tell(who, event.type, `${event.topic} ${Buffer.from(event.payload)} (QoS ${event.qos})`)
  }
}

/** A sensor that loses its power now and then: its silence is noticed, and its will published [6.14]. */
async function fragile(gateway: string, board: Board, signal: AbortSignal): Promise<void> {
  const clientId = 'fragile-1'
  while (!signal.aborted) {
    const will = { topic: `fragile/${clientId}`, message: 'lost power', qos: 1 as const }
    const sensor = new Sensor({ gateway, clientId, keepAlive: 2, will })
    try {
      await sensor.connect()
      await pause(6000, signal)
      if (signal.aborted) await sensor.disconnect()
      else board.tell(clientId, 'note', 'pulls its own plug')
    } catch (error) {
      board.tell(clientId, 'note', error instanceof Error ? error.message : String(error))
    }
    sensor.close() // sends no DISCONNECT, as a sensor without power
    await pause(6000, signal)
  }
}

/** Connects the MQTT client that stands for all other users of the broker: it subscribes to everything. */
async function openOffice(url: string, board: Board): Promise<MqttClient> {
  const client = await connectAsync(url, { clientId: 'office' })
  client.on('message', (topic, payload) => board.tell('office', 'received', `${topic} ${payload}`))
  await client.subscribeAsync('#', { qos: 2 })
  return client
}

/** Publishes a set-point for the valve every 7 s until the signal. */
async function office(client: MqttClient, board: Board, signal: AbortSignal): Promise<void> {
  for (let step = 0; !signal.aborted; step++) {
    await pause(7000, signal)
    if (signal.aborted) break
    const setpoint = String((step * 30 + 20) % 100)
    await client.publishAsync('valve/valve-1/setpoint', setpoint, { qos: 1 })
    board.tell('office', 'published', `valve/valve-1/setpoint ${setpoint} (QoS 1)`)
  }
  await client.endAsync()
}
