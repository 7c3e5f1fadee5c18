// A bad network between two programs on loopback: it loses, doubles and delays datagrams, both ways, until it is told to be good.

import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { type Random, seeded } from '../../lab/fuzz/mutation.ts'

/** Shares of datagrams that are lost, come twice, or come late; and how late, milliseconds. */
const LOST = 0.15
const DOUBLED = 0.1
const DELAYED = 0.2
const DELAY = 150
/** Milliseconds after which it is good in any case: pauses between repetitions double, and a test must end. */
const LONGEST = 6000

async function bound(): Promise<Socket> {
  const socket = createSocket('udp4')
  socket.on('error', () => undefined)
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  return socket
}

/** Forwards the datagrams of one client to a server, and its answers. */
export class BadNetwork {
  /** clients send here what is for the server */
  readonly port: number
  /** datagrams that were lost so far */
  lost = 0
  isGood = false
  readonly #near: Socket
  readonly #far: Socket
  readonly #random: Random
  readonly #begin = performance.now()
  #client = 0

  static async open(serverPort: number, seed: number): Promise<BadNetwork> {
    return new BadNetwork(await bound(), await bound(), serverPort, seeded(seed))
  }

  private constructor(near: Socket, far: Socket, serverPort: number, random: Random) {
    this.port = near.address().port
    this.#near = near
    this.#far = far
    this.#random = random
    near.on('message', (bytes, { port }) => {
      this.#client = port
      this.#carry(() => far.send(bytes, serverPort, '127.0.0.1', () => undefined))
    })
    far.on('message', (bytes) => {
      this.#carry(() => near.send(bytes, this.#client, '127.0.0.1', () => undefined))
    })
  }

  end(): void {
    this.isGood = true
    this.#near.close()
    this.#far.close()
  }

  #carry(forward: () => void): void {
    if (this.isGood || performance.now() - this.#begin > LONGEST) return forward()
    if (this.#random() < LOST) {
      this.lost++
      return
    }
    const copies = this.#random() < DOUBLED ? 2 : 1
    for (let copy = 0; copy < copies; copy++) {
      if (this.#random() >= DELAYED) forward()
      else setTimeout(() => this.#deliverLate(forward), this.#random() * DELAY).unref()
    }
  }

  #deliverLate(forward: () => void): void {
    try {
      forward()
    } catch {
      // the test has ended meanwhile
    }
  }
}
