// Where others may serve the sensors, CONNECT leaves only while this process may: also if it stood still while the way was being opened.

import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { haveMosquitto, listen, startMosquitto } from '../../support/broker.ts'
import { type ScriptedBroker, startScriptedBroker } from '../../support/scripted.ts'
import { bytes, pause, Rig, Witness } from '../harness.ts'

let broker: ScriptedBroker

beforeEach(async () => {
  broker = await startScriptedBroker()
})

afterEach(() => broker.close())

it('sends no CONNECT, and so no will, if the lease has ended while the connection was being opened [SN-SESS-10]', async () => {
  const held: boolean[] = []
  const own = { clientId: 'own' }
  const rig = new Rig(broker, { version: '5', own, mayConnect: () => held.shift() ?? true })
  await broker.saw((packet, { clientId }) => packet.cmd === 'connect' && clientId === own.clientId)
  held.push(true, false) // when the attempt begins, and when TCP is up
  const sensor = rig.sensor()
  const will = { topic: 'w', message: bytes('gone'), qos: 0 as const, retain: false }
  sensor.connection.connect({ identity: { clientId: 's' }, clean: false, mend: true, will })
  expect(await sensor.next('refused')).toMatchObject({ outcome: 1, unreachable: true })
  // what a later attempt sends comes after what the first one might have sent
  await sensor.open('s')
  const peers = broker.peers.filter(({ clientId }) => clientId === 's')
  const connects = peers.flatMap(({ packets }) => packets).filter(({ cmd }) => cmd === 'connect')
  expect(connects).toHaveLength(1)
  expect(connects[0]).not.toHaveProperty('will')
  await rig.close()
})

it('ends an attempt whose CONNECT has not left without a word to the broker [SN-MAP-14]', async () => {
  const rig = new Rig(broker, { version: '5', mayConnect: () => true })
  const sensor = rig.sensor()
  sensor.connection.connect({ identity: { clientId: 's' }, clean: false, mend: true, will: undefined })
  await new Promise((resolve) => setImmediate(resolve)) // the attempt has begun
  sensor.connection.close(false, false)
  await rig.sensor().open('other')
  expect(broker.peers.filter(({ clientId }) => clientId === 's')).toEqual([])
  await rig.close()
})

describe.skipIf(!haveMosquitto).each([
  { scheme: 'ws', tls: false },
  { scheme: 'wss', tls: true },
])('over $scheme', ({ tls }) => {
  it('sends no CONNECT either, and so no will, if the lease has ended meanwhile [SN-SESS-10]', async () => {
    const mosquitto = await startMosquitto({ ws: true, tls })
    const witness = await Witness.at(mosquitto, '#')
    const held: boolean[] = []
    const rig = new Rig(mosquitto, { version: '5', mayConnect: () => held.shift() ?? true })
    while (!rig.upstream.healthy) await pause(5) // its own connection asks no more
    held.push(true, false) // when the attempt begins, and when WebSocket is spoken
    const sensor = rig.sensor()
    const will = { topic: 'w', message: bytes('gone'), qos: 0 as const, retain: false }
    sensor.connection.connect({ identity: { clientId: 's' }, clean: true, mend: false, will })
    while (sensor.events.length === 0) await pause(5)
    expect(sensor.events).toMatchObject([{ type: 'refused', outcome: 1, unreachable: true }])
    await sensor.open('s')
    await witness.settled('x')
    expect(witness.messages).toEqual([]) // of a CONNECT whose connection was cut the broker would have published the will
    await rig.close()
    await witness.close()
    await mosquitto.close()
  })
})

it('ends an attempt over WebSocket that has not been agreed to without a word to the broker [SN-MAP-14]', async () => {
  const upgraded = new Map<Socket, { request: IncomingMessage; heard: Buffer[] }>()
  const server = createServer().on('upgrade', (request: IncomingMessage, socket: Socket) => {
    const heard: Buffer[] = []
    upgraded.set(socket, { request, heard })
    socket
      .on('data', (octets) => heard.push(octets))
      .on('end', () => socket.end())
      .on('error', () => {})
  })
  const rig = new Rig({ url: `ws://127.0.0.1:${await listen(server)}` }, { version: '5' })
  while (upgraded.size < 1) await pause(5) // that of the gateway itself
  const { connection } = rig.sensor()
  connection.connect({ identity: { clientId: 's' }, clean: false, mend: false, will: undefined })
  while (upgraded.size < 2) await pause(5)
  connection.close(false, false)
  const [socket, { request, heard }] = [...upgraded][1] as [
    Socket,
    { request: IncomingMessage; heard: Buffer[] },
  ]
  const key = `${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`
  const accepted = createHash('sha1').update(key).digest('base64')
  const answer = ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade']
  answer.push(`Sec-WebSocket-Accept: ${accepted}`, 'Sec-WebSocket-Protocol: mqtt', '', '')
  socket.write(answer.join('\r\n'))
  await once(socket, 'close')
  expect(Buffer.concat(heard).length).toBe(0)
  await rig.close()
  server.closeAllConnections()
  server.close()
})
