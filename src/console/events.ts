// Live events as server-sent events: changes of state, a summary every second, and the packets of a watched sensor.

import type { FastifyReply } from 'fastify'
import type { Stream, Streams } from './streams.ts'
import type { GatewayView, WatchedPacket } from './view.ts'

export interface Events {
  /** Turns a reply into a stream of events; false if there are too many already. */
  send(reply: FastifyReply, sensor: string | undefined): Promise<boolean>
}

const event = (name: string, data: object) => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`

const packetEvent = (packet: WatchedPacket) =>
  event('packet', { ...packet, bytes: Buffer.from(packet.bytes).toString('hex') })

/** What is the same for all readers is made once; while nobody reads, nothing is made. */
export function createEvents(
  view: GatewayView,
  streams: Streams,
  interval: number,
  onError: (error: unknown) => void,
): Events {
  const readers = new Set<Stream>()
  let stop = () => {}

  const tellAll = (text: string) => {
    for (const reader of readers) reader.write(text)
  }
  const tell = async () => tellAll(event('gateway', await view.info()))

  function start(): void {
    const ticker = setInterval(() => {
      tell().catch(onError)
    }, interval)
    const unwatch = view.onChange((change) => tellAll(event('state', change)))
    stop = () => {
      clearInterval(ticker)
      unwatch()
    }
  }

  return {
    async send(reply, sensor) {
      const summary = event('gateway', await view.info())
      if (reply.request.raw.socket.destroyed) {
        reply.hijack() // it went away meanwhile: a stream would never hear of its end
        return true
      }
      let unwatch = () => {}
      const stream = streams.open(reply, 'text/event-stream; charset=utf-8', () => {
        unwatch()
        if (stream !== undefined) readers.delete(stream)
        if (readers.size === 0) stop()
      })
      if (stream === undefined) return false
      if (readers.size === 0) start()
      readers.add(stream)
      stream.write(`retry: 2000\n\n${summary}`)
      if (sensor !== undefined) unwatch = view.watch(sensor, (packet) => stream.write(packetEvent(packet)))
      return true
    },
  }
}
