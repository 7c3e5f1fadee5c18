// `mqttsn sub`: prints messages as they arrive at an MQTT-SN sensor, which may sleep between looking [6.14].

import { once } from 'node:events'
import { Command } from 'commander'
import { hex } from '../codec/v1/describe.ts'
import { pause } from '../sensor/pause.ts'
import { type Granted, type ReceivedMessage, Sensor, SensorError, type Topic } from '../sensor/sensor.ts'
import {
  addSensorOptions,
  addTopicOptions,
  count,
  qos012,
  type SensorFlags,
  type TopicFlags,
  timeOption,
  topicsOf,
  toSensorOptions,
  watchSensor,
  withExitCodes,
} from './options.ts'
import { ExitCode, processTerminal, reportFailure, type Terminal } from './terminal/terminal.ts'

const EXAMPLES = `
Prints one line for each message: topic, blank, payload; a payload that is not text is printed as hex. Standard error says when it
is subscribed.
After the first connection it stays: whenever the gateway is lost, it connects again.

Exit code: 0 ended by Ctrl-C or --count, 1 refused by the gateway or broker, 2 usage, 3 no answer, or --timeout
passed before --count messages came.

Examples:
  $ mqttsn sub -t 'room/+/temp' -t door -q 1
  $ mqttsn sub --predefined 5 --short ab --json
  $ mqttsn sub -t 'valve/1/#' -q 2 --sleep 30s --client-id valve-1 --no-clean -v
`

interface SubFlags extends SensorFlags, TopicFlags {
  qos: 0 | 1 | 2
  count?: number
  sleep?: number
  timeout?: number
}

/** The command `sub`, to be added to the program. */
export function subCommand(terminal: Terminal = processTerminal): Command {
  const command = addTopicOptions(new Command('sub'), 'filter', ', may be given several times')
    .description('subscribe as an MQTT-SN sensor and print what arrives')
    .option('-q, --qos <qos>', 'QoS 0, 1 or 2', qos012, 0)
    .option('-n, --count <messages>', 'end after so many messages', count)
    .addOption(timeOption('--sleep <time>', 'sleep so long, wake, fetch, sleep again'))
    .addOption(timeOption('-W, --timeout <time>', 'end after this time'))
    .addHelpText('after', EXAMPLES)
  addSensorOptions(command)
  return withExitCodes(command, terminal).action(async (flags: SubFlags) => {
    const topics = topicsOf(flags)
    if (topics.length === 0) {
      command.error('error: give at least one of --topic, --predefined, --short', {
        exitCode: ExitCode.usage,
      })
    }
    const options = toSensorOptions(flags, command)
    try {
      terminal.exit(await listen(new Sensor(options), topics, flags, terminal))
    } catch (error) {
      reportFailure(terminal, error, flags.json === true)
    }
  })
}

async function listen(
  sensor: Sensor,
  topics: readonly Topic[],
  flags: SubFlags,
  terminal: Terminal,
): Promise<number> {
  const done = new AbortController()
  const { signal } = done
  const stop = () => done.abort()
  terminal.interruption().addEventListener('abort', stop, { once: true })
  const timeout = flags.timeout === undefined ? undefined : setTimeout(stop, flags.timeout)
  let left = flags.count ?? Number.POSITIVE_INFINITY
  watchSensor(sensor, flags, terminal)
  sensor.on('message', (message) => {
    if (left <= 0) return
    terminal.out(flags.json ? toJson(message) : toText(message))
    left -= 1
    if (left <= 0) stop()
  })
  // Ends calls that wait for an answer, too; their rejections are ignored then.
  let ending: Promise<void> | undefined
  signal.addEventListener('abort', () => {
    ending = sensor.end()
  })
  try {
    await stay(sensor, topics, flags, terminal, signal)
  } catch (error) {
    if (!signal.aborted) throw error
  } finally {
    clearTimeout(timeout)
    await (ending ?? sensor.end())
  }
  return flags.timeout !== undefined && left > 0 && left < Number.POSITIVE_INFINITY
    ? ExitCode.noAnswer
    : ExitCode.ok
}

/** Connects and subscribes, again and again until the signal; only the first attempt may fail. */
async function stay(
  sensor: Sensor,
  topics: readonly Topic[],
  flags: SubFlags,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<void> {
  let ready = false
  while (!signal.aborted) {
    try {
      await sensor.connect()
      for (const topic of topics) tell(topic, flags, await sensor.subscribe(topic, flags.qos), terminal)
      ready = true
      if (flags.sleep === undefined) await once(sensor, 'disconnected', { signal })
      else await sleepAndWake(sensor, flags.sleep, terminal, signal)
      if (!signal.aborted) terminal.err('connection lost, connecting again')
    } catch (error) {
      if (signal.aborted) return
      if (!ready || !(error instanceof SensorError)) throw error
      terminal.err(`${error.message}; still trying`)
    }
    await pause(flags.retry, signal)
  }
}

/** Says that messages can come from now on, where it does not mix with them. */
function tell(topic: Topic, { json, qos: asked }: SubFlags, { qos }: Granted, terminal: Terminal): void {
  const name =
    typeof topic === 'string' ? topic : 'short' in topic ? topic.short : `predefined:${topic.predefined}`
  const less = qos < asked ? `, not ${asked}` : ''
  terminal.err(
    json ? JSON.stringify({ subscribed: { topic, qos } }) : `subscribed to ${name}, QoS ${qos}${less}`,
  )
}

/** Until the connection is lost. Announces twice the time, so that one lost datagram does not end the session. */
async function sleepAndWake(
  sensor: Sensor,
  sleep: number,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<void> {
  const seconds = Math.min(65_535, Math.max(1, Math.ceil((2 * sleep) / 1000)))
  await sensor.sleep(seconds)
  while (!signal.aborted && sensor.state === 'asleep') {
    await pause(sleep, signal)
    try {
      if (!signal.aborted) await sensor.wake()
    } catch (error) {
      if (!(error instanceof SensorError) || error.code !== 'timeout') throw error
      terminal.err(`${error.message}; sleeping on`)
    }
  }
}

function toText({ topic, payload }: ReceivedMessage): string {
  return `${topic} ${readable(payload) ?? hex(payload)}`
}

function toJson({ topic, payload, qos, retain, dup }: ReceivedMessage): string {
  const content = readable(payload)
  return JSON.stringify({
    topic,
    ...(content === undefined ? { payloadHex: hex(payload) } : { payload: content }),
    qos,
    retain,
    dup,
  })
}

/** The payload as text, if it is valid UTF-8 without control characters that would act on a terminal. */
function readable(payload: Uint8Array): string | undefined {
  try {
    const content = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(payload)
    return /[^\P{C}\t\r\n]/u.test(content) ? undefined : content
  } catch {
    return undefined
  }
}
