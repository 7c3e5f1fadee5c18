// `mqttsn check --connect`: every step to the broker, and every login, with the key to change.

import { describe, expect, it, onTestFinished } from 'vitest'
import { checkConfig, checkConnections } from '../../src/cli/check.ts'
import { openPostgresStore } from '../../src/store/postgres/postgres.ts'
import { fileWith } from '../config/files.ts'
import { durable } from '../store/contract.ts'
import { engineOf } from '../store/postgres/place.ts'
import { freePort, haveMosquitto, type MosquittoOptions, startMosquitto } from '../support/broker.ts'
import { makeAuthority } from '../support/certificates.ts'
import { hasPostgres, POSTGRES_START, startPostgres } from '../support/postgres.ts'

const check = (content: object, json = false) =>
  checkConnections({ config: fileWith(content), connect: true, json }, {})

async function start(options: MosquittoOptions) {
  const broker = await startMosquitto(options)
  onTestFinished(() => broker.close())
  return broker
}

const auth = { username: 'gateway', password: 'hunter2' }

describe('check --connect', () => {
  it('says that nothing listens at the port, and stops there', async () => {
    const port = await freePort()
    const { out, status } = await check({ broker: { url: `mqtt://localhost:${port}` } })
    expect(status).toBe(3)
    expect(out).toMatch(
      /^ok {5}name {2}broker\.url: localhost is .*\nFAILED port {2}broker\.url: .*nothing listens there: see host and port in broker\.url/,
    )
    expect(out.split('\n')).toHaveLength(3)
  })

  it('says that nobody knows the name', async () => {
    const { out, status } = await check({ broker: { url: 'mqtt://no-such-host.invalid' } })
    expect(status).toBe(3)
    expect(out).toMatch(/^FAILED name {2}broker\.url: no-such-host\.invalid: .*see the host in broker\.url/)
  })

  it('says nothing of the network where the configuration is wrong', async () => {
    expect(await check({ colour: 1 })).toMatchObject({ status: 1, out: '' })
  })

  it.skipIf(!haveMosquitto)(
    'logs in as the gateway and once for each rule with credentials, without showing them',
    async () => {
      const broker = await start({ auth })
      const sensors = [
        { match: 'good-*', ...auth },
        { match: 'bad-?', username: 'gateway', password: 'sesame' },
        { match: 'plain' },
      ]
      const { out, err, status } = await check({ broker: { url: broker.url, ...auth }, sensors })
      expect(status).toBe(3)
      const [port, own, good, bad, ...rest] = out.split('\n')
      expect(port).toMatch(/^ok {5}port /)
      expect(own).toMatch(
        /^ok {5}login broker: as "mqttsn-gateway-1-check" with user name "gateway": accepted, MQTT 5/,
      )
      expect(good).toMatch(/^ok {5}login sensors\[0\]: as "good-check"/)
      expect(bad).toMatch(/^FAILED login sensors\[1\]: as "bad-x".*not authorized.*see sensors\[\]\.username/)
      expect(rest).toEqual([''])
      expect(out + err).not.toMatch(/hunter2|sesame/)
      const right = await check({ broker: { url: broker.url, ...auth } }, true)
      expect(right.status).toBe(0)
      expect(JSON.parse(right.out)).toMatchObject({
        valid: true,
        connects: true,
        tried: [{ step: 'port' }, { step: 'login', ok: true }],
      })
      expect(right.out).not.toContain('hunter2')
    },
  )

  it.skipIf(!haveMosquitto)('names what is wrong with TLS, and nothing where it is right', async () => {
    const broker = await start({ tls: true })
    const right = await check({ broker: { url: broker.url, tls: { ca: broker.ca } } })
    expect([right.status, right.out]).toEqual([
      0,
      expect.stringMatching(/ok {5}tls {3}broker\.url: TLSv1\.3, certificate of "broker"/),
    ])
    const wrong = await check({ broker: { url: broker.url, tls: { ca: makeAuthority().ca } } })
    expect([wrong.status, wrong.out]).toEqual([
      3,
      expect.stringMatching(/FAILED tls {3}broker\.url: .*broker\.tls\.ca/),
    ])
    const plain = await check({ broker: { url: broker.url.replace('mqtts', 'mqtt') } })
    expect([plain.status, plain.out]).toEqual([
      3,
      expect.stringMatching(/FAILED login broker: .*broker\.url/),
    ])
  })
})

describe.skipIf(process.platform !== 'linux' || !haveMosquitto)(
  'check --connect with broker.localAddresses',
  () => {
    it('says whether the broker can be reached from each', async () => {
      const { url } = await start({})
      const { out, status } = await check({ broker: { url, localAddresses: ['127.0.0.2', '127.0.0.3'] } })
      expect(status).toBe(0)
      expect(out).toMatch(
        /^ok {5}from {2}broker\.localAddresses\[0\]: from 127\.0\.0\.2: port \d+ .* accepts/,
      )
      expect(out).toMatch(
        /\nok {5}from {2}broker\.localAddresses\[1\]: from 127\.0\.0\.3: .*\n.*\nok {5}login/,
      )
    })

    it('names those that this machine does not have, and tries nothing from them', async () => {
      const { url } = await start({})
      const { out, status } = await check({ broker: { url, localAddresses: ['127.0.0.2', '192.0.2.1'] } })
      expect([status, out]).toEqual([
        3,
        'FAILED from  broker.localAddresses[1]: 192.0.2.1: this machine does not have the address (EADDRNOTAVAIL): see broker.localAddresses\n',
      ])
    })

    it('says from where nothing listens', async () => {
      const url = `mqtt://127.0.0.1:${await freePort()}`
      const { out, status } = await check({ broker: { url, localAddresses: ['127.0.0.2'] } })
      expect(status).toBe(3)
      expect(out).toMatch(
        /^FAILED from {2}.*from 127\.0\.0\.2: .*nothing listens there.*broker\.localAddresses\n/,
      )
    })
  },
)

describe('check', () => {
  it.skipIf(!haveMosquitto)('says which key does not belong to its certificate', () => {
    const { good, other, ca } = makeAuthority()
    const tls = { ca, cert: good.cert, key: good.key }
    const rule = { match: 'a', cert: other.cert, key: good.key }
    const url = 'mqtts://h'
    expect(checkConfig({ config: fileWith({ broker: { url, tls } }) }, {}).status).toBe(0)
    const { err, status } = checkConfig({ config: fileWith({ broker: { url, tls }, sensors: [rule] }) }, {})
    expect(status).toBe(1)
    expect(err).toMatch(
      /^sensors\[0\]\.key: found the key of another certificate, expected the private key of sensors\[0\]\.cert/,
    )
    const broken = { broker: { url, tls: { ...tls, cert: good.cert.slice(0, 200) } } }
    expect(checkConfig({ config: fileWith(broken) }, {}).err).toContain(
      'broker.tls.cert: found what OpenSSL cannot read',
    )
    expect(err).not.toContain('BEGIN')
  })
})

describe.skipIf(!hasPostgres)('check --connect, with sessions in PostgreSQL', () => {
  it(
    'tries the database, says what it lacks, and leaves a gateway that runs there alone',
    async () => {
      const engine = await startPostgres()
      const at = (url: string) => check({ broker: 'embedded', store: { type: 'postgres', url } })
      const { password } = new URL(engine.url)
      const first = await at(engine.url)
      expect(first.status).toBe(0)
      expect(first.out).toMatch(
        /ok {5}login store\.url: 127\.0\.0\.1:\d+ takes writes, no sessions there yet; it has no synchronous standby/,
      )
      const wrong = await at(engine.url.replace(password, 'sesame'))
      expect(wrong.status).toBe(3)
      expect(wrong.out).toMatch(/FAILED login store\.url: .*does not accept user and password/)
      expect(first.out + first.err + wrong.out + wrong.err).not.toMatch(new RegExp(`sesame|${password}`))
      const store = await openPostgresStore({ engine: engineOf(engine.url) })
      onTestFinished(() => store.close())
      expect((await at(engine.url)).out).toContain('sessions of a gateway are there')
      store.keepAside('still', () => ({ mine: true }))
      expect(await durable(store)).toBeUndefined()
      await engine.primary.kill()
      expect((await at(engine.url)).out).toMatch(/FAILED login store\.url: .*connection refused/)
    },
    POSTGRES_START,
  )
})
