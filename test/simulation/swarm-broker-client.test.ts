// The swarm's connection to the broker: what it counts as taken over, and which repetition it blames on the broker.

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type BrokerClient, openBrokerClient } from '../../src/simulation/swarm/broker-client.ts'
import { startAedes } from '../support/broker.ts'
import { type ScriptedBroker, type ScriptedPeer, startScriptedBroker } from '../support/scripted.ts'

let scripted: ScriptedBroker
let broker: BrokerClient
const notes: string[] = []
const arrived: string[] = []

beforeEach(async () => {
  notes.length = 0
  arrived.length = 0
  scripted = await startScriptedBroker()
  broker = await openBrokerClient(scripted.url, 'books', (text) => notes.push(text))
})

afterEach(async () => {
  await broker.close()
  await scripted.close()
})

const newest = () => scripted.peers.at(-1) as ScriptedPeer

/** The broker delivers a message at QoS 2; resolves when it is finished. */
async function deliver(messageId: number, payload: string, dup: boolean): Promise<void> {
  const peer = newest()
  const finished = () => peer.packets.filter(({ cmd }) => cmd === 'pubcomp').length
  const before = finished()
  peer.send({ cmd: 'publish', topic: 'up/1', payload, qos: 2, dup, retain: false, messageId })
  await expect.poll(finished).toBe(before + 1)
}

describe('the books of the swarm', () => {
  it('take a PUBACK that refuses for no acknowledgement', async () => {
    scripted.script = (peer, packet) => {
      if (packet.cmd !== 'publish' || packet.payload.toString() !== 'refused') return undefined
      peer.send({ cmd: 'puback', messageId: packet.messageId ?? 0, reasonCode: 0x97 })
      return true
    }
    await broker.publish('down/1', 'accepted', 1)
    await expect(broker.publish('down/1', 'refused', 1)).rejects.toThrow('Quota exceeded')
  })

  it('leave no room while the broker is away, and as much as it grants when it is back', async () => {
    expect(broker.window).toBe(20)
    const reasonCode = 0
    scripted.script = (peer, { cmd }) => {
      if (cmd !== 'connect') return undefined
      peer.send({ cmd: 'connack', sessionPresent: true, reasonCode, properties: { receiveMaximum: 7 } })
      return true
    }
    newest().cut()
    await expect.poll(() => broker.window).toBe(0)
    await expect.poll(() => broker.window, { timeout: 5000 }).toBe(7)
  })

  it('have no room yet while MQTT.js sends again what the lost connection left unfinished', async () => {
    scripted.script = (_peer, { cmd }) => cmd === 'publish'
    const first = broker.publish('down/1', '1', 1)
    await scripted.saw(({ cmd }) => cmd === 'publish')
    newest().cut()
    const { peer, packet } = await scripted.saw(
      ({ cmd }, of) => cmd === 'publish' && of !== scripted.peers[0],
    )
    expect(broker.window).toBe(0)
    peer.send({ cmd: 'puback', messageId: packet.messageId ?? 0, reasonCode: 0 })
    await first
    await expect.poll(() => broker.window).toBe(20)
  })

  it('leave out what the broker repeats after PUBREL, and nothing else that comes twice', async () => {
    await broker.listen('up/#', (topic, payload) => arrived.push(`${topic} ${payload}`))
    await deliver(1, 'a', false)
    await deliver(1, 'a', true)
    expect(arrived).toEqual(['up/1 a'])
    expect(broker.repeated).toBe(1)
    await deliver(2, 'a', false) // published twice: another identifier, no DUP
    await deliver(3, 'b', true) // DUP, but the first that arrived
    await deliver(3, 'c', true) // DUP, but another message
    await deliver(3, 'c', false) // the same identifier, but no DUP
    expect(arrived.slice(1)).toEqual(['up/1 a', 'up/1 b', 'up/1 c', 'up/1 c'])
    expect(broker.repeated).toBe(1)
  })

  it('are kept with a broker that speaks MQTT 3.1.1 only', async () => {
    const aedes = await startAedes()
    const other = await openBrokerClient(aedes.url, 'books', (text) => notes.push(text))
    await other.listen('down/#', (topic, payload) => arrived.push(`${topic} ${payload}`))
    await other.publish('down/1', '1', 2)
    await expect.poll(() => arrived).toEqual(['down/1 1'])
    expect(other.window).toBe(20)
    await other.close()
    await aedes.close()
  })
})
