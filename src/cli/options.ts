// Options that several commands share: how to reach the gateway, as whom, and with which will.

import { type Command, InvalidArgumentError, Option } from 'commander'
import { summarize } from '../codec/v1/describe.ts'
import { formatDuration, parseDuration } from '../config/sections/units.ts'
import type { Sensor, SensorOptions, Topic } from '../sensor/sensor.ts'
import { addHostOptions, addressParser, LINK } from './terminal/addresses.ts'
import { addSecurityOptions, type SecurityFlags, securityOf } from './terminal/security.ts'
import { ExitCode, processTerminal, type Terminal } from './terminal/terminal.ts'

/** What `addSensorOptions` adds, as commander hands it over. */
export interface SensorFlags extends SecurityFlags {
  gateway: string
  clientId?: string
  keepAlive: number
  clean: boolean
  willTopic?: string
  willMessage?: string
  willQos?: 0 | 1 | 2
  willRetain?: true
  retry: number
  retries: number
  nodeId?: Uint8Array
  json?: true
  verbose?: true
}

/** Adds the options that describe the sensor and its gateway. */
export function addSensorOptions(command: Command): Command {
  return addGatewayOptions(command)
    .addOption(timeOption('-k, --keep-alive <time>', 'keep-alive time, 0 = none', 60_000))
    .option('--no-clean', 'keep subscriptions, will and waiting messages of earlier connections')
    .option('--will-topic <topic>', 'topic of the will')
    .option('--will-message <text>', 'message of the will')
    .addOption(new Option('--will-qos <qos>', 'QoS of the will').argParser(qos012))
    .option('--will-retain', 'the will is to be retained')
    .option('-v, --verbose', 'print every MQTT-SN message to standard error')
    .option('--json', 'print JSON, one object per line')
}

/** Adds the options that even a simulation takes. */
export function addGatewayOptions(command: Command): Command {
  const reaching = addHostOptions(command, 'gateway', LINK, 'the gateway')
    .option(
      '-g, --gateway <address>',
      'the same in one, or dtls://host:port',
      addressParser(LINK),
      'udp://127.0.0.1:1884',
    )
    .option('-i, --client-id <id>', 'client id, 1 to 23 characters (default: made up)')
    .option('--node-id <hex>', 'act as this wireless node behind a forwarder', hexOctets)
    .addOption(timeOption('--retry <time>', 'repeat a message that is not answered for so long', 5000))
    .option('--retries <count>', 'give up after so many repetitions', count, 3)
  return addSecurityOptions(reaching)
}

/** The SensorOptions that these flags ask for. */
export function toSensorOptions(flags: SensorFlags, command: Command): SensorOptions {
  const { willTopic: topic, willMessage: message = '', willQos: qos = 0, willRetain: retain = false } = flags
  if (topic === undefined && (flags.willMessage ?? flags.willQos ?? flags.willRetain) !== undefined) {
    command.error('error: a will needs --will-topic', { exitCode: ExitCode.usage })
  }
  const { keys: _, ...security } = securityOf(flags, flags.gateway, command)
  return {
    gateway: flags.gateway,
    ...security,
    keepAlive: Math.ceil(flags.keepAlive / 1000),
    cleanSession: flags.clean,
    tRetry: flags.retry,
    nRetry: flags.retries,
    ...(flags.clientId !== undefined && { clientId: flags.clientId }),
    ...(flags.nodeId !== undefined && { nodeId: flags.nodeId }),
    ...(topic !== undefined && { will: { topic, message, qos, retain } }),
  }
}

/** Prints what is on the wire with --verbose, and once that nobody listens at the gateway's address. */
export function watchSensor(sensor: Sensor, flags: SensorFlags, terminal: Terminal): void {
  if (flags.verbose) {
    sensor.on('packet', (direction, packet) =>
      terminal.err(`${direction === 'out' ? '->' : '<-'} ${summarize(packet)}`),
    )
  }
  if (flags.verbose)
    sensor.on('secured', ({ suite, kind, identity, resumed }) =>
      terminal.err(`DTLS${resumed ? ' resumed' : ''}: ${suite}, ${kind} ${identity ?? ''}`.trimEnd()),
    )
  let said = false
  sensor.on('error', ({ code, message }) => {
    if (code !== 'transport' || said) return
    said = true
    const why = message.includes('ECONNREFUSED') ? 'nobody listens there' : message
    terminal.err(`${flags.gateway}: ${why}; still trying`)
  })
}

/** Makes usage errors end the process with code 2, or throw in a test. */
export function withExitCodes(command: Command, terminal: Terminal): Command {
  return command.showHelpAfterError('(--help shows the options and examples)').exitOverride((error) => {
    if (terminal !== processTerminal) throw error
    process.exit(error.exitCode === 0 ? ExitCode.ok : ExitCode.usage)
  })
}

/** What `addTopicOptions` adds. */
export interface TopicFlags {
  topic?: string[]
  predefined?: number[]
  short?: string[]
}

/** Adds the three ways to name topics; `what` is the first one's value, `note` is said of each. */
export function addTopicOptions(command: Command, what: 'name' | 'filter', note = ''): Command {
  return command
    .option(`-t, --topic <${what}>`, `topic ${what}${note}`, several(text))
    .option('--predefined <id>', `predefined topic id${note}`, several(count))
    .option('--short <name>', `short topic name, two characters${note}`, several(text))
}

/** The topics named by --topic, --predefined and --short. */
export function topicsOf(flags: TopicFlags): Topic[] {
  return [
    ...(flags.topic ?? []),
    ...(flags.predefined ?? []).map((predefined) => ({ predefined })),
    ...(flags.short ?? []).map((short) => ({ short })),
  ]
}

/** An option that may be given several times. */
const several =
  <T>(parse: (text: string) => T) =>
  (text: string, earlier: T[] = []): T[] => [...earlier, parse(text)]

/** Text as it is. */
const text = (value: string): string => value

/** A duration such as 500ms, 20s, 5m; milliseconds. */
export function milliseconds(value: string): number {
  const duration = parseDuration(value)
  if (duration !== undefined) return duration
  throw new InvalidArgumentError('expected a time such as 500ms, 20s, 5m or 1h, or a number of seconds')
}

/** An option that takes a duration, and shows its default as one. */
export function timeOption(flags: string, about: string, fallback?: number): Option {
  const option = new Option(flags, about).argParser(milliseconds)
  return fallback === undefined ? option : option.default(fallback, formatDuration(fallback))
}

/** A whole number from 0 on. */
export function count(value: string): number {
  if (/^\d{1,9}$/.test(value)) return Number(value)
  throw new InvalidArgumentError('expected a whole number')
}

/** A whole number within bounds. */
export const between =
  (least: number, most: number) =>
  (value: string): number => {
    const number = /^\d{1,9}$/.test(value) ? Number(value) : Number.NaN
    if (number >= least && number <= most) return number
    throw new InvalidArgumentError(`expected a whole number from ${least} to ${most}`)
  }

/** A QoS that a subscription or will may have. */
export function qos012(value: string): 0 | 1 | 2 {
  const qos = Number(value)
  if (value.length === 1 && (qos === 0 || qos === 1 || qos === 2)) return qos
  throw new InvalidArgumentError('expected 0, 1 or 2')
}

/** Octets as hex, with or without separators. */
export function hexOctets(value: string): Uint8Array {
  const digits = value.replace(/^0x|[\s:-]/gi, '')
  if (/^([0-9a-f]{2})+$/i.test(digits)) return Uint8Array.from(Buffer.from(digits, 'hex'))
  throw new InvalidArgumentError('expected octets in hex, such as 1234')
}
