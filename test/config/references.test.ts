// `${env:...}` and `${file:...}`: where secrets come from, and that they appear nowhere.

import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { loadConfig } from '../../src/config/load.ts'
import { redacted } from '../../src/config/redact.ts'
import { expandTemplate } from '../../src/config/sections/template.ts'
import { directoryWith, errorOf, load, problemsWith } from './files.ts'

describe('references', () => {
  it('takes texts from the environment, and from files beside the configuration file', () => {
    const directory = directoryWith({
      'c.json': {
        broker: {
          url: 'mqtts://h',
          username: `u-\${env:USER_PART}`,
          password: `\${file:pw}`,
          tls: { ca: `\${file:ca.pem}` },
        },
      },
      pw: 'secret \n\n',
      'ca.pem': '-----BEGIN CERTIFICATE-----\n',
    })
    const { broker } = loadConfig({ file: join(directory, 'c.json'), env: { USER_PART: 'x' } }).config
    expect(broker).toMatchObject({ username: 'u-x', password: 'secret \n' })
    expect(broker.tls?.ca).toBe('-----BEGIN CERTIFICATE-----')
  })

  it('works in values from the environment and the command line too', () => {
    const env = { MQTTSN_BROKER__PASSWORD: `\${env:P}`, P: 'secret', U: 'user' }
    const { broker } = load({}, { env, overrides: { broker: { username: `\${env:U}` } } }).config
    expect(broker).toMatchObject({ username: 'user', password: 'secret' })
  })

  it('takes the content as it is: what looks like a variable in it is none', () => {
    const env = { P: `a\${clientId}b\${env:P}\${$$`, Q: `\${gatewayId}` }
    const { config } = load(
      {
        broker: { username: 'u', password: `\${env:Q}` },
        sensors: [{ username: 'u', password: `\${env:P}\${clientId}` }],
      },
      { env },
    )
    expect(config.broker.password).toBe(`\${gatewayId}`)
    expect(expandTemplate(config.sensors[0]?.password ?? '', { clientId: 's1' })).toBe(`${env.P}s1`)
  })

  it('takes topics for everyone as they are, too', () => {
    const content = { predefined: { '1': `\${env:T}`, '2': '$${x}/y' }, log: {} }
    expect(load(content, { env: { T: '$app/$1' } }).config.predefined[0]?.topics).toEqual({
      '1': '$app/$1',
      '2': `\${x}/y`,
    })
  })

  it('names what cannot be resolved, and where', () => {
    const content = {
      broker: { username: `\${env:NO_USER}`, password: `\${file:no.pw}` },
      listeners: [{ name: `\${clientId}`, discovery: { group: `\${env:NO_GROUP}` } }],
      sensors: [{ username: `\${ClientId}`, clientId: `\${clientId` }],
    }
    expect(problemsWith(content).map(({ path, found }) => [path, found])).toEqual([
      ['broker.username', 'the environment variable NO_USER, which is not set'],
      ['broker.password', `\${file:no.pw}: the file does not exist`],
      ['listeners[0].name', `the unknown variable \${clientId}; known here: \${env:NAME}, \${file:path}`],
      ['listeners[0].discovery.group', 'the environment variable NO_GROUP, which is not set'],
      ['sensors[0].username', expect.stringContaining(`known here: \${clientId}, \${gatewayId}`)],
      ['sensors[0].clientId', expect.stringContaining('without "}"')],
    ])
  })

  it('reads only regular UTF-8 files of at most 1 MiB', () => {
    const directory = directoryWith({ big: 'x'.repeat(1024 * 1024 + 1), binary: new Uint8Array([0xff]) })
    const found = (file: string) => problemsWith({ broker: { clientId: `\${file:${file}}` } })[0]?.found
    expect(found(join(directory, 'big'))).toContain('more than 1048576 octets')
    expect(found(join(directory, 'binary'))).toContain('not UTF-8')
    expect(found(directory)).toContain('not a regular file')
  })

  it('shows the reference, never its content, when the content is wrong', () => {
    const env = { URL: 'http://me:hunter2@h', ID: 'hunter2', F: 'hunter2/#' }
    const error = errorOf(
      { broker: `\${env:URL}`, gateway: { id: `\${env:ID}` }, predefined: { '1': `\${env:F}` } },
      { env },
    )
    expect(error.message).not.toContain('hunter2')
    expect(error.problems.map((problem) => problem.found)).toEqual(
      expect.arrayContaining([`"\${env:URL}"`, `"\${env:ID}"`, `"\${env:F}"`]),
    )
  })
})

describe('the configuration for display', () => {
  it('hides passwords, keys, certificates, and everything that was referenced, also where it moved to', () => {
    const secret = 'hunter2'
    const pem = `-----BEGIN X-----${secret}`
    const env = {
      URL: `mqtts://${secret}:${secret}@${secret}.example`,
      T: secret,
      L: 'udp://[::1]:5',
      P: `${secret}\${clientId}`,
    }
    const { config } = load(
      {
        broker: `\${env:URL}`,
        listeners: [{ url: `\${env:L}` }],
        predefined: { '1': `\${env:T}`, '2': 'visible' },
        sensors: [{ username: 'visible', password: secret, cert: pem, key: pem, clientId: `\${env:P}` }],
      },
      { env },
    )
    expect(config.broker).toMatchObject({ url: `mqtts://${secret}.example`, username: secret })
    const shown = redacted({ ...config })
    expect(JSON.stringify(shown)).not.toContain(secret)
    expect(shown).toMatchObject({
      broker: { url: '***', username: '***', password: '***' },
      listeners: [{ url: '***', name: '***' }],
      predefined: [{ topics: { '1': '***', '2': 'visible' } }],
      sensors: [{ username: 'visible', password: '***', cert: '***', key: '***', clientId: '***' }],
    })
  })

  it('hides no more than that, and writes units', () => {
    const { config } = load({ broker: { username: 'u', tls: { verify: false }, url: 'mqtts://h' } })
    expect(redacted(config)).toMatchObject({
      broker: {
        url: 'mqtts://h',
        username: 'u',
        sessionExpiry: 'never',
        keepAlive: '1m',
        writeBuffer: '1MiB',
      },
      timers: { tRetry: '10s' },
    })
  })

  it('warns without quoting values that were referenced', () => {
    const env = { L: 'udp://192.0.2.77:5', T: 'hunter2' }
    const { warnings } = load(
      { listeners: [{ url: `\${env:L}` }], predefined: { '1': `\${env:T}`, '2': `\${env:T}` } },
      { env },
    )
    expect(warnings).toHaveLength(3)
    expect(warnings.join()).not.toMatch(/192\.0\.2|hunter2/)
  })
})
