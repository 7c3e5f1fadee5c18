// `broker.localAddresses`: what may be written, and what does not fit the broker.

import { describe, expect, it } from 'vitest'
import { load, problemsWith } from './files.ts'

const problems = (localAddresses: unknown, url: unknown = 'mqtt://broker.example') =>
  problemsWith({ broker: { url, localAddresses } })

describe('broker.localAddresses', () => {
  it('is empty where nothing is written, and may come from the environment', () => {
    expect(load({}).config.broker.localAddresses).toEqual([])
    const env = { MQTTSN_BROKER__LOCAL_ADDRESSES: '["10.0.0.1", "10.0.0.2"]' }
    expect(load({}, { env }).config.broker.localAddresses).toEqual(['10.0.0.1', '10.0.0.2'])
  })

  it.each([[['10.0.0.1']], [['10.0.0.1', 'fd00::1']], [['fe80::1%eth0']], [['127.0.0.2']]])(
    'may hold addresses of one host: %j',
    (localAddresses) => {
      expect(load({ broker: { localAddresses, url: 'mqtt://broker.example' } }).config.broker).toMatchObject({
        localAddresses,
      })
    },
  )

  it.each([
    ['twice', ['10.0.0.1', '10.0.0.1'], undefined, 'broker.localAddresses[1]', 'each once'],
    ['twice in two forms', ['fd00::1', 'fd00:0::1'], undefined, 'broker.localAddresses[1]', 'each once'],
    ['of IPv6, for a broker of IPv4', ['fd00::1'], 'mqtt://10.9.9.9', 'broker.localAddresses', 'one of IPv4'],
    [
      'of IPv4, for a broker of IPv6',
      ['10.0.0.1'],
      'mqtts://[fd00::9]',
      'broker.localAddresses',
      'one of IPv6',
    ],
    [
      'of loopback, for a broker elsewhere',
      ['127.0.0.2', '127.0.0.3'],
      'ws://10.9.9.9',
      'broker.localAddresses',
      'leads to the broker',
    ],
    ['with the embedded broker', ['127.0.0.2'], 'embedded', 'broker.localAddresses', 'none, as the embedded'],
    [
      'for the second broker of a list',
      ['10.0.0.1'],
      ['mqtt://10.9.9.9', 'mqtt://[fd00::9]'],
      'broker.localAddresses',
      'one of IPv6',
    ],
  ])('contradicts the broker where it is %s, and no value is quoted', (_, addresses, url, path, expected) => {
    const found = problems(addresses, url)
    expect(found).toMatchObject([{ path, expected: expect.stringContaining(expected) }])
    expect(JSON.stringify(found.map((one) => [one.found, one.expected]))).not.toMatch(/10\.|127\.|fd00/)
  })

  it.each([
    ['one of each family', ['10.0.0.1', 'fd00::1'], ['mqtt://10.9.9.9', 'mqtt://[fd00::9]']],
    ['loopback for a broker on this machine', ['127.0.0.2'], 'mqtt://127.0.0.1'],
    ['another address for a broker on this machine', ['10.0.0.1'], 'mqtt://127.0.0.1'],
    ['any for a name', ['fd00::1'], 'mqtt://broker.example'],
  ])('fits: %s', (_, localAddresses, url) => {
    expect(load({ broker: { url, localAddresses } }).config.broker).toMatchObject({ localAddresses })
  })
})
