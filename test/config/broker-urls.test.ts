// Several brokers in the configuration.

import { describe, expect, it } from 'vitest'
import { checkConfig } from '../../src/cli/check.ts'
import { fileWith, load, problemsWith } from './files.ts'

describe('broker.url', () => {
  it('may be a list; the user of the first that has one is the gateway`s', () => {
    const url = ['mqtt://a', 'mqtt://user:secret@b:1884', 'mqtts://c']
    const { config } = load({ broker: { url } })
    expect(config.broker).toMatchObject({
      url: ['mqtt://a', 'mqtt://b:1884', 'mqtts://c'],
      username: 'user',
      password: 'secret',
      returnAfter: 30_000,
    })
  })

  it('is shown as a list by `check`, without secrets', () => {
    const file = fileWith({ broker: { url: ['mqtt://a', 'mqtt://u:secret@b'], returnAfter: '1m' } })
    const { out, err, status } = checkConfig({ config: file }, {})
    expect(status).toBe(0)
    expect(JSON.parse(out).broker).toMatchObject({ url: ['mqtt://a', 'mqtt://b'], returnAfter: '1m' })
    expect(out + err).not.toContain('secret')
    expect(err).toContain('passwords cross the network unencrypted')
  })

  it('may come from the environment, one or several', () => {
    const urlOf = (text: string) => load({}, { env: { MQTTSN_BROKER__URL: text } }).config.broker.url
    expect(urlOf('mqtt://one')).toBe('mqtt://one')
    expect(urlOf('["mqtt://one", "mqtt://two"]')).toEqual(['mqtt://one', 'mqtt://two'])
  })

  it.each([[[]], [['embedded']], [['mqtt://a', 'http://b']], [['mqtt://a', 5]]])('cannot be %j', (url) => {
    expect(problemsWith({ broker: { url } }).length).toBe(1)
  })
})
