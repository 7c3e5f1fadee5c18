// `mqttsn trace`: what one sensor and the gateway say to each other, live, over the gateway's HTTP API.

import { Command } from 'commander'
import { hex } from '../codec/v1/describe.ts'
import { decodeFrame } from '../codec/v1/frame.ts'
import type { StateChange } from '../console/contract/live.ts'
import { count, timeOption, withExitCodes } from './options.ts'
import {
  addLiveOptions,
  escapeControls,
  type LiveEvent,
  type LiveFlags,
  liveEvents,
  reportLiveFailure,
} from './running/api.ts'
import { findSensor } from './running/find-sensor.ts'
import { paintFor } from './terminal/paint.ts'
import { ExitCode, processTerminal, type Terminal } from './terminal/terminal.ts'
import { createDrawing } from './trace/draw.ts'
import { createFrames } from './trace/line-frames.ts'
import type { TracedPacket } from './trace/words.ts'

const EXAMPLES = `
Each line is one message: an arrow to the right comes from the sensor, one to the left from the gateway. The step is the
time since the line before; from one second on it is a gap of its own. (again) marks repetitions.
Whenever the gateway is lost, it is asked again.

Exit code: 0 ended by Ctrl-C, --count or --duration, 1 refused (no such sensor, token), 2 usage, 3 no answer.

Examples:
  $ mqttsn trace thermometer-1
  $ mqttsn trace valve-1 --hex --fields
  $ mqttsn trace button-9 --wait -n 20
  $ mqttsn trace meter-1 --json --url https://gateway.example:8885 | jq .packet
`

interface TraceFlags extends LiveFlags {
  count?: number
  duration?: number
  hex?: true
  fields?: true
  frames?: true
  wait?: true
  json?: true
}

/** The command `trace`, to be added to the program. */
export function traceCommand(terminal: Terminal = processTerminal): Command {
  const command = new Command('trace')
    .description("follow one sensor's conversation with a running gateway")
    .argument('<client-id>', 'whose')
    .option('-n, --count <messages>', 'end after so many messages', count)
    .addOption(timeOption('-d, --duration <time>', 'end after this time'))
    .option('--hex', 'print the octets of each message')
    .option('--fields', 'print every field of each message')
    .option('--frames', "print what is on the sensor's line for each message, with its framing")
    .option('--wait', 'wait for the sensor if the gateway does not know it yet')
    .option('--json', 'print one JSON object per message and change of state')
    .addHelpText('after', EXAMPLES)
  addLiveOptions(command)
  return withExitCodes(command, terminal).action(async (clientId: string, flags: TraceFlags) => {
    const done = new AbortController()
    terminal.interruption().addEventListener('abort', () => done.abort(), { once: true })
    try {
      await trace(clientId, flags, terminal, done)
      terminal.exit(ExitCode.ok)
    } catch (error) {
      if (done.signal.aborted) terminal.exit(ExitCode.ok)
      else reportLiveFailure(terminal, error)
    } finally {
      done.abort()
    }
  })
}

async function trace(
  clientId: string,
  flags: TraceFlags,
  terminal: Terminal,
  done: AbortController,
): Promise<void> {
  const drawing = createDrawing(paintFor(terminal), {
    hex: flags.hex === true,
    fields: flags.fields === true,
    frames: flags.frames && (await createFrames(flags, done.signal)),
  })
  const detail = await findSensor(clientId, flags, done.signal)
  const print = (lines: string[]) => lines.forEach((line) => void terminal.out(line))
  const lost = (why: string) => terminal.err(`the gateway is lost (${escapeControls(why)}); still trying`)
  const path = `/api/events?sensor=${encodeURIComponent(clientId)}`
  let left = flags.count ?? Number.POSITIVE_INFINITY
  let timer: NodeJS.Timeout | undefined
  let begun = false
  try {
    for await (const event of liveEvents(flags, path, done.signal, lost)) {
      // The first event of the stream says that the gateway watches the sensor.
      if (!begun && !flags.json) print(drawing.head(clientId, detail))
      if (!begun && flags.duration !== undefined) timer = setTimeout(() => done.abort(), flags.duration)
      begun = true
      if (isPacket(event)) {
        print(flags.json ? [packetToJson(event.data)] : drawing.packet(event.data))
        left -= 1
      } else if (isChange(event) && event.data.clientId === clientId) {
        print(flags.json ? [JSON.stringify({ event: 'state', ...event.data })] : drawing.state(event.data))
      }
      if (left <= 0) return
    }
  } finally {
    clearTimeout(timer)
  }
}

const isPacket = (event: LiveEvent): event is LiveEvent & { data: TracedPacket } =>
  event.event === 'packet' && typeof (event.data as Partial<TracedPacket> | null)?.bytes === 'string'

const isChange = (event: LiveEvent): event is LiveEvent & { data: StateChange } =>
  event.event === 'state' && typeof (event.data as Partial<StateChange> | null)?.to === 'string'

function packetToJson(traced: TracedPacket): string {
  const { at, direction, clientId, address, port, listener, type, topic, repeated, bytes } = traced
  const { packet, nodeId } = decodeFrame(Uint8Array.from(Buffer.from(bytes, 'hex')))
  const known = { at, direction, clientId, address, port, listener, type, topic, repeated, bytes }
  return JSON.stringify(
    { event: 'packet', ...known, ...(nodeId && { nodeId }), packet },
    (_key, value: unknown) => (value instanceof Uint8Array ? hex(value) : value),
  )
}
