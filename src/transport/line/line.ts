// Opens links that are streams of octets: what the url says becomes a stream, a dialogue and a pace.

import { createDialogue } from '../dialogue/kinds.ts'
import { TransportError } from '../error.ts'
import { openSerialPair } from '../stream/pair.ts'
import { openSerial } from '../stream/serial.ts'
import type { OpenStream } from '../stream/stream.ts'
import { openTcp } from '../stream/tcp.ts'
import { openTcpServer } from '../tcp-server/server.ts'
import type { OnDatagram, Transport } from '../transport.ts'
import { ChangingLine } from './changing-line.ts'
import { type LineOptions, longestOf, paceLimits } from './options.ts'
import { Line } from './paced-line.ts'
import { lineAddress, readLineUrl, withoutKey } from './url.ts'

const openStream: OpenStream = (stream, listener) => {
  if (stream.kind !== 'serial') return openTcp(stream, listener)
  const { tx } = stream
  return tx === undefined ? openSerial(stream, listener) : openSerialPair({ ...stream, tx }, listener)
}

/**
 * Opens a line; resolves even if that fails for now, and tries again for as long as it is not closed. Rejects with TransportError
 * for an url that is wrong, with `strict=on` for a line that cannot be opened, and for an address where nobody can call.
 */
export async function openLine(options: LineOptions, onDatagram: OnDatagram): Promise<Transport> {
  const open = (changed: LineOptions) => openOnce(changed, onDatagram)
  return new ChangingLine(await open(options), options, open)
}

async function openOnce(options: LineOptions, onDatagram: OnDatagram): Promise<Transport> {
  const settings = readLineUrl(options.url)
  if ('expected' in settings)
    throw new TransportError('invalid', `${withoutKey(options.url)}: expected ${settings.expected}`)
  const { stream, reopen } = settings
  if (stream.kind === 'tcp-listen') return openTcpServer(options, { ...settings, stream }, onDatagram)
  const longest = longestOf(settings, options)
  const { inFlight, confirm } = options.pace ?? {}
  const dialogue = createDialogue(settings, { longest, inFlight, confirm })
  const limits = paceLimits(settings, options)
  const { onLine } = options
  const parts = {
    url: withoutKey(options.url),
    onLine,
    dialogue,
    limits,
    longest,
    reopen,
    address: lineAddress(settings),
  }
  const line = new Line({ ...parts, open: (listener) => openStream(stream, listener) }, onDatagram)
  const error = await line.open()
  if (error === undefined || !settings.strict) return line
  await line.close()
  throw error
}
