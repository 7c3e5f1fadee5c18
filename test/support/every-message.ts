// Every message, as dev1 sends it in the tables of states.

import type { Packet } from '../../src/codec/v1/messages.ts'
import { cellOf, letterOf, type Scene } from './scene.ts'
import { bytes } from './world.ts'

const disconnect = (duration: number | null): Packet => ({ type: 'disconnect', duration })
const connect = (more: object = {}): Packet => ({
  type: 'connect',
  will: false,
  cleanSession: false,
  protocolId: 1,
  duration: 60,
  clientId: 'dev1',
  ...more,
})
const willtopic = (willTopic: string | null) =>
  ({ type: 'willtopic', qos: 0, retain: false, willTopic }) as const
const willmsg: Packet = { type: 'willmsg', willMsg: bytes('gone') }

const publish = (qos: -1 | 0 | 1 | 2): Packet => ({
  type: 'publish',
  dup: false,
  qos,
  retain: false,
  topicIdType: qos === -1 ? 'short' : 'normal',
  topicId: qos === -1 ? 0x6162 : 1,
  msgId: qos > 0 ? 9 : 0,
  data: bytes('x'),
})
const filter = { topicIdType: 'normal', topicName: 'x/y' } as const

/** PUBACK for the message that waits for it; an active sensor is sent one first. */
export function matchingPuback(scene: Scene): Packet {
  if (letterOf(scene) === 'A') scene.world.publish('d/a', 'm', 1)
  const msgId = scene.world.sessions.byClientId.get('dev1')?.downlink.queue[0]?.id ?? 77
  return { type: 'puback', topicId: 2, msgId, returnCode: 0 }
}

export const messages: Record<string, Packet | ((scene: Scene) => Packet)> = {
  CONNECT: connect(),
  'CONNECT clean': connect({ cleanSession: true }),
  'CONNECT will': connect({ will: true }),
  'CONNECT clean will': connect({ cleanSession: true, will: true }),
  WILLTOPIC: willtopic('lwt/2'),
  'WILLTOPIC empty': willtopic(null),
  WILLMSG: willmsg,
  DISCONNECT: disconnect(null),
  'DISCONNECT 0': disconnect(0),
  'DISCONNECT 600': disconnect(600),
  PINGREQ: { type: 'pingreq', clientId: null },
  'PINGREQ dev1': { type: 'pingreq', clientId: 'dev1' },
  REGISTER: { type: 'register', topicId: 0, msgId: 9, topicName: 'x/y' },
  'PUBLISH 0': publish(0),
  'PUBLISH 1': publish(1),
  'PUBLISH 2': publish(2),
  'PUBLISH -1': publish(-1),
  PUBREL: { type: 'pubrel', msgId: 9 },
  SUBSCRIBE: { type: 'subscribe', dup: false, qos: 1, msgId: 9, ...filter },
  UNSUBSCRIBE: { type: 'unsubscribe', msgId: 9, ...filter },
  WILLTOPICUPD: { ...willtopic('lwt/2'), type: 'willtopicupd' },
  WILLMSGUPD: { type: 'willmsgupd', willMsg: bytes('new') },
  'PUBACK match': matchingPuback,
  'PUBACK other': { type: 'puback', topicId: 2, msgId: 99, returnCode: 0 },
  REGACK: { type: 'regack', topicId: 1, msgId: 99, returnCode: 0 },
  PUBREC: { type: 'pubrec', msgId: 99 },
  PUBCOMP: { type: 'pubcomp', msgId: 99 },
  PINGRESP: { type: 'pingresp' },
  SEARCHGW: { type: 'searchgw', radius: 1 },
  ADVERTISE: { type: 'advertise', gwId: 2, duration: 900 },
  GWINFO: { type: 'gwinfo', gwId: 2, gwAdd: new Uint8Array(0) },
  CONNACK: { type: 'connack', returnCode: 0 },
  WILLTOPICREQ: { type: 'willtopicreq' },
  WILLMSGREQ: { type: 'willmsgreq' },
  SUBACK: { type: 'suback', qos: 0, topicId: 1, msgId: 9, returnCode: 0 },
  UNSUBACK: { type: 'unsuback', msgId: 9 },
  WILLTOPICRESP: { type: 'willtopicresp', returnCode: 0 },
  WILLMSGRESP: { type: 'willmsgresp', returnCode: 0 },
}

export const receiving =
  (row: string) =>
  (scene: Scene): string => {
    const message = messages[row]
    if (message === undefined) throw new Error(`no message ${row}`)
    const packet = typeof message === 'function' ? message(scene) : message
    return cellOf(scene, ({ world, sensor }) => world.receive(packet, sensor.peer))
  }
