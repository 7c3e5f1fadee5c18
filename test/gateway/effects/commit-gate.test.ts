// What waits for the store and what does not: of each sensor two lanes, in order, and no other sensor behind them.

import { describe, expect, it } from 'vitest'
import type { Packet } from '../../../src/codec/v1/messages.ts'
import { createCounters } from '../../../src/gateway/counters.ts'
import { createEffectPerformer } from '../../../src/gateway/effects/perform.ts'
import { createRefusals } from '../../../src/gateway/reports/refusals.ts'
import { createSensorRules } from '../../../src/gateway/rules/sensor-rules.ts'
import { createHistogram } from '../../../src/histogram.ts'
import { silentLog } from '../../../src/log.ts'
import type { Effect, Event, UpstreamEvent } from '../../../src/session/events.ts'
import type { Peer } from '../../../src/session/peers.ts'
import { createSession, type Session } from '../../../src/session/session.ts'
import { createMemoryStore } from '../../../src/store/memory.ts'
import type { Store } from '../../../src/store/store.ts'
import type { Upstream } from '../../../src/upstream/upstream.ts'
import { testConfig } from '../../support/gateway.ts'

const rules = createSensorRules(testConfig('embedded', {}), Math.random)
const listener = { name: 'field', maxMessage: 1000, roaming: 'off' } as const
const peer: Peer = { key: 1, listener, address: '127.0.0.1', port: 5000 }

/** A store whose writes are durable, or fail, when the test says so. */
class SlowStore implements Pick<Store, 'written' | 'durable' | 'onDurable'> {
  durable = 0
  written = 0
  isFailing = false
  isShared = false
  #waiting: ((error?: Error) => void)[] = []

  onDurable(done: (error?: Error) => void): void {
    this.#waiting.push(done)
  }

  settle(error?: Error, upTo = this.written): void {
    if (error === undefined) this.durable = upTo
    for (const done of this.#waiting.splice(0)) done(error)
  }

  /** All of a store; what is written is of no interest here. */
  get all(): Store {
    const write = () => void this.written++
    const writes = { save: write, saveProgress: write, forget: write, keepMessage: write, dropMessage: write }
    const memory = createMemoryStore()
    const self = this
    return {
      ...memory,
      ...writes,
      keepUplink: write,
      dropUplink: write,
      onDurable: (done) => self.onDurable(done),
      get isShared() {
        return self.isShared
      },
      get isFailing() {
        return self.isFailing
      },
      get written() {
        return self.written
      },
      get durable() {
        return self.durable
      },
    }
  }
}

/** A performer, and all that it did, as short words such as `a send regack` and `b publish 2`. */
function scene(store: Store) {
  const done: string[] = []
  const abandoned: string[] = []
  const heard: Event[] = []
  const counters = createCounters()
  const reports: ((event: UpstreamEvent) => void)[] = []
  let current = ''
  const upstream: Pick<Upstream, 'connection' | 'publishAnonymous'> = {
    connection(onEvent) {
      const name = current
      reports.push(onEvent)
      const note = (what: string) => void done.push(`${name} ${what}`)
      return {
        connect: ({ mend }) => note(mend ? 'mend' : 'connect'),
        publish: (token, topic, _payload, qos, _retain, repeated) =>
          note(`publish ${topic} ${qos} ${token}${repeated ? ' again' : ''}`),
        release: (token) => note(`release ${token}`),
        subscribe: (_token, filter) => note(`subscribe ${filter}`),
        unsubscribe: (_token, filter) => note(`unsubscribe ${filter}`),
        acknowledge: (ack) => note(`acknowledge ${ack}`),
        close: (will, final) => note(`close${will ? ' with will' : ''}${final ? ' for good' : ''}`),
        isFlushed: () => true,
        cut: () => note('cut'),
      }
    },
    publishAnonymous: () => done.push('anonymous') > 0,
  }
  const performer = createEffectPerformer(
    {
      upstream: upstream as Upstream,
      sessions: { byClientId: new Map() },
      store,
      rules,
      counters,
      latency: createHistogram(),
      log: silentLog,
      transmitter: {
        send: ({ session, packet }) => void done.push(`${session?.clientId} send ${packet.type}`),
        gwinfo() {},
      },
      refusals: createRefusals({ counters, log: silentLog, onRefused() {} }),
      admissions: { ask: () => {} },
      observers: {
        discarded() {},
        heard() {},
        effect(effect) {
          if ('session' in effect && effect.session !== undefined) current = effect.session.clientId
          if (effect.type === 'changed') done.push(`${effect.session.clientId} ${effect.to}`)
        },
      },
    },
    {
      dispatch: (_session, event) => void heard.push(event),
      admitted() {},
      attempt: (_session, step) => step(),
      abandon: ({ clientId }) => void abandoned.push(clientId),
    },
  )
  return {
    counters,
    abandoned,
    heard,
    performer,
    report: (event: UpstreamEvent, connection = 0) => reports[connection]?.(event),
    /** Performs these, and tells what was done since the last time. */
    does(...effects: Effect[]): string[] {
      performer.perform(effects)
      return done.splice(0)
    },
    since: () => done.splice(0),
  }
}

const sensor = (clientId: string): Session => createSession(clientId, rules.env)

const send = (session: Session, type: Packet['type']): Effect => ({
  type: 'send',
  session,
  peer,
  packet: { type } as Packet,
})
const save = (session: Session): Effect => ({ type: 'save', session })
const progress = (session: Session, lazy: boolean): Effect => ({ type: 'saveProgress', session, lazy })
const acknowledge = (session: Session, ack: number): Effect => ({ type: 'acknowledge', session, ack })
const publish = (session: Session, token: number, qos: 0 | 1 | 2, repeated = false): Effect => ({
  type: 'publish',
  session,
  token,
  topic: 't',
  payload: new Uint8Array(1),
  qos,
  retain: false,
  repeated,
})

function slow() {
  const store = new SlowStore()
  return { store, ...scene(store.all) }
}

const message = (msgId: number): Extract<Packet, { type: 'publish' }> => ({
  ...{ type: 'publish', dup: false, qos: 1, retain: false, topicIdType: 'normal', topicId: 1 },
  ...{ msgId, data: new Uint8Array(1) },
})
describe('an answer that a sensor asked for again before it could leave', () => {
  it('leaves once, when all that was written for it is durable, where a second one would end its connection [SN-SLP-2]', () => {
    const { store, does, since } = slow()
    const a = sensor('a')
    for (let i = 0; i < 16; i++) expect(does(progress(a, false), send(a, 'disconnect'))).toEqual([])
    store.settle(undefined, 15)
    expect(since()).toEqual([])
    store.settle()
    expect(since()).toEqual(['a send disconnect'])
  })

  it('leaves once and not before, also when its session is gone meanwhile; others without one are answered at once [SN-SESS-10]', () => {
    const { store, does, since } = slow()
    const a = sensor('a')
    const stranger = (key: Peer['key']): Effect => ({
      type: 'send',
      peer: { ...peer, key },
      packet: { type: 'disconnect', duration: null },
    })
    expect(does(progress(a, false), send(a, 'disconnect'), { type: 'forget', session: a })).toEqual([])
    expect(does(stranger(peer.key), stranger(2))).toEqual(['undefined send disconnect'])
    store.settle()
    expect(since()).toEqual(['a send disconnect'])
    expect(does(stranger(peer.key))).toEqual(['undefined send disconnect'])
  })

  it('leaves once, where the gateway has repeated its own request meanwhile [SN-GPUB-13]', () => {
    const { store, does, since } = slow()
    const a = sensor('a')
    const sends = (packet: Packet, repeated: boolean) =>
      does(progress(a, false), { type: 'send', session: a, peer, packet, repeated })
    sends(message(7), false)
    for (let i = 0; i < 16; i++) sends({ ...message(7), dup: true }, true)
    sends(message(8), false)
    sends({ type: 'pubrel', msgId: 8 }, false)
    sends({ type: 'pubrel', msgId: 8 }, true)
    store.settle()
    expect(since()).toEqual(['a send publish', 'a send publish', 'a send pubrel'])
  })

  it.each([
    ['asleep', 1],
    ['awake', 0],
    ['connecting', 0],
    ['active', 0],
    ['disconnected', 1],
  ] as const)(
    'DISCONNECT leaves late to a sensor that is %s by then: %i times [SN-SLP-1]',
    (state, count) => {
      const { store, does, since } = slow()
      const a = sensor('a')
      does(progress(a, false), send(a, 'disconnect'))
      a.state = state
      store.settle()
      expect(since()).toHaveLength(count)
    },
  )

  it('leaves again, where the sensor has done something else between', () => {
    const { store, does, since } = slow()
    const a = sensor('a')
    const sleep = [progress(a, false), send(a, 'disconnect')]
    does(...sleep, send(a, 'pingresp'), ...sleep)
    store.settle()
    expect(since()).toEqual(['a send disconnect', 'a send pingresp', 'a send disconnect'])
  })
})

describe('what others may rely on', () => {
  const answers = [
    'connack', 'register', 'regack', 'puback', 'pubrec', 'pubrel', 'pubcomp', 'suback', 'unsuback',
    'willtopicresp', 'willmsgresp', 'disconnect',
  ] as const // biome-ignore format: one line reads better

  it.each(answers)('%s waits until what was written before it is durable', (type) => {
    const { store, does, since } = slow()
    const a = sensor('a')
    expect(does(save(a), send(a, type))).toEqual([])
    store.settle()
    expect(since()).toEqual([`a send ${type}`])
  })

  it.each([
    ['acknowledge', acknowledge(sensor('a'), 7)],
    ['release', { type: 'release', session: sensor('a'), token: 7 }],
    ['publish', publish(sensor('a'), 7, 2)],
  ] as const)('%s waits, too', (type, effect) => {
    const { store, does, since } = slow()
    const { session } = effect as { session: Session }
    expect(does(save(session), effect as Effect)).toEqual([])
    expect(does({ type: 'publishAnonymous', topic: 't', payload: new Uint8Array(), retain: false })).toEqual([
      'anonymous',
    ])
    store.settle()
    expect(since()[0]).toContain(`a ${type}`)
  })

  it.each([
    [0, ['a send publish']],
    [1, []],
    [2, []],
  ] as const)('a PUBLISH of QoS %i to a sensor waits if the sensor keeps its MsgId', (qos, atOnce) => {
    const { store, does, since } = slow()
    const a = sensor('a')
    const message = { type: 'publish', dup: false, qos, retain: false, data: new Uint8Array(1) } as const
    const packet = { ...message, topicIdType: 'normal', topicId: 1, msgId: qos === 0 ? 0 : 7 } as const
    expect(does(save(a), { type: 'send', session: a, peer, packet })).toEqual(atOnce)
    store.settle()
    expect([...atOnce, ...since()]).toEqual(['a send publish'])
  })

  it('waits for every kind of write but for those that are lazy, and for dropped messages', () => {
    const a = sensor('a')
    const message = { id: 1, topic: 't', payload: new Uint8Array(), qos: 1, retain: false, at: 0 } as const
    const queued = { ...message, sent: false, repaired: false }
    const uplink = { token: 1 } as Extract<Effect, { type: 'keepUplink' }>['uplink']
    const waits = (write: Effect) => slow().does(write, send(a, 'regack')).length === 0
    expect(
      [
        save(a),
        progress(a, false),
        { type: 'forget', session: a } as const,
        { type: 'keepMessage', session: a, message: queued } as const,
        { type: 'keepUplink', session: a, uplink } as const,
        { type: 'dropUplink', session: a, uplink } as const,
      ].filter((write) => !waits(write)),
    ).toEqual([])
    expect(waits(progress(a, true))).toBe(false)
    expect(waits({ type: 'dropMessage', session: a, message: queued })).toBe(false)
  })

  it('goes at once when nothing fresh was written of its sensor, whatever others write', () => {
    const { store, does, since } = slow()
    const [a, b] = [sensor('a'), sensor('b')]
    expect(does(save(a), send(a, 'connack'), send(b, 'puback'), acknowledge(b, 1), publish(b, 1, 2))).toEqual(
      ['b send puback', 'b acknowledge 1', 'b publish t 2 1'],
    )
    store.settle()
    expect(since()).toEqual(['a send connack'])
    expect(does(send(a, 'puback'))).toEqual(['a send puback'])
  })

  it('waits for the writes before it, and not for those after it', () => {
    const { store, does, since, performer } = slow()
    const a = sensor('a')
    does(save(a), send(a, 'regack'))
    const first = store.written
    does(save(a), send(a, 'suback'))
    expect(performer.held).toBe(2)
    store.settle(undefined, first)
    expect(since()).toEqual(['a send regack'])
    store.settle()
    expect(since()).toEqual(['a send suback'])
    expect(performer.held).toBe(0)
  })
})

describe('the will of a sensor that was lost', () => {
  const lost = (): Session => Object.assign(sensor('a'), { state: 'lost' })
  const close = (session: Session): Effect => ({
    type: 'close',
    session,
    publishWill: true,
    cleanSession: false,
  })

  it('waits until it is durable that the sensor was lost, which another process may know better [SN-WILL-6]', () => {
    const { store, does, since } = slow()
    const a = lost()
    does({ type: 'attach', session: a })
    expect(does(progress(a, false), close(a))).toEqual([])
    store.settle()
    expect(since()).toEqual(['a close with will'])
  })

  it('leaves a connection of which nothing is heard any more while it waits', () => {
    const { store, does, since, report, heard } = slow()
    const a = lost()
    does({ type: 'attach', session: a }, progress(a, false), close(a))
    report({ type: 'congestion', on: true })
    expect(heard).toEqual([])
    store.settle()
    expect(since()).toEqual(['a close with will'])
    report({ type: 'congestion', on: false })
    expect(heard).toEqual([{ type: 'congestion', on: false }])
  })

  it('waits, too, where the gateway publishes it [SN-WILL-6]', () => {
    const { store, does, since } = slow()
    const a = lost()
    expect(does(progress(a, false), publish(a, 7, 0))).toEqual([])
    store.settle()
    expect(since()).toEqual(['a publish t 0 7'])
  })

  it.each([
    ['is published while the store cannot write', false, ['a close with will', 'a publish t 1 7']],
    ['waits even then where another process may have the sensor by now', true, []],
  ])('%s', (_, shared, atOnce) => {
    const store = new SlowStore()
    store.isShared = shared
    const { does, since } = scene(store.all)
    const a = lost()
    does({ type: 'attach', session: a }, progress(a, false))
    store.isFailing = true
    expect(does(close(a), publish(a, 7, 1))).toEqual(atOnce)
    store.settle()
    expect([...atOnce, ...since()]).toEqual(['a close with will', 'a publish t 1 7'])
  })
})

describe('what came just before the store failed', () => {
  it('goes as soon as that is known, if it promises nothing; all else waits in order [SN-MAP-27]', () => {
    const store = new SlowStore()
    const { does, since } = scene(store.all)
    const a = sensor('a')
    const promises: Effect[] = [{ type: 'release', session: a, token: 3 }, send(a, 'regack')]
    expect(does({ type: 'attach', session: a }, save(a), ...promises, publish(a, 1, 1))).toEqual([])
    store.settle(new Error('it is away for a moment'), 0)
    expect(since()).toEqual([])
    store.isFailing = true
    store.settle(new Error('it is away'), 0)
    expect(since()).toEqual(['a publish t 1 1'])
    store.isFailing = false
    store.settle()
    expect(since()).toEqual(['a release 3', 'a send regack'])
  })
})

describe('what nobody relies on', () => {
  it('goes at once', () => {
    const { does } = slow()
    const a = sensor('a')
    expect(
      does(
        save(a),
        send(a, 'publish'),
        send(a, 'pingresp'),
        publish(a, 1, 1),
        { type: 'connect', session: a, clean: true, mend: true, will: undefined },
        { type: 'subscribe', session: a, token: 2, filter: 'f', qos: 1, replay: true },
        { type: 'unsubscribe', session: a, token: 3, filter: 'f' },
        { type: 'close', session: a, publishWill: false, cleanSession: true },
        { type: 'changed', session: a, peer, from: 'active', to: 'lost', why: '' },
      ),
    ).toEqual([
      'a send publish',
      'a send pingresp',
      'a publish t 1 1',
      'a mend',
      'a subscribe f',
      'a unsubscribe f',
      'a close for good',
      'a lost',
    ])
  })

  it('keeps its place behind what waits in the same lane; the other lane does not wait', () => {
    const { store, does, since } = slow()
    const a = sensor('a')
    expect(does(save(a), publish(a, 1, 2), publish(a, 0, 0), send(a, 'publish'))).toEqual(['a send publish'])
    expect(does(send(a, 'suback'), send(a, 'publish'), send(a, 'pingresp'))).toEqual([])
    store.settle()
    expect(since()).toEqual([
      'a publish t 2 1',
      'a publish t 0 0',
      'a send suback',
      'a send publish',
      'a send pingresp',
    ])
  })

  it('keeps its place, too, when a new session of the same sensor has begun', () => {
    const { store, does, since } = slow()
    const [before, after] = [sensor('a'), sensor('a')]
    after.cleanSession = false
    does(
      save(before),
      acknowledge(before, 1),
      { type: 'close', session: before, publishWill: false, cleanSession: true },
      { type: 'connect', session: after, clean: false, mend: false, will: undefined },
    )
    store.settle()
    expect(since()).toEqual(['a acknowledge 1', 'a close for good', 'a connect'])
  })
})

describe('an effect that waits', () => {
  it('is performed as it was asked for, whatever becomes of its session meanwhile', () => {
    const { store, does, since } = slow()
    const a = sensor('a')
    a.cleanSession = true
    does({ type: 'connect', session: a, clean: true, mend: false, will: undefined })
    does(save(a), acknowledge(a, 1), {
      type: 'close',
      session: a,
      publishWill: false,
      cleanSession: a.cleanSession,
    })
    a.cleanSession = false
    store.settle()
    expect(since()).toEqual(['a acknowledge 1', 'a close for good'])
  })
})

describe('a store that fails', () => {
  it('releases nothing that waits for it, until a later write succeeds', () => {
    const { store, does, since, counters } = slow()
    const [a, b] = [sensor('a'), sensor('b')]
    does(save(a), send(a, 'connack'), publish(a, 1, 2))
    store.settle(new Error('the disk is full'))
    store.settle(new Error('the disk is full'))
    expect(since()).toEqual([])
    expect(counters.storeFailures).toBe(2)
    expect(does(save(b), send(b, 'publish'))).toEqual(['b send publish'])
    store.settle()
    expect(since()).toEqual(['a publish t 2 1', 'a send connack'])
  })

  it('costs a sensor its session when too much waits for it, and no other sensor', () => {
    const { store, does, since, performer, abandoned } = slow()
    const [a, b] = [sensor('a'), sensor('b')]
    does({ type: 'connect', session: a, clean: true, mend: false, will: undefined })
    does(save(a), save(b), send(b, 'connack'))
    for (let i = 0; i < 2000; i++) does(send(a, 'puback'))
    expect([performer.held, abandoned]).toEqual([2001, []])
    does(send(a, 'puback'), send(a, 'puback'))
    expect([performer.held, abandoned]).toEqual([1, ['a']])
    expect(does({ type: 'close', session: a, publishWill: false, cleanSession: true })).toEqual([
      'a close for good',
    ])
    store.settle()
    expect(since()).toEqual(['b send connack'])
  })
})

describe('a connection to the broker that is lost', () => {
  it('takes with it what waited and will be asked for again; QoS 0 and requests stay', () => {
    const { store, does, since, report, performer } = slow()
    const a = sensor('a')
    does({ type: 'connect', session: a, clean: true, mend: false, will: undefined })
    does(
      save(a),
      acknowledge(a, 1),
      publish(a, 1, 2),
      publish(a, 0, 0),
      { type: 'release', session: a, token: 3 },
      { type: 'subscribe', session: a, token: 4, filter: 'f', qos: 1, replay: true },
    )
    report({ type: 'closed', why: 'lost', detail: '' })
    expect(performer.held).toBe(2)
    does(publish(a, 1, 2, true))
    store.settle()
    expect(since()).toEqual(['a publish t 0 0', 'a subscribe f', 'a publish t 2 1 again'])
  })
})

describe('counting', () => {
  it('takes a repeated publish for the same message', () => {
    const { does, counters } = scene(createMemoryStore())
    const a = sensor('a')
    does(publish(a, 1, 1), publish(a, 1, 1, true), publish(a, 0, 0))
    expect(counters.published).toBe(2)
  })
})

describe('a store without anything to wait for', () => {
  it('holds nothing back', () => {
    const { does, performer } = scene(createMemoryStore())
    const a = sensor('a')
    expect(does(save(a), send(a, 'connack'), acknowledge(a, 1), publish(a, 1, 2))).toEqual([
      'a send connack',
      'a acknowledge 1',
      'a publish t 2 1',
    ])
    expect(performer.held).toBe(0)
  })
})
