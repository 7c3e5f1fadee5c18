// In what the configurations of nodes differ, by what they say of themselves.
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these variables are filled in by the gateway

import { expect, it } from 'vitest'
import { agreementOf, differencesOf, insistOnSlots } from '../../src/cluster/agreement.ts'
import { testConfig } from '../support/gateway.ts'

const saidBy = (overrides: Record<string, unknown> = {}): string =>
  agreementOf(testConfig('embedded', overrides))

const shared = { store: { type: 'postgres', url: 'postgres://127.0.0.1/mqttsn' } }
const listeners = [{ url: 'udp://127.0.0.1:0', name: 'field' }]

it('nodes that differ in nothing that matters agree', () => {
  const own = saidBy({ listeners })
  expect(differencesOf(own, { config: own })).toEqual([])
  const other = saidBy({ listeners: [{ url: 'udp://127.0.0.2:9', name: 'field' }], log: { level: 'debug' } })
  expect(differencesOf(own, { config: other })).toEqual([])
})

it.each([
  ['listeners[].name', { listeners: [{ url: 'udp://127.0.0.1:0', name: 'hall' }] }],
  ['gateway.id', { gateway: { id: 9 } }],
  ['timers', { timers: { tRetry: '7s' } }],
  ['predefined', { predefined: [{ match: '*', topics: { 1: 'home/button' } }] }],
  ['sensors', { sensors: [{ match: 'a*', deny: true }] }],
  ['qosMinusOne', { qosMinusOne: { enabled: false } }],
  ['cluster.lease', { ...shared, cluster: { lease: '10s' } }],
  ['cluster.hold', { ...shared, cluster: { hold: '1s' } }],
])('the key that differs is named: %s', (key, overrides) => {
  const own = saidBy({ listeners })
  const other = saidBy({ listeners, ...overrides })
  expect(differencesOf(own, { config: other })).toEqual([key])
})

it('whoever says nothing, or nothing that can be read, differs in nothing', () => {
  const own = saidBy()
  for (const config of [undefined, '', '{', 'null', '[]', '7', '{"rest":7}'])
    expect(differencesOf(own, { config })).toEqual([])
})

it('a node does not start beside one that would look for a sensor in another slot; rules that give no other names may differ', () => {
  const rule = (match: string, clientId = '${clientId}') => ({ match, clientId })
  const beside = (own: object, other: object) => () => {
    const member = { node: 'b', incarnation: 1, address: undefined, version: undefined, expires: 2 } as const
    const config = saidBy({ listeners, ...other })
    insistOnSlots(saidBy({ listeners, ...own }), [{ ...member, state: 'active', config }], 1, 'a')
  }
  expect(beside({}, { sensors: [rule('a*'), rule('*')] })).not.toThrow()
  expect(beside({}, { sensors: [rule('a*', '${identity}'), rule('*')] })).not.toThrow()
  expect(beside({}, { gateway: { id: 9 } })).not.toThrow()
  const named = (match: string) => ({ sensors: [rule(match, 'sn-${clientId}'), rule('*')] })
  expect(beside(named('a*'), named('a*'))).not.toThrow()
  expect(beside({}, named('a*'))).toThrow(/^sensors\[\]\.clientId: .* node b /)
  expect(beside(named('b*'), named('a*'))).toThrow(/stop all of them/)
  const numbered = { sensors: [rule('*', '${gatewayId}-${clientId}')] }
  expect(beside(numbered, numbered)).not.toThrow()
  expect(beside(numbered, { ...numbered, gateway: { id: 9 } })).toThrow(/gateway\.id/)
})
