// From the broker to the sensor: REGISTER where the topic is new, then PUBLISH [6.5, 6.6, 6.10].

import { describe, expect, it } from 'vitest'
import type { Packet } from '../../../src/codec/v1/messages.ts'
import { answerTo } from '../../support/patient.ts'
import { bytes, type VirtualSensor, World } from '../../support/world.ts'

type Options = ConstructorParameters<typeof World>[0]

/** A sensor that is connected and has subscribed. */
function subscribed(filters: string[], options: Options = {}, qos: 0 | 1 | 2 = 2): [World, VirtualSensor] {
  const world = new World({ predefined: { 7: 'pre/seven' }, ...options })
  const sensor = world.sensor()
  sensor.connect('dev1', { cleanSession: false, duration: 3600 })
  for (const filter of filters) sensor.subscribe(filter, qos)
  world.happened()
  return [world, sensor]
}

/** Answers all that came as a willing sensor would, and returns what comes then. */
function answer(sensor: VirtualSensor, packets = sensor.take()): Packet[] {
  return packets.flatMap((packet) => {
    const reply = answerTo(packet)
    return reply === undefined ? [] : sensor.send(reply)
  })
}

const exchange = (world: World) => world.happened().filter((line) => line.startsWith('sensor'))
const datas = (packets: Packet[]) =>
  packets.flatMap((packet) => (packet.type === 'publish' ? [new TextDecoder().decode(packet.data)] : []))

describe('a topic that the sensor subscribed by name', () => {
  it('is sent with the id from SUBACK, at once [SN-GPUB-1]', () => {
    const [world, sensor] = subscribed(['s/a'])
    world.publish('s/a', 'on', 1)
    expect(sensor.take()).toEqual([
      {
        type: 'publish', dup: false, qos: 1, retain: false,
        topicIdType: 'normal', topicId: 1, msgId: 1, data: bytes('on'),
      },
    ]) // biome-ignore format: a message
  })
})

describe('a topic that a wildcard matches', () => {
  it('is registered first, and sent after REGACK [SN-GPUB-2]', () => {
    const [world, sensor] = subscribed(['s/+'])
    world.publish('s/a', 'on', 1)
    world.advance(9000)
    const [asked, ...rest] = sensor.take()
    expect([asked, rest]).toEqual([{ type: 'register', topicId: 1, msgId: 1, topicName: 's/a' }, []])
    expect(sensor.send({ type: 'regack', topicId: 1, msgId: 1, returnCode: 0 })).toMatchObject([
      { type: 'publish', topicIdType: 'normal', topicId: 1, msgId: 1, data: bytes('on') },
    ])
  })

  it('is registered once per connection, and its later messages go directly [SN-GPUB-2]', () => {
    const [world, sensor] = subscribed(['s/+'])
    for (const text of ['1', '2', '3']) world.publish('s/a', text)
    answer(sensor)
    world.publish('s/a', '4')
    expect(exchange(world)).toEqual([
      'sensor ← REGISTER s/a',
      'sensor → REGACK accepted',
      'sensor ← PUBLISH qos 0 normal topic, "1"',
      'sensor ← PUBLISH qos 0 normal topic, "2"',
      'sensor ← PUBLISH qos 0 normal topic, "3"',
      'sensor ← PUBLISH qos 0 normal topic, "4"',
    ])
  })

  it('is registered again in a new connection, with the same id [SN-GPUB-2, SN-SESS-9]', () => {
    const [world, sensor] = subscribed(['s/+'])
    world.publish('s/a', '1')
    answer(sensor)
    sensor.send({ type: 'disconnect', duration: null })
    sensor.connect('dev1', { cleanSession: false })
    world.publish('s/a', '2')
    expect(sensor.take()).toMatchObject([{ type: 'register', topicId: 1, topicName: 's/a' }])
  })

  it('is registered by its name, never by the filter [SN-GPUB-3]', () => {
    const [world, sensor] = subscribed(['s/+', '#'])
    world.publish('s/a', '1')
    world.publish('t/b', '2')
    const asked = [...sensor.take()]
    asked.push(...answer(sensor, asked))
    expect(asked.flatMap((packet) => (packet.type === 'register' ? [packet.topicName] : []))).toEqual([
      's/a',
      't/b',
    ])
  })

  it('is registered one at a time; what is behind waits in order [SN-GPUB-4]', () => {
    const [world, sensor] = subscribed(['s/+'])
    for (const topic of ['s/a', 's/b', 's/a']) world.publish(topic, topic)
    const first = sensor.take()
    expect(first).toMatchObject([{ type: 'register', topicName: 's/a' }])
    const second = answer(sensor, first)
    expect(second).toMatchObject([{ type: 'publish' }, { type: 'register', topicName: 's/b' }])
    expect(answer(sensor, second).map(({ type }) => type)).toEqual(['publish', 'publish'])
  })

  it('is registered by a REGACK with its MsgId, whatever the topic id in it: some clients err about that [SN-GPUB-5]', () => {
    const [world, sensor] = subscribed(['s/+'])
    world.publish('s/a', 'on')
    expect(sensor.send({ type: 'regack', topicId: 9, msgId: 1, returnCode: 0 })).toMatchObject([
      { type: 'publish', topicId: 1 },
    ])
  })

  it('stays unregistered after a REGACK with another MsgId [SN-GPUB-5]', () => {
    const [world, sensor] = subscribed(['s/+'])
    world.publish('s/a', 'on')
    expect(sensor.send({ type: 'regack', topicId: 1, msgId: 9, returnCode: 0 })).toEqual([])
    expect(world.drops()).toEqual(['unasked'])
    const right = { type: 'regack', topicId: 1, msgId: 1, returnCode: 0 } as const
    expect(sensor.send(right)).toMatchObject([{ type: 'publish' }])
  })
})

describe('the form of the topic', () => {
  /** "ab" */
  const short = 0x6162
  const subscribe = (form: 'predefined' | 'short', topicId: number): Packet => ({
    type: 'subscribe', dup: false, qos: 0, msgId: 90, topicIdType: form, topicId,
  }) // biome-ignore format: one line reads better

  it('is the one that the sensor subscribed with [SN-GPUB-14]', () => {
    const [world, sensor] = subscribed(['cd'])
    sensor.send(subscribe('short', short))
    sensor.send(subscribe('predefined', 7))
    for (const topic of ['ab', 'pre/seven', 'cd']) world.publish(topic, 'x')
    expect(sensor.take()).toMatchObject([
      { topicIdType: 'short', topicId: short },
      { topicIdType: 'predefined', topicId: 7 },
      { topicIdType: 'normal', topicId: 1 }, // by name, though it has two octets
    ])
  })

  it('is the normal id also for a predefined name that was subscribed by name [SN-GPUB-14]', () => {
    const [world, sensor] = subscribed(['pre/seven'])
    world.publish('pre/seven', 'x')
    expect(sensor.take()).toMatchObject([{ topicIdType: 'normal', topicId: 1 }])
  })

  it('is under a wildcard the predefined id, else the short name, else a registered id [SN-GPUB-14]', () => {
    const [world, sensor] = subscribed(['#'], { predefined: { 7: 'pre/seven', 8: 'xy' } })
    for (const topic of ['pre/seven', 'xy', 'ab', 'é', 'a']) world.publish(topic, 'x')
    expect(sensor.take()).toMatchObject([
      { topicIdType: 'predefined', topicId: 7 },
      { topicIdType: 'predefined', topicId: 8 },
      { topicIdType: 'short', topicId: short },
      { topicIdType: 'short', topicId: 0xc3a9 },
      { type: 'register', topicName: 'a' }, // one octet is no short name
    ])
  })
})

describe('QoS and flags', () => {
  it('are those that the broker sends with [SN-MAP-19]', () => {
    const [world, sensor] = subscribed(['s/a'], {}, 1)
    for (const qos of [0, 1, 2] as const) {
      world.publish('s/a', 'x', qos)
      const [message] = sensor.take()
      expect(message).toMatchObject({ type: 'publish', qos: Math.min(qos, 1) })
      answer(sensor, message === undefined ? [] : [message])
    }
  })

  it('keep retain as the broker sent it: set only for what was retained before subscribing [SN-GPUB-15, SN-MAP-18]', () => {
    const [world, sensor] = subscribed([])
    world.publish('s/a', 'old', 0, { retain: true })
    const [, old] = sensor.subscribe('s/a')
    world.publish('s/a', 'new', 0, { retain: true })
    expect([old, ...sensor.take()]).toMatchObject([{ retain: true }, { retain: false }])
  })

  it('hand the payload on octet for octet [SN-FLD-4]', () => {
    const [world, sensor] = subscribed(['s/a'])
    const data = Uint8Array.from({ length: 256 }, (_, i) => i)
    world.publish('s/a', data)
    expect(sensor.take()).toMatchObject([{ data }])
  })

  it('QoS 0 has MsgId 0; the others count on from 1, and REGISTER has that of its message [SN-GPUB-10]', () => {
    const [world, sensor] = subscribed(['s/+'])
    world.publish('s/a', '0')
    let came = answer(sensor)
    expect(came).toMatchObject([{ type: 'publish', qos: 0, msgId: 0 }])
    const msgIds: number[] = []
    for (const topic of ['s/a', 's/b', 's/a']) {
      world.publish(topic, 'x', 1)
      for (came = sensor.take(); came.length > 0; came = answer(sensor, came)) {
        for (const packet of came) if ('msgId' in packet) msgIds.push(packet.msgId)
      }
    }
    expect(msgIds).toEqual([2, 3, 3, 4]) // 1 was the first REGISTER
  })

  it('MsgId goes from 65535 to 1 [SN-GPUB-10]', () => {
    const [world, sensor] = subscribed(['s/a'])
    world.session('dev1').downlink.nextMessage = 0xffff
    world.publish('s/a', '1', 1)
    world.publish('s/a', '2', 1)
    const first = sensor.take()
    const second = answer(sensor, first)
    expect([...first, ...second]).toMatchObject([{ msgId: 0xffff }, { msgId: 1 }])
  })
})

describe('order', () => {
  it('is kept: one QoS 1 or 2 PUBLISH at a time, and QoS 0 does not overtake it [SN-GPUB-11]', () => {
    const [world, sensor] = subscribed(['s/a'])
    world.publish('s/a', '1', 1)
    world.publish('s/a', '2', 0)
    world.publish('s/a', '3', 2)
    world.publish('s/a', '4', 0)
    expect(datas(sensor.take())).toEqual(['1'])
    expect(datas(sensor.send({ type: 'puback', topicId: 1, msgId: 1, returnCode: 0 }))).toEqual(['2', '3'])
    expect(sensor.send({ type: 'pubrec', msgId: 3 })).toEqual([{ type: 'pubrel', msgId: 3 }])
    expect(datas(sensor.send({ type: 'pubcomp', msgId: 3 }))).toEqual(['4'])
  })

  it('QoS 1 is over with PUBACK, QoS 2 with PUBCOMP [SN-GPUB-12]', () => {
    const [world, sensor] = subscribed(['s/a'])
    world.publish('s/a', '1', 1)
    world.publish('s/a', '2', 2)
    for (let came = sensor.take(); came.length > 0; ) came = answer(sensor, came)
    expect(exchange(world)).toEqual([
      'sensor ← PUBLISH qos 1 normal topic, "1"',
      'sensor → PUBACK accepted',
      'sensor ← PUBLISH qos 2 normal topic, "2"',
      'sensor → PUBREC',
      'sensor ← PUBREL',
      'sensor → PUBCOMP',
    ])
    expect(world.session('dev1').downlink).toMatchObject({
      queue: [],
      outstanding: undefined,
      releasing: undefined,
    })
  })

  it('a repeated PUBREC gets PUBREL again [SN-GPUB-12]', () => {
    const [world, sensor] = subscribed(['s/a'])
    world.publish('s/a', '2', 2)
    for (let i = 0; i < 3; i++)
      expect(sensor.send({ type: 'pubrec', msgId: 1 })).toEqual([{ type: 'pubrel', msgId: 1 }])
  })

  it.each([
    ['PUBACK with another MsgId', { type: 'puback', topicId: 1, msgId: 9, returnCode: 0 }],
    ['PUBREC', { type: 'pubrec', msgId: 1 }],
    ['PUBCOMP', { type: 'pubcomp', msgId: 1 }],
  ] as const)('%s does not complete QoS 1 [SN-GPUB-12]', (_, packet) => {
    const [world, sensor] = subscribed(['s/a'])
    world.publish('s/a', '1', 1)
    sensor.send(packet)
    expect(world.session('dev1').downlink.queue).toHaveLength(1)
    expect(world.drops()).toEqual(['unasked'])
  })

  it.each([
    ['PUBACK', { type: 'puback', topicId: 1, msgId: 1, returnCode: 0 }],
    ['PUBCOMP before PUBREC', { type: 'pubcomp', msgId: 1 }],
    ['PUBREC with another MsgId', { type: 'pubrec', msgId: 2 }],
  ] as const)('%s does not complete QoS 2 [SN-GPUB-12]', (_, packet) => {
    const [world, sensor] = subscribed(['s/a'])
    world.publish('s/a', '1', 2)
    sensor.send(packet)
    expect(world.session('dev1').downlink.queue).toHaveLength(1)
    expect(world.drops()).toEqual(['unasked'])
  })

  it('the MsgIds of both directions are independent: the same number is open in both [SN-GPUB-16]', () => {
    const [world, sensor] = subscribed(['s/a'])
    world.publish('s/a', 'down', 2)
    expect(sensor.take()).toMatchObject([{ type: 'publish', msgId: 1 }])
    expect(sensor.publish(1, 'up', { qos: 2, msgId: 1 })).toEqual([{ type: 'pubrec', msgId: 1 }])
    expect(sensor.send({ type: 'pubrec', msgId: 1 })).toEqual([{ type: 'pubrel', msgId: 1 }])
    expect(sensor.send({ type: 'pubrel', msgId: 1 })).toEqual([{ type: 'pubcomp', msgId: 1 }])
    expect(world.session('dev1').downlink.releasing).toBe(1)
    sensor.send({ type: 'pubcomp', msgId: 1 })
    expect(world.session('dev1').downlink.releasing).toBeUndefined()
    // the sensor's own message came back to it, as it subscribed that topic
    expect(world.broker.published.map(({ from }) => from)).toEqual(['other', 'dev1'])
  })

  it('overlapping subscriptions bring once what the broker sends once [SN-GPUB-17]', () => {
    const [world, sensor] = subscribed(['s/a', 's/+', '#'])
    world.publish('s/a', 'x')
    expect(datas(sensor.take())).toEqual(['x'])
  })
})

describe('a link with 60 octets per message', () => {
  it('carries 53 octets of payload, and drops 54 silently, acknowledged [SN-GPUB-9]', () => {
    const [world, sensor] = subscribed(['s/a'], { maxMessage: 60 })
    world.publish('s/a', 'x'.repeat(54), 1)
    expect(sensor.take()).toEqual([])
    expect(world.broker.acknowledged).toEqual([1])
    expect(world.drops()).toEqual(['too-long'])
    world.publish('s/a', 'x'.repeat(53), 1)
    expect(sensor.take()).toMatchObject([{ type: 'publish' }])
  })

  it('carries a REGISTER of a name of 54 octets, and drops what a longer name belongs to [SN-GPUB-9]', () => {
    const [world, sensor] = subscribed(['#'], { maxMessage: 60 })
    world.publish(`s/${'n'.repeat(53)}`, 'x', 1)
    expect(sensor.take()).toEqual([])
    expect(world.broker.acknowledged).toEqual([1])
    expect(world.drops()).toEqual(['too-long'])
    world.publish(`s/${'n'.repeat(52)}`, 'x', 1)
    expect(sensor.take()).toMatchObject([{ type: 'register' }])
  })

  it('does not buffer for a sleeping sensor what it can never carry [SN-GPUB-9]', () => {
    const [world, sensor] = subscribed(['s/a'], { maxMessage: 60 })
    sensor.sleep(600)
    world.publish('s/a', 'x'.repeat(54), 1)
    expect(world.session('dev1').downlink.queue).toEqual([])
    expect([world.drops(), world.broker.acknowledged]).toEqual([['too-long'], [1]])
  })

  it('goes on with the next message after one that is too long [SN-GPUB-9]', () => {
    const [world, sensor] = subscribed(['#'], { maxMessage: 60 })
    for (const topic of ['s/a', `s/${'n'.repeat(53)}`, 's/b']) world.publish(topic, topic)
    const came = answer(sensor)
    expect([...datas(came), ...datas(answer(sensor, came))]).toEqual(['s/a', 's/b'])
  })
})

describe('the gateway takes a message over from the broker', () => {
  it('stored first, acknowledged then, sent at last: before the sensor has answered, active or not [AMB-28, SN-MAP-22, SN-MAP-23]', () => {
    const [world, sensor] = subscribed(['s/a'])
    const before = world.effects.length
    world.publish('s/a', 'x', 2)
    expect(world.effects.slice(before).map(({ type }) => type)).toEqual([
      'keepMessage',
      'saveProgress', // the identifier of QoS 2
      'acknowledge',
      'send',
    ])
    answer(sensor, answer(sensor))
    sensor.sleep(600)
    const qos1 = world.effects.length
    world.publish('s/a', 'one', 1)
    expect(world.effects.slice(qos1).map(({ type }) => type)).toEqual(['keepMessage', 'acknowledge'])
    const asleep = world.effects.length
    world.publish('s/a', 'y', 2)
    expect(world.effects.slice(asleep).map(({ type }) => type)).toEqual([
      'keepMessage',
      'saveProgress', // the identifier of QoS 2
      'acknowledge',
    ])
  })

  it('QoS 0 is neither stored nor acknowledged', () => {
    const [world] = subscribed(['s/a'])
    const before = world.effects.length
    world.publish('s/a', 'x', 0)
    expect(world.effects.slice(before).map(({ type }) => type)).toEqual(['send'])
  })

  it.each([1, 2] as const)(
    'QoS %i that was stored and not delivered comes again after a crash of the gateway [SN-MAP-22, SN-MAP-24]',
    (qos) => {
      const [world, sensor] = subscribed(['s/a'])
      world.publish('s/a', 'x', qos)
      const [first] = sensor.take()
      world.advance(300) // the sensor did not answer at once: the gateway takes it over
      world.restart()
      expect(world.totals.queuedMessages).toBe(1)
      world.advance(10_000)
      expect(sensor.take()).toEqual([{ ...first, dup: true }])
    },
  )

  it('a sensor that never answers holds up neither its own requests nor the acknowledgements [SN-MAP-25]', () => {
    const [world, sensor] = subscribed(['s/a'])
    for (let i = 1; i <= 5; i++) world.publish('s/a', `${i}`, 1)
    expect(world.broker.acknowledged).toEqual([1, 2, 3, 4, 5])
    sensor.take()
    expect(sensor.publish(1, 'up', { qos: 1, msgId: 9 })[0]).toMatchObject({ type: 'puback', msgId: 9 })
    expect(sensor.subscribe('t/a')).toMatchObject([{ type: 'suback' }])
    expect(sensor.send({ type: 'pingreq', clientId: null })).toEqual([{ type: 'pingresp' }])
  })

  it('QoS 2 reaches the sensor once, though it connects anew between PUBREC and PUBCOMP [SN-MAP-24]', () => {
    const [world, sensor] = subscribed(['s/a'])
    world.publish('s/a', 'x', 2)
    expect(sensor.send({ type: 'pubrec', msgId: 1 })).toEqual([{ type: 'pubrel', msgId: 1 }]) // lost
    sensor.send({ type: 'disconnect', duration: null })
    expect(sensor.connect('dev1', { cleanSession: false })).toEqual([
      { type: 'connack', returnCode: 0 },
      { type: 'pubrel', msgId: 1 },
    ])
    sensor.send({ type: 'pubcomp', msgId: 1 })
    world.advance(60_000)
    expect(sensor.take()).toEqual([])
  })

  it('QoS 2 without PUBREC is sent again in the next connection, as the same message [SN-MAP-24]', () => {
    const [world, sensor] = subscribed(['s/a'])
    world.publish('s/a', 'x', 2)
    sensor.send({ type: 'disconnect', duration: null })
    const came = sensor.connect('dev1', { cleanSession: false })
    expect(answer(sensor, came)).toMatchObject([{ type: 'publish', qos: 2, msgId: 1, dup: true }])
  })
})
