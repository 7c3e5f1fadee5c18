// Where others may serve the sensors, CONNECT leaves only while this process may: also if it stood still while the way was being opened.

import { afterEach, beforeEach, expect, it } from 'vitest'
import { type ScriptedBroker, startScriptedBroker } from '../../support/scripted.ts'
import { bytes, Rig } from '../harness.ts'

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
