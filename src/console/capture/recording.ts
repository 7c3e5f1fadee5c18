// Live captures: the datagrams of one sensor, or of all, as a pcapng file that grows while it is downloaded.

import type { FastifyReply } from 'fastify'
import type { Limits, Streams } from '../streams.ts'
import type { GatewayView } from '../view.ts'
import { pcapngHeader, pcapngPacket } from './pcapng.ts'

/** `udp://[::1]:1884` as address and port. */
function localOf(url: string): { address: string; port: number } {
  const [, address = '', port = ''] = /^\w+:\/\/\[?([^\]]*?)\]?:(\d+)$/.exec(url) ?? []
  return { address, port: Number(port) }
}

/** Turns a reply into a capture that ends with its reader or at its limits; false if there are too many streams already. */
export function recordDatagrams(
  view: GatewayView,
  streams: Streams,
  limits: Limits,
  reply: FastifyReply,
  sensor: string | undefined,
): boolean {
  let unwatch = () => {}
  let timer: NodeJS.Timeout | undefined
  reply.header('content-disposition', 'attachment; filename="mqttsn.pcapng"')
  const stream = streams.open(reply, 'application/x-pcapng', () => {
    unwatch()
    clearTimeout(timer)
  })
  if (stream === undefined) return false
  timer = setTimeout(() => stream.end(), limits.captureTime)
  const header = pcapngHeader()
  let octets = header.length
  stream.write(header)
  const locals = new Map(view.listeners().map(({ name, url }) => [name, localOf(url)]))
  const nowhere = { address: '', port: 0 }
  unwatch = view.watch(sensor, (packet) => {
    const block = pcapngPacket(packet, locals.get(packet.listener) ?? nowhere)
    octets += block.length
    if (octets > limits.captureOctets) stream.end()
    else stream.write(block)
  })
  return true
}
