// More datagrams than the gateway may keep waiting, and a broker that takes nothing: sensors are told to try later, and
// those that only want to stay alive are served.

import { expect, it, onTestFinished } from 'vitest'
import type { Packet } from '../../src/codec/v1/messages.ts'
import { freshName, TestGateway, until } from '../support/gateway.ts'
import { startScriptedBroker } from '../support/scripted.ts'
import type { UdpPeer } from '../support/sensor.ts'

const connect = () =>
  ({
    type: 'connect',
    will: false,
    cleanSession: true,
    protocolId: 1,
    duration: 60,
    clientId: freshName(),
  }) as const

const publish = (qos: 0 | 1, msgId: number, size: number): Packet => ({
  type: 'publish',
  dup: false,
  qos,
  retain: false,
  topicIdType: 'short',
  topicId: 0x6162,
  msgId,
  data: new Uint8Array(size),
})

const answersOf = ({ heard }: UdpPeer) =>
  heard.flatMap(({ packet }) => (packet.type === 'puback' ? [packet.returnCode] : []))

it('an overloaded gateway answers congestion, counts, serves PINGREQ, and is well again after [SN-PUB-14, SN-ROB-1, SN-ROB-4]', async () => {
  const test = await TestGateway.start('embedded', { limits: { waitingDatagrams: 3 } })
  onTestFinished(() => test.stop())
  const [busy, quiet] = [await test.peer(), await test.peer()]
  for (const peer of [busy, quiet]) {
    peer.send(connect())
    await peer.next('connack')
  }
  const dropped = () => test.gateway.status().counters.dropped.overloaded ?? 0
  // what is sent without a pause is read in one go
  for (let round = 0; round < 20 && dropped() === 0; round++) {
    for (let i = 0; i < 30; i++) busy.send(publish(1, round * 30 + i + 1, 1))
    quiet.send({ type: 'pingreq', clientId: null })
    await quiet.next('pingresp')
  }
  await until(() => answersOf(busy).includes(1) && answersOf(busy).includes(0))
  expect(test.gateway.status().counters.dropped).toEqual({ overloaded: dropped() })

  busy.send(publish(1, 9999, 1))
  await until(() => busy.heard.some(({ packet }) => packet.type === 'puback' && packet.msgId === 9999))
  expect(answersOf(busy).at(-1)).toBe(0)
})

it('a broker that reads nothing means congestion for PUBLISH, while PINGREQ is answered and nothing grows [SN-MAP-29, SN-ROB-1]', async () => {
  const broker = await startScriptedBroker()
  onTestFinished(() => broker.close())
  const test = await TestGateway.start(broker, { broker: { writeBuffer: '64KiB', keepAlive: '0s' } })
  onTestFinished(() => test.stop())
  const peer = await test.peer()
  const hello = connect()
  peer.send(hello)
  await peer.next('connack')
  broker.peers.find(({ clientId }) => clientId === hello.clientId)?.socket.pause()
  const session = test.gateway.sessions.byClientId.get(hello.clientId)
  // at QoS 0 nothing but the buffer stops it: first those of the system fill, then that of the gateway
  for (let i = 0; i < 100_000 && session?.link.congested !== true; i++) {
    peer.send(publish(0, 0, 1000))
    if (i % 20 === 19) {
      peer.send({ type: 'pingreq', clientId: null })
      await peer.next('pingresp')
    }
  }
  expect(session?.link.congested).toBe(true)
  peer.send(publish(1, 7, 1))
  peer.send(publish(0, 0, 1))
  await until(() => peer.heard.some(({ packet }) => packet.type === 'puback' && packet.msgId === 7))
  expect(answersOf(peer)).toContain(1)
  expect(answersOf(peer)).not.toContain(0)
  await until(() => (test.gateway.status().counters.dropped.congestion ?? 0) > 0)
})
