// Live events as server-sent events: changes of state, what happens, a summary every second, and the packets of a watched sensor.

import type { FastifyReply } from 'fastify'
import type { StateChange, WatchedPacket } from './contract/live.ts'
import type { Stream, Streams } from './streams.ts'
import type { GatewayView } from './view.ts'

export interface Events {
  /** Turns a reply into a stream of events; false if there are too many already. */
  send(reply: FastifyReply, sensor: string | undefined): Promise<boolean>
}

const event = (name: string, data: object) => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`

const packetEvent = (packet: WatchedPacket) =>
  event('packet', { ...packet, bytes: Buffer.from(packet.bytes).toString('hex') })

/** Changes of state that are told singly within so many milliseconds: when all sensors are lost at once, nobody reads so fast. */
const BURST = 500
const BURST_TIME = 500

/** Tells changes of state, and counts those above what a reader can take. */
function createBurst(tellAll: (text: string) => void) {
  let told = 0
  let timer: NodeJS.Timeout | undefined
  const renew = () => {
    timer = undefined
    if (told > BURST) tellAll(event('more', { states: told - BURST }))
    told = 0
  }
  return {
    tell(change: StateChange): void {
      timer ??= setTimeout(renew, BURST_TIME).unref()
      told += 1
      if (told <= BURST) tellAll(event('state', change))
    },
    end: () => clearTimeout(timer),
  }
}

/** What is seen of one sensor, at whichever node. */
type SensorView = Pick<GatewayView, 'watch' | 'watchBroker' | 'onChangeElsewhere'>

/**
 * What is the same for all readers is made once; while nobody reads, nothing is made. `whole`: sees the sensors of all nodes, `view`
 * those of this one.
 */
export function createEvents(
  view: GatewayView,
  whole: SensorView,
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
    const changes = createBurst(tellAll)
    const unwatch = view.onChange(changes.tell)
    const endHappenings = view.onHappenings((batch) => tellAll(event('happenings', batch)))
    stop = () => {
      clearInterval(ticker)
      unwatch()
      endHappenings()
      changes.end()
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
      if (sensor !== undefined) {
        const ends = [
          whole.watch(sensor, (packet) => stream.write(packetEvent(packet))),
          whole.watchBroker(sensor, (step) => stream.write(event('broker', step))),
          whole.onChangeElsewhere?.(sensor, (change) => stream.write(event('state', change))),
        ]
        unwatch = () => {
          for (const end of ends) end?.()
        }
      }
      return true
    },
  }
}
