// Tries every ability of the table with every broker that is here: the table says what is true.

import { connect, type IClientOptions, type MqttClient, type Packet } from 'mqtt'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Broker } from '../support/broker.ts'
import { type Ability, abilities, factsOf } from '../support/broker-abilities.ts'
import { BROKER_START, oneOfEachBroker } from '../support/broker-table.ts'
import { pause } from './harness.ts'

/** Long enough for a message on this machine, and for a broker to make up its mind. */
const A_WHILE = 400

let names = 0
const fresh = (word: string) => `${word}${process.pid}-${++names}`

/** A plain client and all that came to it. */
class Probe {
  readonly client: MqttClient
  readonly packets: Packet[] = []
  readonly texts: string[] = []
  closed = false

  constructor(url: string, options: IClientOptions) {
    this.client = connect(url, { reconnectPeriod: 0, connectTimeout: 4000, protocolVersion: 4, ...options })
    this.client.on('packetreceive', (packet) => this.packets.push(packet))
    this.client.on('message', (topic, payload, { retain }) =>
      this.texts.push(`${topic} ${payload}${retain ? ' retained' : ''}`),
    )
    this.client.on('close', () => {
      this.closed = true
    })
    this.client.on('error', () => {})
  }

  /** Waits until a packet of this kind has come, or the broker has hung up. */
  async answer(cmd: Packet['cmd']): Promise<Packet | undefined> {
    for (let wait = 0; wait < 4000; wait += 5) {
      const packet = this.packets.find((one) => one.cmd === cmd)
      if (packet !== undefined || this.closed) return packet
      await pause(5)
    }
    return undefined
  }

  /** Cuts the connection as a crash would. */
  cut(): void {
    this.client.stream.destroy()
  }

  async end(): Promise<void> {
    await this.client.endAsync(true)
  }
}

/** What a trial may use; all its probes are ended after it. */
class Trial {
  readonly #url: string
  readonly #probes: Probe[] = []

  constructor(url: string) {
    this.#url = url
  }

  async probe(options: IClientOptions = {}): Promise<Probe> {
    const probe = new Probe(this.#url, { clientId: fresh('probe'), clean: true, ...options })
    this.#probes.push(probe)
    await probe.answer('connack')
    return probe
  }

  async end(): Promise<void> {
    await Promise.all(this.#probes.map((probe) => probe.end()))
  }
}

const refusal = (probe: Probe) => (probe.closed ? 'closes the connection' : 'no answer')

/** Subscribes and publishes to one topic. */
async function loop(trial: Trial, topic: string): Promise<string> {
  const probe = await trial.probe()
  probe.client.subscribe(topic, { qos: 1 }, () => {})
  const suback = await probe.answer('suback')
  if (suback?.cmd !== 'suback') return `SUBSCRIBE: ${refusal(probe)}`
  const refused = suback.granted[0] === 0x80 ? 'SUBSCRIBE: refused, ' : ''
  probe.client.publish(topic, 'm', { qos: 1 })
  await pause(A_WHILE)
  if (probe.closed) return `${refused}PUBLISH: closes the connection`
  const [text] = probe.texts
  return text === `${topic} m`
    ? 'delivered'
    : text === undefined
      ? 'not delivered'
      : `delivered as ${text.slice(0, -2)}`
}

/** Cuts a connection with a will while another client listens; the milliseconds until the will came. */
async function leaveWill(trial: Trial, topic: string, will: object, options: IClientOptions = {}) {
  const listener = await trial.probe()
  await listener.client.subscribeAsync(topic, { qos: 1 })
  const lost = await trial.probe({
    ...options,
    will: { topic, payload: Buffer.from('gone'), qos: 1, ...will } as never,
  })
  const refused = lost.closed
  const cutAt = performance.now()
  lost.cut()
  for (let wait = 0; wait < 2500 && listener.texts.length === 0; wait += 10) await pause(10)
  return { refused, came: listener.texts.length > 0, after: performance.now() - cutAt }
}

const trials: Readonly<Record<Ability, (trial: Trial) => Promise<string>>> = {
  'MQTT 5': async (trial) => {
    const probe = await trial.probe({ protocolVersion: 5 })
    const connack = await probe.answer('connack')
    if (connack?.cmd !== 'connack') return refusal(probe)
    const code = connack.reasonCode ?? connack.returnCode
    return code === 0 ? 'accepted' : `CONNACK ${code}`
  },
  'QoS 2 towards the broker': async (trial) => {
    const probe = await trial.probe()
    probe.client.publish(fresh('t'), 'm', { qos: 2 })
    const [first] = await Promise.race([
      Promise.all([probe.answer('pubrec')]),
      Promise.all([probe.answer('puback')]),
    ])
    return first?.cmd.toUpperCase() ?? refusal(probe)
  },
  'QoS 2 from the broker': async (trial) => {
    const probe = await trial.probe()
    probe.client.subscribe(fresh('t'), { qos: 2 })
    const suback = await probe.answer('suback')
    return suback?.cmd === 'suback' ? `grants ${suback.granted[0]}` : refusal(probe)
  },
  'retained messages': async (trial) => {
    const topic = fresh('t')
    const [writer, reader] = [await trial.probe(), await trial.probe()]
    await writer.client.publishAsync(topic, 'kept', { qos: 1, retain: true })
    await pause(A_WHILE) // NATS keeps it a moment after it has acknowledged it
    const counts = []
    for (let round = 0; round < 2; round++) {
      await reader.client.subscribeAsync(topic, { qos: 1 })
      await pause(A_WHILE)
      counts.push(reader.texts.filter((text) => text === `${topic} kept retained`).length)
    }
    await writer.client.publishAsync(topic, '', { qos: 1, retain: true })
    await pause(A_WHILE)
    const late = await trial.probe()
    await late.client.subscribeAsync(topic, { qos: 1 })
    await pause(A_WHILE)
    return `${counts.join(', ')}, then ${late.texts.length === 0 ? 'none' : late.texts.length}`
  },
  'retained messages for wildcards': async (trial) => {
    const topic = fresh('t')
    const probe = await trial.probe()
    await probe.client.publishAsync(`${topic}/b`, 'kept', { qos: 1, retain: true })
    await pause(A_WHILE)
    await probe.client.subscribeAsync(`${topic}/+`, { qos: 1 })
    await pause(A_WHILE)
    return probe.texts.length > 0 ? 'sent' : 'not sent'
  },
  wildcards: async (trial) => {
    const top = fresh('t')
    let hits = 0
    for (const filter of ['+/x/b', `${top}/+/b`, `${top}/x/+`, `${top}/#`, `${top}/x/b/#`]) {
      const probe = await trial.probe()
      await probe.client.subscribeAsync(filter, { qos: 0 })
      await probe.client.publishAsync(`${top}/x/b`, 'm', { qos: 1 })
      await pause(A_WHILE)
      hits += probe.texts.length
    }
    return `${hits} of 5`
  },
  'wildcards without $ topics': async (trial) => {
    const [reader, writer] = [await trial.probe(), await trial.probe()]
    for (const filter of ['#', '+/+']) await reader.client.subscribeAsync(filter, { qos: 0 })
    await writer.client.publishAsync('$x/y', 'm', { qos: 0 })
    await pause(A_WHILE)
    return reader.texts.some((text) => text.startsWith('$')) ? 'delivered' : 'none'
  },
  'overlapping subscriptions': async (trial) => {
    const topic = fresh('t')
    const probe = await trial.probe()
    await probe.client.subscribeAsync(`${topic}/b`, { qos: 1 })
    await probe.client.subscribeAsync(`${topic}/+`, { qos: 1 })
    await probe.client.publishAsync(`${topic}/b`, 'm', { qos: 1 })
    await pause(A_WHILE)
    return ['none', 'one copy', 'two copies'][probe.texts.length] ?? 'more'
  },
  'shared subscriptions': async (trial) => {
    const topic = fresh('t')
    const probe = await trial.probe()
    await probe.client.subscribeAsync(`$share/g/${topic}`, { qos: 1 })
    await probe.client.publishAsync(topic, 'm', { qos: 1 })
    await pause(A_WHILE)
    return probe.texts.length === 1 ? 'delivered' : 'granted, never delivered'
  },
  'persistent sessions': async (trial) => {
    const topic = fresh('t')
    const options = { clientId: fresh('persistent'), clean: false }
    const before = await trial.probe(options)
    await before.client.subscribeAsync(topic, { qos: 1 })
    await before.client.endAsync()
    const writer = await trial.probe()
    for (const text of ['1', '2', '3']) await writer.client.publishAsync(topic, text, { qos: 1 })
    const after = await trial.probe(options)
    const connack = await after.answer('connack')
    await pause(A_WHILE)
    const present = connack?.cmd === 'connack' && connack.sessionPresent
    const inOrder = after.texts.map((text) => text.slice(-1)).join('') === '123'
    return `session ${present ? '' : 'not '}present, ${after.texts.length}${inOrder ? ' in order' : ''}`
  },
  'prompt repetition': async (trial) => {
    const topic = fresh('t')
    const options = { clientId: fresh('repeats'), clean: false }
    const before = await trial.probe(options)
    before.client.handleMessage = () => {} // never done with it, hence no PUBACK
    await before.client.subscribeAsync(topic, { qos: 1 })
    const writer = await trial.probe()
    await writer.client.publishAsync(topic, 'm', { qos: 1 })
    await before.answer('publish')
    before.cut()
    const after = await trial.probe(options)
    await pause(A_WHILE)
    return after.texts.length > 0 ? 'sent again at once' : 'not sent again at once'
  },
  'order across QoS levels': async (trial) => {
    const topic = fresh('t')
    const [reader, writer] = [await trial.probe(), await trial.probe()]
    await reader.client.subscribeAsync(topic, { qos: 1 })
    const sent = Array.from({ length: 80 }, (_, index) => `${topic} ${index}`)
    for (const index of sent.keys()) {
      // MQTT.js itself lets one QoS overtake the other unless each QoS 1 is waited for.
      if (index % 2 === 0) writer.client.publish(topic, `${index}`, { qos: 0 })
      else await writer.client.publishAsync(topic, `${index}`, { qos: 1 })
    }
    for (let wait = 0; wait < 4000 && reader.texts.length < sent.length; wait += 20) await pause(20)
    return reader.texts.join() === sent.join() ? 'in order' : 'out of order'
  },
  wills: async (trial) => {
    const { came } = await leaveWill(trial, fresh('t'), {})
    return came ? 'published' : 'not published'
  },
  'retained wills': async (trial) => {
    const topic = fresh('t')
    await leaveWill(trial, topic, { retain: true })
    await pause(A_WHILE)
    const late = await trial.probe()
    await late.client.subscribeAsync(topic, { qos: 1 })
    await pause(A_WHILE)
    return late.texts[0] === `${topic} gone retained` ? 'kept' : 'not kept'
  },
  'wills of lasting sessions': async (trial) => {
    const options = { protocolVersion: 5, properties: { sessionExpiryInterval: 60 } } as const
    const { refused, came } = await leaveWill(trial, fresh('t'), {}, options)
    return refused ? 'no MQTT 5' : came ? 'published' : 'not published'
  },
  'wills by DISCONNECT': async (trial) => {
    const topic = fresh('t')
    const listener = await trial.probe()
    await listener.client.subscribeAsync(topic, { qos: 1 })
    const will = { topic, payload: Buffer.from('gone'), qos: 1, retain: false } as const
    const leaver = await trial.probe({ protocolVersion: 5, will })
    if (leaver.closed) return 'no MQTT 5'
    await leaver.client.endAsync(false, { reasonCode: 4 })
    await pause(A_WHILE)
    return listener.texts.length > 0 ? 'published' : 'not published'
  },
  'will delay': async (trial) => {
    const options = { protocolVersion: 5, properties: { sessionExpiryInterval: 60 } } as const
    const delayed = { properties: { willDelayInterval: 1 } }
    const { refused, came, after } = await leaveWill(trial, fresh('t'), delayed, options)
    if (refused) return 'no MQTT 5'
    return came ? `published ${after > 900 ? 'after 1 s' : 'at once'}` : 'not published'
  },
  takeover: async (trial) => {
    const clientId = fresh('taken')
    const older = await trial.probe({ clientId })
    const younger = await trial.probe({ clientId })
    await pause(A_WHILE)
    if (older.closed === younger.closed) return older.closed ? 'closes both' : 'keeps both'
    return older.closed ? 'closes the older one' : 'closes the younger one'
  },
  'takeover told': async (trial) => {
    const options = { clientId: fresh('taken'), protocolVersion: 5 } as const
    const older = await trial.probe(options)
    if (older.closed) return 'no MQTT 5'
    await trial.probe(options)
    const told = await older.answer('disconnect')
    return told?.cmd === 'disconnect' ? `DISCONNECT ${told.reasonCode}` : 'closes without a word'
  },
  'quick returns': async (trial) => {
    const clientId = fresh('returns')
    let accepted = 0
    for (let round = 0; round < 20; round++) {
      const probe = await trial.probe({ clientId, clean: false })
      if (probe.packets[0]?.cmd === 'connack' && probe.packets[0].returnCode === 0) accepted++
      probe.cut()
    }
    return accepted === 20 ? '20 of 20 accepted' : 'hangs up on some'
  },
  'polite returns': async (trial) => {
    const [topic, clientId] = [fresh('t'), fresh('polite')]
    const listener = await trial.probe()
    await listener.client.subscribeAsync(topic, { qos: 1 })
    const will = { topic, payload: Buffer.from('gone'), qos: 1, retain: false } as const
    for (let round = 0; round < 20; round++) {
      const { client } = await trial.probe({ clientId, will })
      client.end()
    }
    await pause(A_WHILE)
    return listener.texts.length === 0 ? 'no will' : 'publishes wills'
  },
  'dots in topics': (trial) => loop(trial, 'a.b'),
  'blanks in topics': (trial) => loop(trial, 'a b'),
  'asterisks in topics': (trial) => loop(trial, 'a*b'),
  'empty levels in topics': (trial) => loop(trial, '/a//b/'),
}

// side by side: RabbitMQ takes its time to start
describe.concurrent.each(oneOfEachBroker())('$broker is as the table says', ({ broker: name, start }) => {
  let broker: Broker

  beforeAll(async () => {
    broker = await start()
  }, BROKER_START)

  afterAll(() => broker?.close())

  it.concurrent.each(Object.keys(trials) as Ability[])('%s', async (ability) => {
    const trial = new Trial(broker.url)
    try {
      const { good } = abilities[ability]
      const fact = factsOf(name)?.lacks[ability] ?? good
      const atTimes = /^at times: (.*)$/.exec(fact)?.[1]
      expect(atTimes === undefined ? [fact] : [good, atTimes]).toContain(await trials[ability](trial))
    } finally {
      await trial.end()
    }
  })
})
