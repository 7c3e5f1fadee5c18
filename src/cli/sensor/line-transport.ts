// The sensor's end of a line, for `--link`: the framings and streams of the gateway, used from the other side.

import { InvalidArgumentError } from 'commander'
import type { SensorTransport } from '../../sensor/udp.ts'
import { gatewayBy } from '../../transport/dialogue/kinds.ts'
import { openLine } from '../../transport/line/line.ts'
import { isForRadios, lineAddress, readLineUrl } from '../../transport/line/url.ts'

/** Reads the value of `--link`. */
export function parseLink(url: string): string {
  const read = readLineUrl(url)
  if ('expected' in read) throw new InvalidArgumentError(`expected ${read.expected}`)
  const { framing, stream } = read
  if (stream.kind === 'tcp-listen' || (isForRadios(read) && gatewayBy(framing) === undefined))
    throw new InvalidArgumentError('expected a line of a sensor: this one is for gateways')
  return url
}

/** Opens the line; rejects with TransportError if it cannot be had now. Later it may go and come back. */
export async function openLineTransport(url: string): Promise<SensorTransport> {
  const read = readLineUrl(url)
  const address = 'expected' in read ? url : (gatewayBy(read.framing) ?? lineAddress(read))
  const remote = { address, port: 0 }
  const transport: SensorTransport = {
    onReceive: () => {},
    onError: () => {},
    send: (bytes) => line.send(bytes, remote),
    close: () => void line.close(),
  }
  const line = await openLine(
    {
      url: `${url}${url.includes('?') ? '&' : '?'}strict=on`,
      onLine: (event) => {
        if (event.type === 'away') transport.onError(event.error)
      },
    },
    (bytes) => transport.onReceive(bytes),
  )
  return transport
}
