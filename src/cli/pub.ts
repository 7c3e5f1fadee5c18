// `mqttsn pub`: publishes messages as an MQTT-SN sensor does, at QoS 0, 1, 2 or, without a connection, -1.

import { readFile } from 'node:fs/promises'
import { Command, InvalidArgumentError } from 'commander'
import type { Qos } from '../codec/v1/messages.ts'
import { pause } from '../sensor/pause.ts'
import { Sensor, type SensorError, type Topic } from '../sensor/sensor.ts'
import {
  addSensorOptions,
  addTopicOptions,
  between,
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
Exit code: 0 published (at QoS 1 and 2: acknowledged), 1 refused by the gateway or broker, 2 usage, also where there was nothing
to publish, 3 no answer, 130 Ctrl-C.

Examples:
  $ mqttsn pub -t room/1/temp -m 21.5
  $ mqttsn pub -h 192.168.1.10 -p 1884 -t room/1/temp -m 21.5
  $ mqttsn pub -t door -m open -q 1 -r --will-topic door --will-message lost
  $ mqttsn pub --predefined 5 -m on -q -1          (no connection at all)
  $ mqttsn pub --short ab -m ping -q 2 --repeat 10 --interval 500ms
  $ mqttsn pub -h dtls://192.168.1.10:8883 --psk-file psk.txt -t room/1/temp -m 21.5
  $ tail -f values.txt | mqttsn pub -t log -l -v
`

/** More than this fits into no datagram. */
const MAX_PAYLOAD = 65_535
/** The system tells within this time that nobody listens at an address nearby, milliseconds. */
const REFUSAL = 50

interface PubFlags extends SensorFlags, TopicFlags {
  message?: string
  file?: string
  stdin?: true
  lines?: true
  qos: Qos
  retain?: true
  repeat: number
  interval: number
}

/** The command `pub`, to be added to the program. */
export function pubCommand(terminal: Terminal = processTerminal): Command {
  const command = addTopicOptions(new Command('pub'), 'name')
    .description('publish messages as an MQTT-SN sensor')
    .option('-m, --message <text>', 'the message')
    .option('-f, --file <path>', 'the message is the content of a file')
    .option('-s, --stdin', 'the message is all of standard input')
    .option('-l, --lines', 'each line of standard input is a message')
    .option('-q, --qos <qos>', 'QoS -1, 0, 1 or 2', anyQos, 0)
    .option('-r, --retain', 'ask the broker to retain the message')
    .option('--repeat <times>', 'publish so many times', between(1, 999_999_999), 1)
    .addOption(timeOption('--interval <time>', 'wait between repetitions', 1000))
    .addHelpText('after', EXAMPLES)
  addSensorOptions(command)
  return withExitCodes(command, terminal).action(async (flags: PubFlags) => {
    const topics = topicsOf(flags)
    const [topic] = topics
    const sources = [flags.message, flags.file, flags.stdin, flags.lines].filter((one) => one !== undefined)
    const refuse = (message: string) => command.error(`error: ${message}`, { exitCode: ExitCode.usage })
    if (topic === undefined || topics.length > 1) return refuse('give one of --topic, --predefined, --short')
    if (sources.length !== 1) return refuse('give one of --message, --file, --stdin, --lines')
    if (flags.qos === -1 && typeof topic === 'string') return refuse('QoS -1 needs --predefined or --short')
    const options = toSensorOptions(flags, command)
    try {
      const code = await publishAll(new Sensor(options), topic, flags, terminal)
      terminal.exit(code)
    } catch (error) {
      reportFailure(terminal, error, flags.json === true)
    }
  })
}

async function publishAll(
  sensor: Sensor,
  topic: Topic,
  flags: PubFlags,
  terminal: Terminal,
): Promise<number> {
  const interrupted = terminal.interruption()
  let ending: Promise<void> | undefined
  const stop = () => {
    ending = sensor.end()
  }
  interrupted.addEventListener('abort', stop)
  watchSensor(sensor, flags, terminal)
  let refused: SensorError | undefined
  sensor.on('error', (error) => {
    // nothing but the system can say that a message without connection has reached nobody
    if (error.code === 'rejected' || (error.code === 'transport' && flags.qos === -1)) refused = error
  })
  let published = 0
  if (flags.json)
    sensor.on('published', ({ payload, qos, retain }) =>
      terminal.out(JSON.stringify({ published: { topic, qos, retain, octets: payload.length } })),
    )
  try {
    if (flags.qos !== -1) await sensor.connect()
    for await (const payload of payloads(flags, terminal)) {
      for (let time = 1; time <= flags.repeat && !interrupted.aborted; time += 1) {
        await sensor.publish(topic, payload, { qos: flags.qos, retain: flags.retain === true })
        published += 1
        if (time < flags.repeat) await pause(flags.interval, interrupted)
      }
      if (interrupted.aborted) break
    }
    // At QoS 0 the answer to DISCONNECT is the only sign that somebody is there, and comes after any refusal.
    await sensor.disconnect()
    if (flags.qos === -1) await pause(REFUSAL, interrupted)
    if (refused !== undefined) throw refused
  } catch (error) {
    if (!interrupted.aborted) throw error
  } finally {
    interrupted.removeEventListener('abort', stop)
    if (ending === undefined) sensor.close()
    else await ending
  }
  if (interrupted.aborted) return ExitCode.interrupted
  if (published > 0) return ExitCode.ok
  terminal.err('error: nothing was published: standard input has no line')
  return ExitCode.usage
}

async function* payloads(flags: PubFlags, { stdin }: Terminal): AsyncGenerator<Uint8Array> {
  if (flags.message !== undefined) yield Buffer.from(flags.message)
  else if (flags.file !== undefined) yield await readFile(flags.file)
  else if (flags.lines) yield* lines(stdin)
  else yield await all(stdin)
}

async function all(stdin: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  let data = Buffer.alloc(0)
  for await (const chunk of stdin) {
    data = Buffer.concat([data, chunk])
    if (data.length > MAX_PAYLOAD) throw new Error(`standard input is longer than ${MAX_PAYLOAD} octets`)
  }
  return data
}

async function* lines(stdin: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let rest = Buffer.alloc(0)
  for await (const chunk of stdin) {
    rest = Buffer.concat([rest, chunk])
    for (let end = rest.indexOf('\n'); end >= 0; end = rest.indexOf('\n')) {
      yield rest.subarray(0, rest[end - 1] === 0x0d ? end - 1 : end)
      rest = rest.subarray(end + 1)
    }
    if (rest.length > MAX_PAYLOAD) throw new Error(`a line is longer than ${MAX_PAYLOAD} octets`)
  }
  if (rest.length > 0) yield rest
}

function anyQos(value: string): Qos {
  if (value === '-1') return -1
  try {
    return qos012(value)
  } catch {
    throw new InvalidArgumentError('expected -1, 0, 1 or 2')
  }
}
