// Live captures: the datagrams of one sensor, or of all, as a pcapng file that grows while it is downloaded.

import type { FastifyReply } from 'fastify'
import type { WireDatagram } from '../contract/live.ts'
import type { Limits, Streams } from '../streams.ts'
import type { GatewayView } from '../view.ts'
import { pcapngHeader, pcapngInside, pcapngPacket, pcapngWire } from './pcapng.ts'

/** What is wanted. */
export interface Recorded {
  /** of this sensor only */
  readonly sensor: string | undefined
  /** records of DTLS as they are on the wire, too */
  readonly link: boolean
}

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
  wanted: Recorded,
): boolean {
  const ends: (() => void)[] = []
  let timer: NodeJS.Timeout | undefined
  reply.header('content-disposition', 'attachment; filename="mqttsn.pcapng"')
  const stream = streams.open(reply, 'application/x-pcapng', () => {
    for (const end of ends) end()
    clearTimeout(timer)
  })
  if (stream === undefined) return false
  timer = setTimeout(() => stream.end(), limits.captureTime)
  const { sensor, link } = wanted
  const header = pcapngHeader(link)
  let octets = header.length
  stream.write(header)
  const listeners = view.listeners()
  const locals = new Map(listeners.map(({ name, url }) => [name, localOf(url)]))
  const secure = new Set(listeners.filter((one) => one.secure !== undefined).map(({ name }) => name))
  const nowhere = { address: '', port: 0 }
  const write = (block: Uint8Array): void => {
    octets += block.length
    if (octets > limits.captureOctets) stream.end()
    else stream.write(block)
  }
  const whose = link && sensor !== undefined ? new Whereabouts(view, sensor) : undefined
  ends.push(
    view.watch(sensor, (packet) => {
      const local = locals.get(packet.listener) ?? nowhere
      if (!link || !secure.has(packet.listener)) return write(pcapngPacket(packet, local))
      whose?.note(packet.address)
      // after the record that it was in
      queueMicrotask(() => write(pcapngInside(packet, local)))
    }),
  )
  if (link)
    ends.push(
      view.watchWire((datagram) => {
        if (whose?.mayBe(datagram) === false) return
        write(pcapngWire(datagram, locals.get(datagram.listener) ?? nowhere))
      }),
    )
  return true
}

/** Which records may be those of one sensor: of its identity, and handshakes from the addresses where it was heard. */
class Whereabouts {
  readonly #view: GatewayView
  readonly #sensor: string
  readonly #addresses = new Set<string>()
  #identity: string | undefined

  constructor(view: GatewayView, sensor: string) {
    this.#view = view
    this.#sensor = sensor
    void this.#ask()
  }

  /** It was heard from there. */
  note(address: string): void {
    this.#addresses.add(address)
    if (this.#identity === undefined) void this.#ask()
  }

  mayBe({ identity, address }: WireDatagram): boolean {
    if (identity === undefined) return this.#addresses.has(address)
    if (identity === this.#identity) this.#addresses.add(address)
    return identity === this.#identity
  }

  async #ask(): Promise<void> {
    const { secure, address = '' } = (await this.#view.sensor(this.#sensor)) ?? {}
    this.#identity = secure?.identity
    const [, v6, v4] = /^(?:\[([^\]]+)\]|([^:/]+)):\d/.exec(address) ?? []
    const host = v6 ?? v4
    if (host !== undefined) this.#addresses.add(host)
  }
}
