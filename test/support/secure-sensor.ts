// A sensor with DTLS that repeats what is not answered, every second, to whichever node it is pointed at.

import { expect, onTestFinished } from 'vitest'
import type { Packet, PacketType } from '../../src/codec/v1/messages.ts'
import type { NodeProcess, Pair } from './cluster.ts'
import { DtlsPeer, type DtlsPeerOptions } from './dtls-peer.ts'
import { connect, KEYS } from './dtls-scene.ts'
import { until } from './gateway.ts'

let times = 0

export class SecureSensor {
  readonly name: string
  readonly peer: DtlsPeer
  #msgId = 0
  #topicId = 0

  private constructor(name: string, peer: DtlsPeer) {
    this.name = name
    this.peer = peer
  }

  /** Makes a handshake at a node, and connects; the name is its identity, too. */
  static async open(
    name: string,
    { address }: Pick<NodeProcess, 'address'>,
    port: number,
    options: DtlsPeerOptions = {},
  ): Promise<SecureSensor> {
    const peer = await DtlsPeer.start(`dtls://${address}:${port}`, {
      psk: [name, KEYS[name] ?? ''],
      ...options,
    })
    onTestFinished(() => peer.close())
    await peer.until(() => peer.handshakes === 1, 20_000)
    const sensor = new SecureSensor(name, peer)
    await sensor.ask(connect(name, false), 'connack')
    const msgId = sensor.#nextId()
    const flags = { dup: false, qos: 1, topicIdType: 'normal' } as const
    await sensor.ask({ type: 'subscribe', ...flags, msgId, topicName: `down/${name}` }, 'suback')
    const register = {
      type: 'register',
      topicId: 0,
      msgId: sensor.#nextId(),
      topicName: `up/${name}`,
    } as const
    sensor.#topicId = (await sensor.ask(register, 'regack')).topicId
    return sensor
  }

  /** Messages go both ways through this node, with the handshake and the connection from the start. */
  async goesOn(pair: Pair, { address }: Pick<NodeProcess, 'address'>): Promise<void> {
    times += 1
    const [text, { peer, name }] = [`${times}`, this]
    peer.host = address
    const flags = { dup: false, qos: 1, retain: false, topicIdType: 'normal' } as const
    const msgId = this.#nextId()
    const sent = {
      type: 'publish',
      ...flags,
      topicId: this.#topicId,
      msgId,
      data: Buffer.from(text),
    } as const
    expect((await this.ask(sent, 'puback')).returnCode).toBe(0)
    await until(() => pair.published.includes(`up/${name} ${text}`), 20_000)
    await pair.publish(`down/${name}`, text, 1)
    for (let heard = ''; heard !== text; ) {
      // at QoS 1 what was not acknowledged in time comes twice
      const { data, topicId, msgId: id } = await peer.next('publish', 20_000)
      heard = Buffer.from(data).toString()
      peer.send({ type: 'puback', topicId, msgId: id, returnCode: 0 })
    }
    expect([peer.handshakes, peer.strays]).toEqual([1, 0])
    const types = peer.heard.map(({ packet }) => packet.type)
    expect(types.filter((type) => type === 'connack' || type === 'disconnect')).toEqual(['connack'])
    // a number that is used twice under one key gives the key away
    expect(new Set(peer.sequences).size).toBe(peer.sequences.length)
  }

  /** Sends until it is answered; resolves to the answer. */
  async ask<T extends PacketType>(
    packet: Packet,
    answer: T,
    milliseconds = 30_000,
  ): Promise<Packet & { type: T }> {
    const deadline = performance.now() + milliseconds
    for (let isRepeated = false; ; isRepeated = true) {
      this.peer.send(isRepeated && 'dup' in packet ? { ...packet, dup: true } : packet)
      const answered = await this.peer.next(answer, 1000).catch(() => undefined)
      if (answered !== undefined) return answered
      if (performance.now() > deadline)
        throw new Error(
          `no ${answer} for ${this.name} within ${milliseconds} ms: ${this.peer.heard.map(({ packet }) => packet.type)}`,
        )
    }
  }

  #nextId(): number {
    this.#msgId += 1
    return this.#msgId
  }
}
