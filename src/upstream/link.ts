// One network connection to the broker: MQTT.js with what it does by itself switched off, from CONNECT to its end.

import { type IConnackPacket, type IPublishPacket, MqttClient, type Packet } from 'mqtt'
import type { BrokerLimits } from '../session/events.ts'
import { connackOutcome3, connackOutcome5, type Ending, ending, hex, refusesVersion } from './codes.ts'
import type { Endings } from './endings.ts'
import { describeError, type Failure, failureKind, type SystemError } from './failure.ts'
import type { Inbound } from './inbound.ts'
import { brokerLimits, clientOptions, UNLIMITED, type Version } from './negotiation.ts'
import { acknowledgement, farewell, PUBACK, PUBREC, PUBREL } from './octets.ts'
import type { Flight, Request } from './outbound.ts'
import { ChosenId, IncomingStore, OUTGOING_STORE } from './stores.ts'
import type { OpenStream } from './streams.ts'
import type { ConnectOptions, UpstreamOptions } from './upstream.ts'

/** Hears of everything that happens on a link, until it is ended. */
export interface LinkOwner {
  readonly inbound: Inbound
  accepted(sessionPresent: boolean): void
  failed(failure: Failure): void
  ended(ending: Ending, detail: string): void
  /** an answer to what was sent; before MQTT.js acts on it */
  answered(packet: Packet): void
  congested(on: boolean): void
}

/** What all links of a gateway share. */
export interface Broker {
  readonly options: UpstreamOptions
  readonly open: OpenStream
  readonly endings: Endings
}

/** messages of a resumed session that may come before CONNACK */
const MAX_EARLY = 64

/** An attempt, then a connection. Detached (by `end`, or by ending itself) it reports nothing any more. */
export class Link {
  readonly version: Version
  /** CONNACK came and was good */
  open = false
  congested = false
  limits: BrokerLimits = UNLIMITED
  /** QoS 1 and 2 publishes that the broker takes at once */
  window = 0xffff
  readonly #broker: Broker
  readonly #clientId: string
  readonly #client: MqttClient
  readonly #store: IncomingStore
  readonly #ids = new ChosenId()
  /** messages that came before CONNACK */
  readonly #early: IPublishPacket[] = []
  #owner: LinkOwner | undefined
  #error: SystemError | undefined

  /** Starts the attempt. Throws if the identity's certificate cannot be used. */
  constructor(broker: Broker, options: ConnectOptions, version: Version, owner: LinkOwner) {
    this.version = version
    this.#broker = broker
    this.#clientId = options.identity.clientId
    this.#owner = owner
    this.#store = new IncomingStore(owner.inbound)
    this.#client = new MqttClient(
      (client) => {
        const stream = broker.open(options.identity, client)
        stream.on('error', (error) => {
          this.#error ??= error
        })
        return stream
      },
      {
        ...clientOptions(broker.options, options, version),
        incomingStore: this.#store,
        outgoingStore: OUTGOING_STORE,
        messageIdProvider: this.#ids,
      },
    )
    this.#client.handleMessage = (packet, done) => {
      // QoS 2 was handed over when it was stored, and what came too early waits in `#early`.
      if (packet.qos === 2 || !this.open) done()
      else this.#owner?.inbound.take(packet, done)
    }
    this.#client.on('packetreceive', (packet) => this.#received(packet))
    this.#client.on('error', (error) => this.#over(error))
    this.#client.on('close', () => this.#over(this.#error))
  }

  /** Sends a publish; `packetId` 0 and no `dup` at QoS 0. */
  publish(
    packetId: number,
    flight: Pick<Flight, 'topic' | 'payload' | 'retain' | 'dup'> & { qos: 0 | 1 | 2 },
  ): void {
    const { topic, payload, qos, retain, dup } = flight
    this.#ids.packetId = packetId
    this.#client.publish(topic, payload, { qos, retain, dup })
    this.#checkBuffer()
  }

  /** Sends PUBREL again on a resumed session. */
  release(packetId: number): void {
    // So that MQTT.js answers a repeated PUBREC and takes PUBCOMP for what it is.
    this.#client.outgoing[packetId] = { volatile: false, cmd: 'publish', cb: () => undefined }
    this.#client.stream.write(acknowledgement(PUBREL, packetId))
  }

  /** Sends SUBSCRIBE or UNSUBSCRIBE. */
  request(packetId: number, { filter, qos, replay }: Request): void {
    this.#ids.packetId = packetId
    const ignored = (): void => undefined
    if (qos === undefined) this.#client.unsubscribe(filter, ignored)
    // Retain Handling 2 exists in MQTT 5 only, see `retained.ts` for the other [SN-MAP-3, -8].
    else if (this.version === 5) {
      this.#client.subscribe(filter, { qos, nl: false, rap: false, rh: replay ? 0 : 2 }, ignored)
    } else this.#client.subscribe(filter, { qos }, ignored)
    this.#checkBuffer()
  }

  /** Ends it: reports nothing more, and sends DISCONNECT or lets the broker publish the will. */
  end(publishWill: boolean): void {
    this.#detach()
    this.#broker.endings.end(this.#clientId, this.#client.stream, farewell(this.version, publishWill))
  }

  /** Gives it up as lost, not within this call. */
  abandon(detail: string): void {
    process.nextTick(() => this.#end(ending(0), detail))
  }

  #received(packet: Packet): void {
    const owner = this.#owner
    if (owner === undefined) return
    if (packet.cmd === 'connack') this.#connack(packet)
    else if (packet.cmd === 'publish') this.#published(packet)
    else if (!this.open) this.#fail({ outcome: 1, detail: `${packet.cmd} came before CONNACK` })
    else if (packet.cmd === 'disconnect') {
      const code = packet.reasonCode ?? 0
      const text = packet.properties?.reasonString
      this.#end(ending(code), `the broker disconnected: ${hex(code)}${text ? ` ${text}` : ''}`)
    } else owner.answered(packet)
  }

  /**
   * Mosquitto 2.0 over WebSocket sends a resumed session's messages before CONNACK. MQTT.js would not come to the CONNACK
   * then, because it cannot send their acknowledgement yet: it is told of QoS 0, and we acknowledge.
   */
  #published(packet: IPublishPacket): void {
    if (this.open) return
    if (this.#early.length >= MAX_EARLY) {
      this.#fail({ outcome: 1, detail: 'too many messages came before CONNACK' })
      return
    }
    this.#early.push({ ...packet })
    packet.qos = 0
  }

  #deliverEarly(): void {
    for (const packet of this.#early.splice(0)) {
      const { qos, messageId = 0 } = packet
      const acknowledge = (): void => {
        const type = qos === 1 ? PUBACK : PUBREC
        if (this.#owner !== undefined) this.#client.stream.write(acknowledgement(type, messageId))
      }
      if (qos === 2) this.#owner?.inbound.takeOnce(packet, acknowledge)
      else this.#owner?.inbound.take(packet, qos === 1 ? acknowledge : () => undefined)
    }
  }

  #connack(packet: IConnackPacket): void {
    const code = (this.version === 5 ? packet.reasonCode : packet.returnCode) ?? 0
    const outcome = this.version === 5 ? connackOutcome5(code) : connackOutcome3(code)
    if (outcome !== 0 || code !== 0) {
      const version = refusesVersion(code) ? 'said' : undefined
      const text = packet.properties?.reasonString
      const detail = `the broker refused: ${hex(code)}${text ? ` ${text}` : ''}`
      this.#fail({ outcome: outcome === 1 ? 1 : 3, detail, version })
      return
    }
    this.window = packet.properties?.receiveMaximum ?? this.window
    this.limits = brokerLimits(packet)
    // MQTT.js is ready to send only after this event, and hands over the next packet in a later tick than ours.
    process.nextTick(() => {
      if (this.#owner === undefined) return
      this.open = true
      this.#owner.accepted(packet.sessionPresent)
      this.#deliverEarly()
    })
  }

  /** MQTT.js reported an error, or the stream closed: whichever comes first says how it ended. */
  #over(error: SystemError | undefined): void {
    if (this.#owner === undefined) return
    const detail = describeError(error)
    if (this.open) this.#end(ending(0), detail)
    else this.#fail({ outcome: 1, detail, ...failureKind(error) })
  }

  #fail(failure: Failure): void {
    this.#cut()?.failed(failure)
  }

  #end(how: Ending, detail: string): void {
    this.#cut()?.ended(how, detail)
  }

  #cut(): LinkOwner | undefined {
    const owner = this.#detach()
    this.#client.stream.destroy()
    return owner
  }

  #detach(): LinkOwner | undefined {
    const owner = this.#owner
    this.#owner = undefined
    this.#store.inbound = undefined
    this.open = false
    return owner
  }

  #checkBuffer(): void {
    const { stream } = this.#client
    // `drain` is only told by streams that were above their own mark.
    const limit = Math.max(this.#broker.options.writeBuffer, stream.writableHighWaterMark)
    if (this.congested || stream.writableLength <= limit) return
    this.congested = true
    this.#owner?.congested(true)
    stream.once('drain', () => {
      this.congested = false
      this.#owner?.congested(false)
    })
  }
}
