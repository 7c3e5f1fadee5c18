// What a simulated sensor is: a name, a sentence about it, and what it does until a signal. scripts/ runs them.

import type { Qos } from '../codec/v1/messages.ts'
import type { SensorState, Topic } from '../sensor/options.ts'
import { pause } from '../sensor/pause.ts'
import { Sensor, SensorError, type SensorFailure, type SensorOptions } from '../sensor/sensor.ts'

/** Something that a simulated sensor did; `sensor` is its ClientId. */
export type SimulationEvent = { sensor: string } & (
  | { type: 'state'; state: SensorState }
  | { type: 'published'; topic: string; payload: Uint8Array; qos: Qos }
  | { type: 'received'; topic: string; payload: Uint8Array; qos: Qos }
  /** `code`: of the SensorError that it is about */
  | { type: 'note'; text: string; code?: SensorFailure }
)

/** What a simulation is given. */
export interface SimulationContext {
  readonly sensorOptions: SensorOptions & { clientId: string }
  /** the key of one of many sensors, where each has its own */
  readonly pskOf: (clientId: string) => SensorOptions['psk']
  /** milliseconds between two readings */
  readonly interval: number
  /** values of the simulation's own `settings` */
  readonly settings: Readonly<Record<string, string>>
  /** ends the simulation, which then disconnects its sensors and returns */
  readonly signal: AbortSignal
  readonly say: (event: SimulationEvent) => void
  /** Waits so many milliseconds, or until the signal. */
  readonly pause: (milliseconds: number) => Promise<void>
}

/** A kind of simulated sensor. */
export interface Simulation {
  readonly name: string
  /** one sentence for a list */
  readonly about: string
  /** default milliseconds between two readings */
  readonly interval: number
  /** milliseconds after which it ends by itself, if not told otherwise */
  readonly duration?: number
  /** it stands for many sensors: each has a client id and a socket of its own, and may have a key of its own */
  readonly isMany?: true
  /** further options, by name */
  readonly settings?: Readonly<Record<string, { about: string; default: string }>>
  /** Resolves some time after the signal; rejects if it found out that something is wrong. */
  run(context: SimulationContext): Promise<void>
}

/** What to override when a simulation is started; the rest has defaults. */
export interface SimulationStart {
  sensorOptions?: SensorOptions
  pskOf?: (clientId: string) => SensorOptions['psk']
  interval?: number
  settings?: Readonly<Record<string, string>>
  signal: AbortSignal
  say?: (event: SimulationEvent) => void
}

/** Runs a simulation in this process until the signal. */
export async function simulate(simulation: Simulation, start: SimulationStart): Promise<void> {
  const { sensorOptions, interval = simulation.interval, signal, say = () => {} } = start
  const clientId =
    sensorOptions?.psk?.identity ?? `${simulation.name}-${Math.floor(Math.random() * 0x10000).toString(16)}`
  const defaults = Object.entries(simulation.settings ?? {}).map(([name, setting]) => [name, setting.default])
  await simulation.run({
    sensorOptions: { clientId, ...sensorOptions },
    pskOf: start.pskOf ?? (() => undefined),
    interval,
    settings: { ...Object.fromEntries(defaults), ...start.settings },
    signal,
    say,
    pause: (milliseconds) => pause(milliseconds, signal),
  })
}

/** Makes a Sensor that reports its events with `say`, and once that the network refuses its datagrams. The caller closes it. */
export function createSensor(context: SimulationContext, options: SensorOptions = {}): Sensor {
  const sensor = new Sensor({ ...context.sensorOptions, ...options })
  const name = sensor.clientId
  sensor.on('state', (state) => context.say({ sensor: name, type: 'state', state }))
  let refused = false
  sensor.on('error', ({ code, message }) => {
    if (code === 'transport' && !refused) context.say({ sensor: name, type: 'note', text: message, code })
    refused ||= code === 'transport'
  })
  sensor.on('message', ({ topic, payload, qos }) =>
    context.say({ sensor: name, type: 'received', topic, payload, qos }),
  )
  sensor.on('published', ({ topic, payload, qos }) =>
    context.say({ sensor: name, type: 'published', topic: nameOf(topic), payload, qos }),
  )
  return sensor
}

/**
 * Runs a connected sensor until the signal: connects, runs `begin`, then `step` again and again with the interval between;
 * connects anew whenever the connection was lost. Disconnects at the end.
 */
export async function runSensor(
  context: SimulationContext,
  sensor: Sensor,
  step: () => Promise<void>,
  begin: () => Promise<unknown> = async () => {},
): Promise<void> {
  const { signal, interval, say } = context
  // Ends calls that wait for an answer, too.
  const end = () => sensor.end()
  signal.addEventListener('abort', end, { once: true })
  let begun = false
  while (!signal.aborted) {
    try {
      if (sensor.state === 'disconnected') {
        begun = false
        await sensor.connect()
      }
      if (!begun) await begin()
      begun = true
      await step()
    } catch (error) {
      if (!(error instanceof SensorError)) throw error
      const { code, message: text } = error
      if (!signal.aborted) say({ sensor: sensor.clientId, type: 'note', text, code })
    }
    await context.pause(interval)
  }
  await sensor.end()
}

function nameOf(topic: Topic): string {
  if (typeof topic === 'string') return topic
  return 'short' in topic ? topic.short : `predefined:${topic.predefined}`
}
