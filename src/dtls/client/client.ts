// A DTLS 1.2 client as a pure core: one server, datagrams and time in, effects out.

import type { Chance } from '../crypto/chance.ts'
import type { SessionInfo, Turn } from '../effects.ts'
import { ClientMachine } from './machine.ts'
import type { ClientOptions, ClientResumption } from './options.ts'
import { receiveClientDatagram } from './records.ts'

/** One handshake and one session; a new one needs a new client. */
export class DtlsClient {
  readonly #machine: ClientMachine

  constructor(options: ClientOptions, chance: Chance) {
    this.#machine = new ClientMachine(options, chance)
  }

  /** Sends the first hello. */
  start(turn: Turn): void {
    this.#machine.start(turn)
  }

  /** One datagram of the server; its octets are the core's from now on. */
  receive(bytes: Uint8Array, turn: Turn): void {
    try {
      receiveClientDatagram(this.#machine, bytes, turn)
    } catch (error) {
      turn.out.push({ type: 'fault', error })
      this.#machine.end('fault', 'a mistake in the core', turn)
    }
  }

  /** One message of the application; false: no session is open, or it does not fit. */
  send(bytes: Uint8Array, turn: Turn): boolean {
    return this.#machine.send(bytes, turn)
  }

  /** The server gets close_notify. */
  close(why: string, turn: Turn): void {
    this.#machine.close(why, turn)
  }

  /** When `tick` is due, monotonic; Infinity = never. */
  due(): number {
    return this.#machine.due()
  }

  tick(turn: Turn): void {
    this.#machine.tick(turn)
  }

  get state(): 'idle' | 'handshake' | 'open' | 'gone' {
    const { state } = this.#machine
    return state === 'idle' || state === 'open' || state === 'gone' ? state : 'handshake'
  }

  /** Of the open session. */
  get info(): SessionInfo | undefined {
    return this.#machine.info
  }

  /** What the next client may resume with; secret. Undefined where the server keeps no session. */
  get resumption(): ClientResumption | undefined {
    return this.#machine.resumption
  }
}
