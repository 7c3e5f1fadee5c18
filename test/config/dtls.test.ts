// The section `listeners[].dtls`: what is wrong with keys and certificates is said before anything starts, without a secret.

import { execFileSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ca, client, expired, p384, server } from '../../lab/pki.ts'
import { parsePskFile } from '../../src/config/dtls/psk-file.ts'
import { revokedSerials } from '../../src/config/dtls/revocation.ts'
import { ConfigError } from '../../src/config/load.ts'
import { redacted } from '../../src/config/redact.ts'
import { loadUsableConfig } from '../../src/config/usable.ts'
import { can } from '../support/broker.ts'
import { directoryWith } from './files.ts'

const KEY = '0f1e2d3c4b5a69788796a5b4c3d2e1f0'
const certificates = { cert: server.cert, key: server.key, clientCa: ca.cert }
const load = (dtls: object | undefined, url = 'dtls://127.0.0.1:8883', more: object = {}) =>
  loadUsableConfig({ env: {}, overrides: { listeners: [{ url, dtls, ...more }] } })

/** Paths of all that is wrong, and the words for them. */
function problems(...given: Parameters<typeof load>): string[] {
  try {
    load(...given)
    return []
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.problems.map(({ path, found, expected }) => `${path}: ${found}; ${expected}`)
  }
}

describe('a listener with DTLS', () => {
  it('takes keys, certificates, or both', () => {
    expect(problems({ psk: { keys: { 'meter-1': KEY } } })).toEqual([])
    expect(problems(certificates)).toEqual([])
    expect(problems({ ...certificates, psk: { keys: { 'meter-1': KEY } } })).toEqual([])
  })

  it('names the key where something is missing, or has no place [DTLS-RUN-7]', () => {
    const first = (...given: Parameters<typeof load>) => problems(...given)[0]?.split(';')[0]
    expect(first(undefined)).toBe('listeners[0].dtls.psk: neither psk nor cert')
    expect(first({ psk: {} })).toBe('listeners[0].dtls.psk: neither file nor keys')
    expect(first({ ...certificates, key: undefined })).toBe('listeners[0].dtls.key: cert without key')
    expect(first({ ...certificates, clientCa: undefined })).toMatch(/clientCa: cert without clientCa/)
    expect(first({ psk: { keys: {} }, clientCa: ca.cert })).toMatch(/cert: clientCa without cert/)
    expect(first({ psk: { keys: {} } }, 'udp://127.0.0.1:1884')).toMatch(/dtls: a section for dtls/)
    const discovery = { discovery: { group: '225.1.1.1' } }
    expect(first({ psk: { keys: {} } }, 'dtls://127.0.0.1:8883', discovery)).toMatch(
      /discovery: a group for dtls/,
    )
    expect(first({ psk: { keys: { x: 'abcd' } } })).toMatch(/psk.keys.x/)
  })

  it('finds keys and certificates that cannot be used [DTLS-RUN-7]', () => {
    const first = (dtls: object) => problems({ ...certificates, ...dtls })[0]
    expect(first({ key: client.key })).toMatch(/dtls.key: the key of another certificate/)
    expect(first({ cert: p384.cert, key: p384.key })).toMatch(/dtls.key: .*P-256/)
    expect(first({ clientCa: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----' })).toMatch(
      /clientCa/,
    )
    expect(first({ crl: '-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----' })).toMatch(
      /crl: a revocation/,
    )
  })

  it('warns of what is unwise [DTLS-RUN-7, DTLS-HS-19]', () => {
    const short = KEY.slice(0, 20)
    expect(load({ psk: { keys: { weak: short } } }).warnings).toContainEqual(
      'listeners[0].dtls.psk: keys of fewer than 16 octets are too weak: "weak"',
    )
    expect(load({ ...certificates, cert: expired.cert, key: expired.key }).warnings).toContainEqual(
      expect.stringMatching(/dtls.cert: a certificate ended/),
    )
    const { warnings } = load({ psk: { keys: { a: KEY } }, keyLog: 'keys.log' })
    expect(warnings).toContainEqual(expect.stringMatching(/keyLog: the secrets of all sessions/))
  })

  it('reads its file of keys relative to the configuration, line by line, and shows none [DTLS-RUN-6]', () => {
    const directory = directoryWith({
      'c.json': { listeners: [{ url: 'dtls://127.0.0.1:8883', dtls: { psk: { file: 'psk.txt' } } }] },
    })
    const [file, config] = [join(directory, 'psk.txt'), join(directory, 'c.json')]
    const loaded = () => loadUsableConfig({ env: {}, file: config })
    expect(loaded).toThrow(/the file does not exist/)
    writeFileSync(file, `# two sensors\nmeter-1:${KEY}\n\nurn:dev:7:${KEY}\n`)
    chmodSync(file, 0o600)
    expect(loaded().warnings.filter((warning) => warning.includes('dtls'))).toEqual([])
    expect(JSON.stringify(redacted(loaded().config))).not.toContain(KEY)
    chmodSync(file, 0o644)
    expect(loaded().warnings).toContainEqual(expect.stringMatching(/psk.file: every user .* can read it/))
    writeFileSync(file, `meter-1:${KEY}\nmeter-1:${KEY}\nmeter-2:12\nmeter-3\n`)
    expect(loaded).toThrow(ConfigError)
    expect(parsePskFile(`meter-1:${KEY}\nmeter-1:${KEY}\nmeter-2:12\nmeter-3\n`).problems).toEqual([
      'line 2: an identity that was there before',
      'line 3: a key that is not 8 to 64 octets in hexadecimal digits',
      'line 4: no "identity:hexkey"',
    ])
  })

  it('hides keys that stand in the configuration [DTLS-RUN-6]', () => {
    const { config } = load({ psk: { keys: { 'meter-1': KEY } } })
    expect(redacted(config)).toMatchObject({ listeners: [{ dtls: { psk: { keys: { 'meter-1': '***' } } } }] })
  })
})

describe.skipIf(!can('openssl', ['version'], 'OpenSSL'))('a revocation list', () => {
  it('names the serial numbers that openssl has put into it', () => {
    const directory = directoryWith({})
    const at = (name: string) => join(directory, name)
    writeFileSync(at('ca.pem'), ca.cert)
    writeFileSync(at('ca.key'), ca.key)
    writeFileSync(at('client.pem'), client.cert)
    writeFileSync(at('index.txt'), '')
    writeFileSync(at('ca.cnf'), `[ca]\ndefault_ca=d\n[d]\ndatabase=${at('index.txt')}\ndefault_md=sha256\n`)
    const openssl = (...args: string[]) =>
      execFileSync(
        'openssl',
        ['ca', '-config', at('ca.cnf'), '-cert', at('ca.pem'), '-keyfile', at('ca.key'), ...args],
        {
          stdio: ['ignore', 'pipe', 'ignore'],
        },
      ).toString()
    const list = () => openssl('-gencrl', '-crldays', '30')
    expect(revokedSerials(list())).toEqual([])
    openssl('-revoke', at('client.pem'))
    expect(revokedSerials(list())).toEqual([new X509Certificate(client.cert).serialNumber.toLowerCase()])
    expect(() => revokedSerials('none')).toThrow('no revocation list')
  })
})
