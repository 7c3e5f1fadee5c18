// A sensor that does what chance wants, at a broker that hangs up at some of it, with restarts of both: what was acknowledged and permitted
// arrives, nothing permitted is blamed, and nothing is left waiting.

import { expect, it } from 'vitest'
import type { Packet } from '../../../src/codec/v1/messages.ts'
import type { Effect } from '../../../src/session/events.ts'
import { bytes, spoolPolicy, text, type VirtualSensor, World } from '../../support/world.ts'

const LIVES = 40
const STEPS = 60
const poisoned = (topic: string): boolean => topic.startsWith('bad')

/** The same numbers for the same seed. */
function chanceOf(seed: number): () => number {
  let state = seed * 7919
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

/** One life of a sensor, with books on what was promised. */
class Life {
  readonly world: World
  readonly acknowledged = new Set<number>()
  readonly permitted = new Map<number, { readonly text: string; readonly qos: 1 | 2 }>()
  readonly commands: string[] = []
  readonly delivered: string[] = []
  brokerForgot = false
  readonly #sensor: VirtualSensor
  readonly #random: () => number
  readonly #topics: readonly number[]
  #msgId = 0
  #isAsleep = false

  constructor(seed: number, ack: 'store' | 'broker') {
    this.#random = chanceOf(seed)
    const spool = { ...spoolPolicy, messages: 1000, octets: 1e7 }
    const limits = { inflight: 64, queuedMessages: 5 }
    this.world = new World({ random: this.#random, policy: () => ({ ack, spool }), limits })
    this.world.store.lag = this.#pick(3)
    this.#spoilBroker()
    this.#sensor = this.world.sensor()
    this.#sensor.connect('dev1', { cleanSession: false, duration: 36_000 })
    this.#topics = ['good/1', 'good/2', 'bad/1', 'bad/2'].map((topic) => this.#sensor.register(topic))
    this.#sensor.subscribe('cmd', this.#pick(2) === 0 ? 1 : 2)
    this.world.ears.set(this.#sensor.peer.key, (packet) => this.#hear(packet))
  }

  #pick(count: number): number {
    return Math.floor(this.#random() * count)
  }

  #spoilBroker(): void {
    const { broker } = this.world
    if (this.#pick(2) === 0) broker.window = 5
    if (this.#pick(2) === 0) broker.closeLooksLike = 'unexplained'
    const releases = this.#pick(3) === 0
    const perform = broker.perform.bind(broker)
    broker.perform = (effect: Effect) => {
      if (effect.type === 'publish' && poisoned(effect.topic)) broker.hangUp(effect.session)
      else if (effect.type === 'subscribe' && poisoned(effect.filter)) broker.hangUp(effect.session)
      else if (effect.type === 'release' && releases && effect.token % 7 === 0) broker.hangUp(effect.session)
      else perform(effect)
    }
  }

  #say(packet: Packet): void {
    this.world.receive(packet, this.#sensor.peer)
  }

  #hear(packet: Packet): void {
    const answer = (reply: Packet) => this.world.after(1, () => this.#say(reply))
    if (packet.type === 'publish') {
      const { topicId, msgId, qos } = packet
      this.delivered.push(text(packet.data))
      if (qos === 1) answer({ type: 'puback', topicId, msgId, returnCode: 0 })
      if (qos === 2) answer({ type: 'pubrec', msgId })
    } else if (packet.type === 'pubrel') answer({ type: 'pubcomp', msgId: packet.msgId })
    else if (packet.type === 'register')
      answer({ type: 'regack', topicId: packet.topicId, msgId: packet.msgId, returnCode: 0 })
    else if (packet.type === 'puback' && packet.returnCode === 0) this.acknowledged.add(packet.msgId)
    else if (packet.type === 'pubrec') {
      this.acknowledged.add(packet.msgId)
      answer({ type: 'pubrel', msgId: packet.msgId })
    }
  }

  #publish(): void {
    if (this.#isAsleep) return
    const msgId = ++this.#msgId
    const qos = this.#pick(2) === 0 ? 1 : 2
    const place = this.#pick(3) === 0 ? 2 + this.#pick(2) : this.#pick(2)
    const isPoison = place >= 2
    const data = isPoison ? `poison ${this.#pick(3)}` : `message ${msgId}`
    if (!isPoison) this.permitted.set(msgId, { text: data, qos })
    const retain = isPoison && this.#pick(2) === 0
    const topicId = this.#topics[place] ?? 0
    this.#say({ type: 'publish', dup: false, qos, retain, topicIdType: 'normal', topicId, msgId, data: bytes(data) }) // biome-ignore format: one line reads better
  }

  #subscribe(): void {
    if (this.#isAsleep) return
    const topicName = this.#pick(2) === 0 ? 'bad/filter' : `filter/${this.#pick(3)}`
    const msgId = 60_000 + this.#pick(1000)
    this.#say({ type: 'subscribe', dup: false, qos: 1, msgId, topicIdType: 'normal', topicName })
  }

  #command(): void {
    for (let i = this.#pick(12); i >= 0; i -= 1) {
      const command = `command ${this.commands.length}`
      this.commands.push(command)
      const qos = this.#pick(2) === 0 ? 1 : 2
      this.world.broker.route({ topic: 'cmd', payload: bytes(command), qos }, 'office')
    }
  }

  #connect(): void {
    this.#say({ type: 'connect', will: false, cleanSession: false, protocolId: 1, duration: 36_000, clientId: 'dev1' }) // biome-ignore format: one line reads better
    this.#isAsleep = false
  }

  #sleepOrWake(): void {
    if (!this.#isAsleep) {
      this.#say({ type: 'disconnect', duration: 3600 })
      this.#isAsleep = true
    } else if (this.#pick(2) === 0) this.#say({ type: 'pingreq', clientId: 'dev1' })
    else {
      this.#connect()
      this.world.advance(5000)
    }
  }

  #crashBroker(): void {
    const { broker } = this.world
    broker.crash()
    this.world.advance(this.#pick(5000))
    broker.reachable = true
    if (this.#pick(4) > 0) return
    broker.stored.clear()
    this.brokerForgot = true
  }

  #decide(): void {
    const command = this.#pick(3) === 0 ? 'discardDeadLetters' : 'resendDeadLetters'
    this.world.happen(this.world.session('dev1'), { type: 'command', command })
  }

  live(): void {
    for (let step = 0; step < STEPS; step += 1) {
      const what = this.#pick(13)
      if (what < 6) this.#publish()
      else if (what < 7) this.world.restart(this.#pick(2000))
      else if (what < 8) this.#crashBroker()
      else if (what < 9) this.#subscribe()
      else if (what < 10) this.#command()
      else if (what < 11) this.#sleepOrWake()
      else if (what < 12) this.#decide()
      this.world.advance(this.#pick(3) === 0 ? this.#pick(20_000) : this.#pick(300))
    }
    while (this.#isAsleep) {
      this.#connect()
      this.world.advance(70_000)
    }
    for (let i = 0; i < 60; i += 1) {
      this.#say({ type: 'pingreq', clientId: null })
      this.world.advance(20_000)
    }
  }
}

it.each(
  (['store', 'broker'] as const).flatMap((ack) =>
    Array.from({ length: LIVES }, (_, seed) => [ack, seed] as const),
  ),
)('with acknowledgements of the %s, life %i [SN-PUB-10, SN-PUB-11, SN-MAP-4]', (ack, seed) => {
  const life = new Life(seed, ack)
  life.live()
  const { world, acknowledged, permitted, commands, delivered, brokerForgot } = life
  const { uplink, link } = world.session('dev1')
  const arrived = world.broker.published.map(({ payload }) => text(payload))
  const lost = [...permitted].filter(
    ([msgId, { text }]) => acknowledged.has(msgId) && !arrived.includes(text),
  )
  expect(lost).toEqual([])
  const blamed = world.effects.filter((effect) => effect.type === 'setAside' && !poisoned(effect.topic))
  expect(blamed).toEqual([])
  if (!brokerForgot) {
    const times = (wanted: string) => arrived.filter((one) => one === wanted).length
    expect([...permitted.values()].filter(({ text, qos }) => qos === 2 && times(text) > 1)).toEqual([])
    if (!world.drops().includes('queue-full'))
      expect(commands.filter((command) => !delivered.includes(command))).toEqual([])
  }
  expect([link.state, uplink.outgoing.size, uplink.spooled]).toEqual(['up', 0, { messages: 0, octets: 0 }])
  expect(world.spooled).toEqual({ messages: 0, octets: 0 })
  expect(world.deadLetters).toEqual({ messages: uplink.dead.size, octets: uplink.deadOctets })
  const kept = [...(world.store.disk.get('dev1')?.uplinks.values() ?? [])]
  expect(kept.filter(({ broker }) => broker === 'dead')).toHaveLength(uplink.dead.size)
  // of the rest only what waits for a PUBREL, or for a repetition, that this sensor does not send again
  expect(kept.filter(({ broker, sensor }) => broker !== 'dead' && sensor === 'released')).toEqual([])
})
