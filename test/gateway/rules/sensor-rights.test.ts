// The rights of one sensor: the rules of the configuration, with what stands for the sensor filled in.
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these variables are filled in by the gateway

import { describe, expect, it } from 'vitest'
import { createSensorRules } from '../../../src/gateway/rules/sensor-rules.ts'
import { permitsFilter, permitsTopic } from '../../../src/session/topics/permission.ts'
import { load } from '../../config/files.ts'

const envOf = (rule: object) => createSensorRules(load({ sensors: [rule] }).config, () => 0).env

describe('what a sensor may publish and subscribe', () => {
  const rule = {
    publish: ['sensors/${clientId}/#', 'all', '!sensors/+/admin'],
    subscribe: ['cmd/${identity}/#'],
  }

  it('is filled in with its ClientId and its identity', () => {
    const policy = envOf(rule).policyFor({ clientId: 'm1', identity: 'm1' })
    const topics = ['sensors/m1/t', 'all', 'sensors/m1/admin', 'sensors/m2/t', 'other']
    expect(topics.map((topic) => permitsTopic(policy.publish, topic))).toEqual([
      true,
      true,
      false,
      false,
      false,
    ])
    expect(permitsFilter(policy.subscribe, 'cmd/m1/+')).toBe(true)
    expect(permitsFilter(policy.subscribe, 'cmd/+/x')).toBe(false)
  })

  it.each(['#', '+', 'a/b', 'a/#'])('is nothing more for a sensor that calls itself %s', (clientId) => {
    const policy = envOf(rule).policyFor({ clientId, identity: clientId })
    for (const topic of ['sensors/x', `sensors/${clientId}/t`, 'sensors/a/b/t', 'sensors'])
      expect(permitsTopic(policy.publish, topic)).toBe(false)
    expect(permitsTopic(policy.publish, 'all')).toBe(true)
    expect(permitsFilter(policy.subscribe, '#')).toBe(false)
  })

  it('is nothing at all where an exception cannot be told', () => {
    const policy = envOf({ publish: ['#', '!private/${clientId}'] }).policyFor({ clientId: 'a/b' })
    expect(permitsTopic(policy.publish, 'anything')).toBe(false)
  })

  it('is nothing for who has no identity, where the filters are of identities only', () => {
    expect(permitsTopic(envOf(rule).policyFor({ clientId: 'm1' }).subscribe, 'cmd/m1/x')).toBe(false)
  })

  it('is everything without rules, and nothing with an empty list', () => {
    const open = envOf({}).policyFor({ clientId: 'a' })
    expect([open.publish, open.subscribe]).toEqual([undefined, undefined])
    expect(permitsTopic(envOf({ publish: [] }).policyFor({ clientId: 'a' }).publish, 'x')).toBe(false)
  })

  it('is one object for all sensors where nothing stands for one of them', () => {
    const env = envOf({ publish: ['a/#'] })
    expect(env.policyFor({ clientId: 'a' })).toBe(env.policyFor({ clientId: 'b' }))
  })
})

describe('the identities that may have a ClientId', () => {
  const mayBe = (rule: object, clientId: string, identity: string | undefined) =>
    envOf(rule).policyFor({ clientId, identity }).mayBe(identity)

  it.each([
    [{}, 'a', 'a', true],
    [{}, 'a', 'b', false],
    [{}, 'a', undefined, true],
    [{ identity: ['*'] }, 'a', 'b', true],
    [{ identity: ['*'] }, 'a', undefined, false],
    [{ identity: ['${clientId}'] }, 'a', undefined, false],
    [{ identity: ['${clientId}'] }, '*', 'b', false],
    [{ identity: ['${clientId}'] }, '*', '*', true],
    [{ identity: ['gw-${clientId}-?'] }, 'm?', 'gw-m?-1', true],
    [{ identity: ['gw-${clientId}-?'] }, 'm?', 'gw-mx-1', false],
    [{ identity: ['fleet-*', '${clientId}'] }, 'a', 'fleet-9', true],
  ] as const)(
    'by the rule %j, ClientId %s for identity %s: %s [DTLS-ID-2]',
    (rule, clientId, identity, expected) => {
      expect(mayBe(rule, clientId, identity)).toBe(expected)
    },
  )

  it('fill in user name, ClientId at the broker and predefined topics [DTLS-ID-4]', () => {
    const rules = createSensorRules(
      load({
        sensors: [{ identity: ['*'], username: '${identity}', clientId: 'sn-${identity}-${clientId}' }],
        predefined: [{ match: 'm*', topics: { 1: 'of/${identity}' } }],
      }).config,
      () => 0,
    )
    const who = { clientId: 'm1', identity: 'ID' }
    expect(rules.identityOf(who)).toMatchObject({ username: 'ID', clientId: 'sn-ID-m1' })
    expect(rules.env.policyFor(who).predefined.byId.get(1)).toBe('of/ID')
  })
})
