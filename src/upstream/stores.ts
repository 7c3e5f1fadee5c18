// What MQTT.js gets in place of its stores and identifiers: `Inbound` and `Outbound` keep them, over all connections.

import { Readable } from 'node:stream'
import type { IClientOptions, IStore, Packet } from 'mqtt'
import type { Inbound } from './inbound.ts'

/** The store that MQTT.js puts QoS 2 messages into before it sends PUBREC; one for each connection. */
export class IncomingStore implements IStore {
  /** undefined: the connection has ended, nothing may be handed over or acknowledged any more */
  inbound: Inbound | undefined

  constructor(inbound: Inbound) {
    this.inbound = inbound
  }

  put(packet: Packet, done: () => void): this {
    if (packet.cmd === 'publish') this.inbound?.takeOnce(packet, done)
    return this
  }

  /** Asked for at PUBREL: the message was handed over long ago, so MQTT.js gets an empty one. */
  get({ messageId }: Pick<Packet, 'messageId'>, done: (error?: Error, packet?: Packet) => void): this {
    if (this.inbound === undefined) return this
    const empty = { cmd: 'publish', topic: '', payload: '', qos: 2, dup: false, retain: false } as const
    done(undefined, messageId === undefined ? empty : { ...empty, messageId })
    return this
  }

  del({ messageId }: Pick<Packet, 'messageId'>, done: () => void): this {
    this.inbound?.release(messageId ?? 0)
    done()
    return this
  }

  createStream(): ReturnType<IStore['createStream']> {
    return emptyStream()
  }

  close(done: () => void): void {
    done()
  }
}

/** The store that MQTT.js would send unfinished publishes again from: always empty, `Outbound` does that. */
export const OUTGOING_STORE: IStore = {
  put: (_packet, done) => {
    done()
    return OUTGOING_STORE
  },
  get: (_packet, done) => {
    done()
    return OUTGOING_STORE
  },
  del: (_packet, done) => {
    done()
    return OUTGOING_STORE
  },
  createStream: emptyStream,
  close: (done) => done(),
}

/** Gives MQTT.js the identifier that was chosen for the packet it is about to make. */
export class ChosenId implements NonNullable<IClientOptions['messageIdProvider']> {
  packetId = 0

  allocate(): number {
    return this.packetId
  }

  getLastAllocated(): number {
    return this.packetId
  }

  register(): boolean {
    return true
  }

  deallocate(): void {
    // `Outbound` knows what is in use
  }

  clear(): void {
    // MQTT.js clears at every CONNACK; what is under way outlives that
  }
}

function emptyStream(): ReturnType<IStore['createStream']> {
  const stream = new Readable({ objectMode: true, read: () => undefined })
  stream.push(null)
  // The type is that of the userland copy of the same class.
  return stream as unknown as ReturnType<IStore['createStream']>
}
