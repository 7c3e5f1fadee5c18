// The way of a sensor with DTLS through a balancer that translates addresses: its datagrams go to one node at a time, and only that node is
// heard.

import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import type { Balancer } from './balancer.ts'

const LOOPBACK = '127.0.0.1'

async function bound(): Promise<Socket> {
  const socket = createSocket('udp4')
  socket.on('error', () => {}) // a node that is gone refuses what is sent to it
  socket.bind(0, LOOPBACK)
  await once(socket, 'listening')
  return socket
}

export class SecureWay {
  /** where the sensor sends to */
  readonly port: number
  readonly #inner: Socket
  readonly #outer: Socket

  private constructor(inner: Socket, outer: Socket) {
    this.port = inner.address().port
    this.#inner = inner
    this.#outer = outer
  }

  static async open(balancer: Balancer, sensor: string): Promise<SecureWay> {
    const [inner, outer] = [await bound(), await bound()]
    const target = (): number => balancer.targetOf(`${sensor} secure`)?.secure ?? 0
    let port = 0
    inner.on('message', (bytes, from) => {
      port = from.port
      outer.send(bytes, target(), LOOPBACK)
    })
    outer.on('message', (bytes, from) => {
      if (from.port === target()) inner.send(bytes, port, LOOPBACK)
      else balancer.strays += 1
    })
    return new SecureWay(inner, outer)
  }

  close(): void {
    this.#inner.close()
    this.#outer.close()
  }
}
