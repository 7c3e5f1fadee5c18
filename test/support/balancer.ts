// A UDP load balancer: sensors speak to one address, and each of them has a way of its own to the gateway that serves it now.

import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'

const LOOPBACK = '127.0.0.1'

async function bound(): Promise<Socket> {
  const socket = createSocket('udp4')
  socket.bind(0, LOOPBACK)
  await once(socket, 'listening')
  return socket
}

/** The port of the gateway for what a sensor sends, who is known by his own; undefined loses it. */
type Route = (sensor: number, bytes: Uint8Array) => number | undefined

export class Balancer {
  readonly url: string
  readonly #front: Socket
  readonly #ways = new Map<number, Promise<Socket>>()
  readonly #route: Route
  /** the gateway that each sensor's last datagram went to */
  readonly #last = new Map<number, number>()
  /** whether answers of other gateways are thrown away, as those are that translate addresses */
  readonly #isStrict: boolean
  /** answers that were thrown away */
  strays = 0

  private constructor(front: Socket, route: Route, isStrict: boolean) {
    this.#front = front
    this.#route = route
    this.#isStrict = isStrict
    this.url = `udp://${LOOPBACK}:${front.address().port}`
    front.on('message', (bytes, { port }) => void this.#forward(port, bytes))
  }

  /** `route`: asked for each datagram. `isStrict`: a sensor hears the gateway only that it has spoken to last. */
  static async open(route: Route, { isStrict = false } = {}): Promise<Balancer> {
    return new Balancer(await bound(), route, isStrict)
  }

  async #forward(sensor: number, bytes: Uint8Array): Promise<void> {
    let way = this.#ways.get(sensor)
    if (way === undefined) {
      way = this.#openWay(sensor)
      this.#ways.set(sensor, way)
    }
    const socket = await way
    const gateway = this.#route(sensor, bytes)
    if (gateway === undefined) return
    this.#last.set(sensor, gateway)
    socket.send(bytes, gateway, LOOPBACK)
  }

  async #openWay(sensor: number): Promise<Socket> {
    const socket = await bound()
    socket.on('message', (bytes, { port }) => {
      if (this.#isStrict && port !== this.#last.get(sensor)) this.strays += 1
      else this.#front.send(bytes, sensor, LOOPBACK)
    })
    return socket
  }

  async close(): Promise<void> {
    for (const way of this.#ways.values()) (await way).close()
    this.#front.close()
  }
}
