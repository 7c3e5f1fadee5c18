// The command `check`.

import { spawnSync } from 'node:child_process'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ca, server } from '../../lab/pki.ts'
import { checkConfig } from '../../src/cli/check.ts'
import { directoryWith, fileWith } from '../config/files.ts'
import { can } from '../support/broker.ts'
import { makeAuthority } from '../support/certificates.ts'

const secretive = { broker: { url: 'mqtts://h', username: 'u', password: 'hunter2', tls: { verify: false } } }
const broken = { log: { level: 'loud' }, limits: { sensors: 0 }, colour: 1 }

describe('check', () => {
  it('shows the effective configuration without secrets, and warnings apart from it', () => {
    const { out, err, status } = checkConfig({ config: fileWith(secretive) }, { MQTTSN_LOG__LEVEL: 'debug' })
    expect(status).toBe(0)
    expect(JSON.parse(out)).toMatchObject({
      broker: { url: 'mqtts://h', password: '***' },
      log: { level: 'debug' },
      timers: { tRetry: '10s' },
    })
    expect(err).toMatch(/^warning: broker\.tls\.verify: .*\n.*: valid\n$/)
    expect(out + err).not.toContain('hunter2')
  })

  it('lists all problems at once, one per line', () => {
    const { out, err, status } = checkConfig({ config: fileWith(broken) }, {})
    expect(status).toBe(1)
    expect(out).toBe('')
    expect(
      err
        .split('\n')
        .slice(0, -2)
        .map((line) => line.split(' ')[0]),
    ).toEqual(['limits.sensors', 'log.level', 'colour'])
    expect(err).toMatch(/: 3 problems\n$/)
  })

  it('gives one JSON object for scripts', () => {
    const good = checkConfig({ config: fileWith(secretive), json: true }, {})
    expect(JSON.parse(good.out)).toMatchObject({
      valid: true,
      warnings: [expect.any(String)],
      config: { gateway: { id: 1 } },
    })
    const bad = checkConfig({ config: fileWith(broken), json: true }, {})
    expect(JSON.parse(bad.out)).toMatchObject({
      valid: false,
      problems: [{ path: 'limits.sensors' }, {}, {}],
    })
    expect([good.err, bad.err, good.status, bad.status]).toEqual(['', '', 0, 1])
  })

  it('says how many identities there are, which rules use them, and until when certificates count', () => {
    const key = '0f1e2d3c4b5a69788796a5b4c3d2e1f0'
    const config = {
      listeners: [
        {
          url: 'dtls://127.0.0.1:8883',
          dtls: {
            psk: { file: 'psk.txt', keys: { c: key } },
            ...{ cert: server.cert, key: server.key, clientCa: ca.cert },
          },
        },
        { url: 'dtls://127.0.0.1:8884', dtls: { psk: { keys: { a: key } } } },
      ],
      sensors: [
        { match: 'meter-*', username: '$' + '{identity}', publish: ['a/' + '$' + '{identity}/#', 'b'] },
        { match: 'pump-*', identity: ['site-7', 'meter-?'] },
        { match: '*', username: '$' + '{clientId}' },
      ],
    }
    const files = { 'c.json': config, 'psk.txt': `a:${key}\nb:${key}\n` }
    const file = join(directoryWith(files), 'c.json')
    const { err, out, status } = checkConfig({ config: file }, {})
    expect(status).toBe(0)
    const lines = err.split('\n').filter((line) => !line.startsWith('warning: '))
    expect(lines).toEqual([
      'listeners[0].dtls.psk: 3 identities, 1 of them in psk.keys',
      'listeners[1].dtls.psk: 1 identity',
      'sensors[0] (meter-*): $' + '{identity} stands in username, publish',
      'sensors[1] (pump-*): for the identities site-7, meter-?',
      expect.stringMatching(/^listeners\[0\]\.dtls\.cert: CN=.*, until \d{4}-\d\d-\d\d, \d+ days left$/),
      expect.stringMatching(/^listeners\[0\]\.dtls\.clientCa: CN=.*, until \d{4}-\d\d-\d\d, \d+ days left$/),
      expect.stringMatching(/: valid$/),
      '',
    ])
    const { holds } = JSON.parse(checkConfig({ config: file, json: true }, {}).out)
    expect(holds).toMatchObject({
      identities: [{ count: 3, written: 1 }, { count: 1 }],
      rules: [{ variable: ['username', 'publish'] }, { identity: ['site-7', 'meter-?'] }],
      certificates: [{ daysLeft: expect.any(Number) }, {}],
    })
    expect(err + out).not.toContain(key)
  })

  it('checks environment and defaults when there is no file', () => {
    expect(checkConfig({}, {}).status).toBe(0)
    expect(checkConfig({}, { MQTTSN_GATEWAY__ID: '300' }).err).toContain('gateway.id (MQTTSN_GATEWAY__ID)')
  })
})

describe('mqttsn check', () => {
  const command = JSON.stringify(resolve(import.meta.dirname, '../../src/cli/check.ts'))
  const script = `import { checkCommand } from ${command}; await checkCommand().parseAsync(process.argv)`
  const run = (...args: string[]) =>
    spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script, 'mqttsn', ...args], {
      encoding: 'utf8',
      timeout: 20_000,
    })

  it('reports by exit status, standard output and standard error', () => {
    const good = run('-c', fileWith({}))
    expect([good.status, good.stderr.endsWith(': valid\n')]).toEqual([0, true])
    expect(JSON.parse(good.stdout)).toMatchObject({ gateway: { id: 1 } })
    const bad = run('-c', fileWith(broken))
    expect([bad.status, bad.stdout]).toEqual([1, ''])
    expect(bad.stderr).toContain('log.level (line 3): found "loud", expected one of')
  })

  it('explains itself with examples', () => {
    const { stdout, status } = run('--help')
    expect(status).toBe(0)
    expect(stdout).toContain('mqttsn check -c gateway.config.json --json')
  })
})

describe('certificates and keys', () => {
  const errOf = (tls: object) =>
    checkConfig({ config: fileWith({ broker: { url: 'mqtts://h', tls } }) }, {}).err

  it.skipIf(!can('openssl', ['version'], 'OpenSSL'))(
    'are tried: what cannot be used is named by its key, what has ended is warned of',
    () => {
      const { ca, good, other, expired } = makeAuthority()
      const broken = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----'
      expect(errOf({ ca: broken })).toContain('broker.tls.ca: found what OpenSSL cannot read')
      expect(errOf({ ca: `${ca}${broken}` })).toContain('broker.tls.ca: found what OpenSSL cannot read')
      expect(errOf({ ca: `${good.key}-----BEGIN ` })).toContain('broker.tls.ca: found no certificate')
      expect(errOf({ cert: good.cert, key: other.key })).toContain(
        'broker.tls.key: found the key of another certificate',
      )
      expect(errOf({ cert: broken, key: good.key })).toContain(
        'broker.tls.cert: found what OpenSSL cannot read',
      )
      expect(errOf({ ...good, ca })).toMatch(/^[^:]*: valid\n$/)
      expect(errOf({ ...expired, ca })).toMatch(/^warning: broker\.tls\.cert: a certificate ended on /)
    },
  )
})
