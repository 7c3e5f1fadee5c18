// `mqttsn capture`: records what sensors and a running gateway say to each other, as a pcapng file for Wireshark.

import { open } from 'node:fs/promises'
import { Command, Option } from 'commander'
import type { ListenerInfo } from '../console/contract/gateway.ts'
import { BlockSplitter } from './capture/blocks.ts'
import { count, timeOption, withExitCodes } from './options.ts'
import {
  addLiveOptions,
  askApi,
  askJson,
  LiveError,
  type LiveFlags,
  reportLiveFailure,
} from './running/api.ts'
import { findSensor } from './running/find-sensor.ts'
import { amount, size } from './terminal/quantities.ts'
import { ExitCode, processTerminal, type Terminal } from './terminal/terminal.ts'

const EXAMPLES = `
The packets carry the datagrams as they were on the wire (of DTLS, what was in the records), with the real addresses, ports and
times; comments name the sensor and the topic. The file holds what sensors send: only its owner may read it.
The gateway itself ends a capture after one hour or 64 MiB.

With --link the records of DTLS are there, too, handshakes included, and what was in them stands beside them on an interface of
its own. Wireshark decrypts them itself with the file of listeners[].dtls.keyLog, where the handshake was captured: "End secure
session" in the console makes a sensor do one.

Exit code: 0 ended by Ctrl-C, --count, --duration or the gateway, 1 refused (no such sensor, token), 2 usage or the file
cannot be written, 3 no answer, or the gateway was lost.

Examples:
  $ mqttsn capture -w all.pcapng --duration 10m
  $ mqttsn capture -w dev1.pcapng --sensor dev1
  $ mqttsn capture -w secure.pcapng --link
  $ mqttsn capture -w - | tshark -r - -d udp.port==1884,mqttsn
`

/** Where a capture of the gateway has MQTT-SN that was inside records. */
const INSIDE_PORT = 1884

interface CaptureFlags extends LiveFlags {
  write: string
  sensor?: string
  count?: number
  duration?: number
  wait?: true
  link?: true
}

/** The command `capture`, to be added to the program. */
export function captureCommand(terminal: Terminal = processTerminal): Command {
  const command = new Command('capture')
    .description('record datagrams of a running gateway for Wireshark')
    .addOption(new Option('-w, --write <file>', 'pcapng file, - = standard output').makeOptionMandatory())
    .option('-s, --sensor <client-id>', 'only those of this sensor')
    .option('-n, --count <packets>', 'end after so many packets', count)
    .addOption(timeOption('-d, --duration <time>', 'end after this time'))
    .option('--link', 'records of DTLS as they are on the wire, and what was in them')
    .option('--wait', 'wait for the sensor if the gateway does not know it yet')
    .addHelpText('after', EXAMPLES)
  addLiveOptions(command)
  return withExitCodes(command, terminal).action(async (flags: CaptureFlags) => {
    const done = new AbortController()
    terminal.interruption().addEventListener('abort', () => done.abort(), { once: true })
    try {
      await capture(flags, terminal, done)
      terminal.exit(ExitCode.ok)
    } catch (error) {
      if (done.signal.aborted && error instanceof LiveError) terminal.exit(ExitCode.ok)
      else reportLiveFailure(terminal, error)
    } finally {
      done.abort()
    }
  })
}

async function capture(flags: CaptureFlags, terminal: Terminal, done: AbortController): Promise<void> {
  const { sensor, write, duration } = flags
  if (sensor !== undefined) await findSensor(sensor, flags, done.signal)
  const options = decodeOptions(await askJson<ListenerInfo[]>(flags, '/api/listeners', done.signal), flags)
  const wanted = new URLSearchParams({ ...(sensor && { sensor }), ...(flags.link && { link: 'true' }) })
  const query = wanted.size === 0 ? '' : `?${wanted}`
  const response = await askApi(flags, `/api/capture${query}`, done.signal)
  // Not before the gateway has agreed: a wrong token must not cost an earlier capture.
  const file = write === '-' ? undefined : await open(write, 'w', 0o600)
  terminal.err(`capturing; Ctrl-C ends it. To read it: tshark -r ${write}${options}`)
  const timer = duration === undefined ? undefined : setTimeout(() => done.abort(), duration)
  const splitter = new BlockSplitter(flags.count)
  try {
    for await (const chunk of chunksOf(response, done.signal)) {
      const whole = splitter.push(chunk)
      if (file === undefined) await toStandardOutput(whole)
      else await file.appendFile(whole)
      if (splitter.full) return
    }
    if (!done.signal.aborted) terminal.err('the gateway ended the capture')
  } finally {
    clearTimeout(timer)
    await file?.close()
    terminal.err(`${amount(splitter.packets, 'packet')}, ${size(splitter.octets)}`)
  }
}

/** What arrives until the signal, and throws LiveError if the gateway goes away before its end. */
async function* chunksOf(
  response: AsyncIterable<Buffer>,
  signal: AbortSignal,
): AsyncGenerator<Buffer, void, undefined> {
  try {
    yield* response
  } catch {
    if (!signal.aborted)
      throw new LiveError(ExitCode.noAnswer, 'the gateway is lost; what came before is kept')
  }
}

const toStandardOutput = (bytes: Uint8Array): Promise<void> =>
  new Promise((resolve) => process.stdout.write(bytes, () => resolve())) // a closed pipe is an interruption

/** What tshark has to be told to see MQTT-SN on these ports. */
function decodeOptions(listeners: readonly ListenerInfo[], { link }: CaptureFlags): string {
  const options = new Set<string>()
  for (const { url, secure } of listeners) {
    const [, port] = /:(\d+)$/.exec(url) ?? []
    if (port === undefined) continue
    if (link !== true || secure === undefined) options.add(` -d udp.port==${port},mqttsn`)
    else {
      // Wireshark does not know MQTT-SN below DTLS; what was inside is beside it, and looked for at a port of its own
      options.add(` -o tls.keylog_file:KEYLOG -d udp.port==${port},dtls -d dtls.port==${port},data`)
      options.add(` -d udp.port==${INSIDE_PORT},mqttsn`)
    }
  }
  return [...options].join('')
}
