// From the configuration to what the session core is told: policies per sensor, and how messages wait.

import { describe, expect, it } from 'vitest'
import { loadConfig } from '../../../src/config/load.ts'
import { createSensorRules } from '../../../src/gateway/rules/sensor-rules.ts'

const never = Number.POSITIVE_INFINITY
const configOf = (overrides: object) => loadConfig({ env: {}, overrides }).config
const rulesOf = (overrides: object) => createSensorRules(configOf(overrides), () => 0)

describe('the policy of a sensor', () => {
  it('comes from the first rule that fits, and from the limits where that says nothing', () => {
    const { env } = rulesOf({
      limits: { messagesPerWake: 7 },
      sensors: [
        { match: 'meter-*', ack: 'store', messagesPerWake: 2, spool: { messages: 5, age: '1h', qos0: true } },
        { match: '*' },
      ],
    })
    expect(env.policyFor({ clientId: 'meter-1' })).toMatchObject({
      ack: 'store',
      messagesPerWake: 2,
      spool: { messages: 5, octets: 262_144, age: 3_600_000, qos0: true },
    })
    expect(env.policyFor({ clientId: 'other' })).toMatchObject({
      ack: 'broker',
      messagesPerWake: 7,
      spool: { messages: 1000, age: never, qos0: false },
    })
  })

  it.each([
    ['ten times in its keep-alive', {}, undefined],
    ['also in memory', { type: 'memory' }, undefined],
    ['once in it with PostgreSQL', { type: 'postgres', url: 'postgres://u@h/d' }, 'keepAlive'],
    ['as often as it is told', { heardEvery: '90s' }, 90_000],
    ['also with PostgreSQL', { type: 'postgres', url: 'postgres://u@h/d', heardEvery: 5 }, 5000],
  ] as const)('says how often it is written that a sensor was heard: %s', (_, store, heardEvery) => {
    expect(rulesOf({ store }).env.policyFor({ clientId: 'a' }).heardEvery).toBe(heardEvery)
  })

  it('is one object per ClientId while the configuration stays', () => {
    const { env } = rulesOf({})
    expect(env.policyFor({ clientId: 'a' })).toBe(env.policyFor({ clientId: 'a' }))
  })

  it('is shared by sensors of the same rules, unless they have predefined topics or queues of their own', () => {
    const { env } = rulesOf({
      sensors: [{ match: 'meter-*', ack: 'store' }, { match: '*' }],
      // biome-ignore lint/suspicious/noTemplateCurlyInString: filled in by the gateway
      predefined: [{ match: 'named-*', topics: { 1: 'of/${clientId}' } }],
      queues: [{ match: 'small-*', messages: 1 }],
    })
    expect(env.policyFor({ clientId: 'a' })).toBe(env.policyFor({ clientId: 'b' }))
    expect(env.policyFor({ clientId: 'meter-1' })).toBe(env.policyFor({ clientId: 'meter-2' }))
    const different = ['a', 'meter-1', 'small-1', 'named-1', 'named-2'].map((clientId) =>
      env.policyFor({ clientId }),
    )
    expect(new Set(different).size).toBe(different.length)
    expect(env.policyFor({ clientId: 'small-1' }).queueFor('x').messages).toBe(1)
    expect(env.policyFor({ clientId: 'named-2' }).predefined.byId.get(1)).toBe('of/named-2')
  })
})

describe('how messages wait', () => {
  it('without rules as the limits say, in the same object for every sensor and topic', () => {
    const { env } = rulesOf({ limits: { queuedMessages: 3, queuedOctets: 1000 } })
    const policy = env.policyFor({ clientId: 'a' }).queueFor('x')
    expect(policy).toEqual({ messages: 3, octets: 1000, age: never, overflow: 'drop-oldest', qos0: true })
    expect(env.policyFor({ clientId: 'b' }).queueFor('y/z')).toBe(policy)
  })

  it('by the first rule that fits both ClientId and topic; each rule is one object, also if two say the same', () => {
    const { env } = rulesOf({
      queues: [
        { match: 'valve-*', topics: ['+/setpoint', 'all'], overflow: 'latest-per-topic' },
        { topics: ['news/#'], messages: 5, octets: 500, age: '1h', qos0: false },
        { match: 'valve-?', messages: 9 },
        { match: 'pump', messages: 9 },
      ],
    })
    const queueFor = (clientId: string, topic: string) => env.policyFor({ clientId }).queueFor(topic)
    const valve = queueFor('valve-1', 'a/setpoint')
    expect(valve).toMatchObject({ overflow: 'latest-per-topic', messages: 100, octets: 65_536, age: never })
    expect(queueFor('valve-1', 'all')).toBe(valve)
    expect(queueFor('valve-22', 'b/setpoint')).toBe(valve)
    const news = queueFor('valve-1', 'news/today')
    expect(news).toMatchObject({ messages: 5, octets: 500, age: 3_600_000, qos0: false })
    expect(queueFor('whoever', 'news')).toBe(news)
    const rest = queueFor('valve-1', 'anything')
    expect(rest).toMatchObject({ messages: 9, overflow: 'drop-oldest' })
    expect(queueFor('pump', 'anything')).toEqual(rest)
    expect(queueFor('pump', 'anything')).not.toBe(rest)
    expect(queueFor('valve-22', 'anything')).toMatchObject({ messages: 100 })
  })

  it('under "#" for every topic, also for the broker\'s own', () => {
    const { env } = rulesOf({ queues: [{ topics: ['a/#'], messages: 1 }, { messages: 2 }] })
    const { queueFor } = env.policyFor({ clientId: 'a' })
    expect([queueFor('a').messages, queueFor('$SYS/uptime').messages]).toEqual([1, 2])
  })

  it('by the same rules after more topics than are remembered, and for very long ones', () => {
    const { queueFor } = rulesOf({ queues: [{ topics: ['+/x'], messages: 1 }] }).env.policyFor({
      clientId: 'a',
    })
    for (let i = 0; i < 6000; i++) queueFor(`${i}/x`)
    expect([queueFor('0/x').messages, queueFor('0/y').messages]).toEqual([1, 100])
    expect(queueFor(`${'long'.repeat(1000)}/x`).messages).toBe(1)
  })
})

describe('other rules and settings', () => {
  it('hold for whoever asks from then on, in the same rules', () => {
    const identity = { match: '*', username: 'old' }
    const rules = rulesOf({ sensors: [identity], timers: { tRetry: '1s' } })
    const { env } = rules
    const { totals } = env
    totals.queuedMessages = 3
    const before = env.policyFor({ clientId: 'a' })
    rules.replace(
      configOf({
        sensors: [{ ...identity, username: 'new', deny: true }],
        timers: { tRetry: '2s' },
        queues: [{ messages: 4 }],
        predefined: { '1': 'one' },
      }),
    )
    expect(rules.env).toBe(env)
    expect(env.totals).toEqual({ ...totals, queuedMessages: 3 })
    expect(env.settings.timers.tRetry).toBe(2000)
    expect(env.settings.predefined.byId.get(1)).toBe('one')
    const after = env.policyFor({ clientId: 'a' })
    expect([before.denied, after.denied, after.predefined.byName.get('one')]).toEqual([false, true, 1])
    expect(after.queueFor('x').messages).toBe(4)
    expect(rules.identityOf({ clientId: 'a' }).username).toBe('new')
  })
})
