// A broker out of its mind: random and mutated octets end connections, never the process.

import { generate, type Packet } from 'mqtt-packet'
import { afterEach, describe, expect, it } from 'vitest'
import type { UpstreamEvent } from '../../src/session/events.ts'
import { type ScriptedBroker, startScriptedBroker } from '../support/scripted.ts'
import { bytes, connectOptions, Observed, Rig } from './harness.ts'

const ROUNDS = 150

/** Small numbers from a seed, so that a failing round can be repeated. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

/** Answers everything, so that all ways are gone. */
class Busy extends Observed {
  #answered: (type: UpstreamEvent['type']) => void = () => undefined
  /** what the attempt came to */
  readonly answer = new Promise<UpstreamEvent['type']>((resolve) => {
    this.#answered = resolve
  })

  protected override react(event: UpstreamEvent): void {
    this.#answered(event.type)
    if (event.type === 'message' && event.ack !== undefined) this.connection.acknowledge(event.ack)
    if (event.type === 'releasing') this.connection.acknowledge(event.ack)
    if (event.type === 'received') this.connection.release(event.token)
  }
}

describe('upstream with a broker that sends nonsense', () => {
  let broker: ScriptedBroker | undefined
  let rig: Rig | undefined

  afterEach(async () => {
    await rig?.close()
    await broker?.close()
  })

  const samples: Packet[] = [
    { cmd: 'publish', topic: 'a/b', payload: 'payload', qos: 2, dup: false, retain: false, messageId: 7 },
    { cmd: 'publish', topic: 'a/b', payload: '', qos: 1, dup: false, retain: true, messageId: 8 },
    { cmd: 'pubrel', messageId: 7, reasonCode: 0 },
    { cmd: 'puback', messageId: 1, reasonCode: 0x10 },
    { cmd: 'pubrec', messageId: 2, reasonCode: 0 },
    { cmd: 'suback', messageId: 3, granted: [1], properties: { reasonString: 'reason' } },
    { cmd: 'unsuback', messageId: 4, granted: [0] },
    { cmd: 'connack', sessionPresent: true, reasonCode: 0, returnCode: 0, properties: { receiveMaximum: 5 } },
    { cmd: 'disconnect', reasonCode: 0x81, properties: { reasonString: 'reason' } },
    { cmd: 'pingresp' },
  ]

  it.each(['3.1.1', '5'] as const)('ends connections and goes on, MQTT %s', async (version) => {
    const protocolVersion = version === '5' ? 5 : 4
    let random = randomFrom(1)
    const nonsense = (): Buffer => {
      const packets = Array.from({ length: 1 + random(4) }, () => samples[random(samples.length)] as Packet)
      const octets = Buffer.concat(packets.map((packet) => generate(packet, { protocolVersion })))
      if (random(4) === 0) return Buffer.from(Array.from({ length: 1 + random(40) }, () => random(256)))
      for (let mutation = random(4); mutation > 0; mutation--) octets[random(octets.length)] = random(256)
      return octets.subarray(0, octets.length - random(3))
    }
    broker = await startScriptedBroker((peer, { cmd }) => {
      if (!peer.clientId.startsWith('fuzzed')) return undefined
      // before CONNACK, after it, or instead of an answer
      if (cmd === 'connect' && random(4) > 0) {
        peer.send({ cmd: 'connack', sessionPresent: random(2) === 0, returnCode: 0, reasonCode: 0 })
      }
      peer.socket.end(nonsense())
      return true
    })
    rig = new Rig(broker, { version, connectTimeout: 500 })
    const sane = rig.sensor()
    await sane.open('sane')
    for (let round = 1; round <= ROUNDS; round++) {
      random = randomFrom(round)
      const sensor = new Busy(rig.upstream)
      const { connection } = sensor
      connection.connect(connectOptions(`fuzzed-${round}`, { clean: false }))
      if ((await sensor.answer) === 'refused') continue
      connection.publish(1, 'a', bytes('x'), 1, false, true)
      connection.publish(2, 'a', bytes('x'), 2, false, true)
      connection.subscribe(3, 'a/#', 1, false)
      connection.unsubscribe(4, 'a/#')
      expect((await sensor.next('closed')).detail).not.toBe('')
    }
    expect(rig.upstream.stats()).toMatchObject({ connected: 1, connecting: 0, waiting: 0 })
    // the codec that all share still works
    sane.connection.publish(1, 'a', bytes('x'), 1, false, false)
    expect((await sane.next('published')).outcome).toBe(0)
    sane.connection.subscribe(2, 'a', 1, false)
    expect((await sane.next('subscribed')).outcome).toBe(0)
  })
})
