// The addresses of a member: where its process shows that it is there, and where its links arrive.

import { describe, expect, it } from 'vitest'
import { linkAddress } from '../../../src/cluster/shares/link-address.ts'
import { readLink, shownAddress, writeLink } from '../../../src/cluster/tables/addresses.ts'
import { load } from '../../config/files.ts'

const SIGN = 'tcp://10.0.0.11:41000#0123456789abcdef'

describe('the address of a member', () => {
  it('holds where its links arrive, with and without a sign of life, and people see the sign alone', () => {
    const both = writeLink(SIGN, '10.0.0.11:1886')
    expect(new URL(both.replace('tcp:', 'http:'))).toMatchObject({
      host: '10.0.0.11:41000',
      hash: '#0123456789abcdef',
    })
    expect([readLink(both), shownAddress(both)]).toEqual(['10.0.0.11:1886', 'tcp://10.0.0.11:41000'])
    const link = writeLink('', '[fd00::1]:1886')
    expect([readLink(link), shownAddress(link)]).toEqual(['[fd00::1]:1886', undefined])
  })

  it('is the sign alone where one node serves at a time', () => {
    expect(writeLink(SIGN, undefined)).toBe(SIGN)
    expect([readLink(SIGN), shownAddress(SIGN)]).toEqual([undefined, 'tcp://10.0.0.11:41000'])
    expect([readLink(undefined), shownAddress('')]).toEqual([undefined, undefined])
  })
})

it.each([
  ['the one to listen at', { listen: 'tcp://10.0.0.11:1886' }, '10.0.0.11:1886'],
  [
    'the one to tell, where there is one',
    { listen: 'tcp://0.0.0.0:1886', advertise: 'tcp://gw-1.svc:1887' },
    'gw-1.svc:1887',
  ],
  [
    'the one from which it speaks to the database, for all',
    { listen: 'tcp://0.0.0.0:1886' },
    '10.9.9.9:1886',
  ],
  ['with the port that was bound, for any', { listen: 'tcp://[fd00::1]:0' }, '[fd00::1]:40001'],
  ['none where one node serves at a time', {}, undefined],
])('a node tells others %s', (_, cluster, told) => {
  const { config } = load({
    store: { type: 'postgres', url: 'postgres://127.0.0.1/mqttsn' },
    listeners: [{ name: 'field', url: 'udp://127.0.0.1:1884' }],
    cluster: { node: 'gw-1', secret: 'known to all nodes', ...cluster },
  })
  expect(linkAddress(config, '10.9.9.9', 40_001)).toBe(told)
})
