// How the commands that look into a running gateway reach its HTTP API: requests, and event streams that come back.

import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { pause } from '../../sensor/pause.ts'
import { addHostOptions, addressParser, CONSOLE } from '../terminal/addresses.ts'
import { ExitCode, type Terminal } from '../terminal/terminal.ts'

/** An answer has to begin within this time. */
const PATIENCE = 10_000
/** The gateway speaks every second on an event stream; after this silence it is gone. */
const SILENCE = 30_000
const RETRY = 1000
const MOST_JSON = 16 * 1024 * 1024
const MOST_EVENT = 4 * 1024 * 1024

/** What `addLiveOptions` adds, as commander hands it over. */
export interface LiveFlags {
  url: string
  token?: string
}

/** Adds the options that say where the gateway's console is, and the token for it. */
export function addLiveOptions(command: Command): Command {
  return addHostOptions(command, 'url', CONSOLE, "the gateway's console")
    .addOption(
      new Option('--url <address>', 'the same in one, or https://')
        .argParser(consoleUrl)
        .default('http://127.0.0.1:8885')
        // beside a gateway that is configured by its environment, such as in its container
        .env('MQTTSN_CONSOLE__URL'),
    )
    .addOption(
      new Option('--token <token>', 'its token; the variable keeps it out of sight').env('MQTTSN_TOKEN'),
    )
}

/** Why the API could not be used, and the exit code that follows. */
export class LiveError extends Error {
  override readonly name = 'LiveError'
  readonly exitCode: number
  /** of the answer; undefined if there was none */
  readonly status: number | undefined

  constructor(exitCode: number, message: string, status?: number) {
    super(message)
    this.exitCode = exitCode
    this.status = status
  }
}

/** Prints why a command failed and sets its exit code. */
export function reportLiveFailure(terminal: Terminal, error: unknown): void {
  terminal.err(`error: ${error instanceof Error ? error.message : error}`)
  terminal.exit(error instanceof LiveError ? error.exitCode : ExitCode.usage)
}

/**
 * Asks for `path`, such as `/api/gateway`. Rejects with LiveError if nobody answers in time, or with anything but 200;
 * once `signal` is aborted, the answer ends as well.
 */
export async function askApi(flags: LiveFlags, path: string, signal?: AbortSignal): Promise<IncomingMessage> {
  const url = new URL(flags.url + path)
  const headers = flags.token === undefined ? {} : { authorization: `Bearer ${flags.token}` }
  const open = url.protocol === 'https:' ? httpsRequest : httpRequest
  // Node's fetch would give up a stream after five minutes of silence, and a quiet sensor's capture has longer ones.
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const request = open(url, { headers, agent: false, ...(signal && { signal }) }, resolve)
    const timer = setTimeout(() => request.destroy(new Error('no answer')), PATIENCE)
    request.on('error', reject).once('response', () => clearTimeout(timer))
    request.once('close', () => clearTimeout(timer)).end()
  }).catch((error: NodeJS.ErrnoException) => {
    const why = error.code === 'ECONNREFUSED' ? 'nobody listens there' : error.message
    throw new LiveError(ExitCode.noAnswer, `no gateway's console at ${flags.url}: ${why}`)
  })
  if (response.statusCode !== 200) throw await refusal(response, flags)
  return response
}

/** Asks for JSON; the caller knows its shape. */
export async function askJson<T>(flags: LiveFlags, path: string, signal?: AbortSignal): Promise<T> {
  const response = await askApi(flags, path, signal)
  try {
    return JSON.parse(await bodyOf(response, MOST_JSON)) as T
  } catch {
    throw new LiveError(
      ExitCode.noAnswer,
      `no gateway's console at ${flags.url}: it answers, but not with JSON`,
    )
  }
}

/** One event of a stream. */
export interface LiveEvent {
  readonly event: string
  readonly data: unknown
}

/**
 * The events of `path`, until the signal. Only the first connection may fail; later ones are tried again and again, and
 * `lost` is told once for each time.
 */
export async function* liveEvents(
  flags: LiveFlags,
  path: string,
  signal: AbortSignal,
  lost: (why: string) => void,
): AsyncGenerator<LiveEvent, void, undefined> {
  let connected = false
  let away = false
  while (!signal.aborted) {
    let why = 'it ended the stream'
    try {
      const response = await askApi(flags, path, signal)
      connected = true
      away = false
      response.setTimeout(SILENCE, () => response.destroy(new Error('it is silent')))
      yield* readEvents(response)
    } catch (error) {
      if (signal.aborted) return
      if (!connected || (error instanceof LiveError && error.exitCode === ExitCode.refused)) throw error
      why = error instanceof Error ? error.message : String(error)
    }
    if (signal.aborted) return
    if (!away) lost(why)
    away = true
    await pause(RETRY, signal)
  }
}

/** Reads a text/event-stream; what is not JSON is no event of ours. Throws if one event is longer than 4 MiB. */
export async function* readEvents(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<LiveEvent, void, undefined> {
  const decoder = new TextDecoder()
  let waiting = ''
  for await (const chunk of chunks) {
    waiting += decoder.decode(chunk, { stream: true })
    const events = waiting.replaceAll('\r\n', '\n').split('\n\n')
    waiting = events.pop() ?? ''
    if (waiting.length > MOST_EVENT) throw new Error('its events are too long')
    for (const text of events) {
      const found = parseEvent(text)
      if (found !== undefined) yield found
    }
  }
}

function parseEvent(text: string): LiveEvent | undefined {
  const values = (name: string) =>
    text.split('\n').flatMap((line) => {
      const [, field, value = ''] = /^([^:]+):? ?(.*)$/s.exec(line) ?? []
      return field === name ? [value] : []
    })
  const data = values('data')
  if (data.length === 0) return undefined
  try {
    return { event: values('event').at(-1) ?? 'message', data: JSON.parse(data.join('\n')) }
  } catch {
    return undefined
  }
}

/** What the gateway said against it, in its own words where it gave some. */
async function refusal(response: IncomingMessage, { url, token }: LiveFlags): Promise<LiveError> {
  const { statusCode = 0 } = response
  let said = ''
  try {
    const { message, reasons }: { message?: unknown; reasons?: unknown } = JSON.parse(
      await bodyOf(response, 65_536),
    )
    const words = Array.isArray(reasons) ? reasons.join('; ') : message
    if (typeof words === 'string') said = escapeControls(words).slice(0, 200)
  } catch {} // no JSON: the status has to do
  if (statusCode === 401) {
    said = token === undefined ? 'it wants a token: --token or MQTTSN_TOKEN' : 'it does not accept this token'
  }
  return new LiveError(
    ExitCode.refused,
    `${url}: ${said || `answered with status ${statusCode}`}`,
    statusCode,
  )
}

async function bodyOf(response: IncomingMessage, most: number): Promise<string> {
  response.setTimeout(PATIENCE, () => response.destroy(new Error('no more came')))
  let text = ''
  response.setEncoding('utf8')
  for await (const piece of response as AsyncIterable<string>) {
    text += piece
    if (text.length > most) throw new Error('too long')
  }
  return text
}

/** Text from the network made fit for a terminal: what is no visible character becomes an escape. */
export const escapeControls = (text: string): string =>
  text.replace(/\p{C}/gu, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`)

function consoleUrl(value: string): string {
  if (/^\w+:\/\/[^/]*@/.test(value)) throw new InvalidArgumentError('give the token by --token')
  // where every address is served, ours is
  return addressParser(CONSOLE)(value).replace('//0.0.0.0', '//127.0.0.1').replace('//[::]', '//[::1]')
}
