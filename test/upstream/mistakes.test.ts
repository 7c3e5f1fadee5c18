// What people get wrong about the broker is told in a sentence, with the key of the configuration to look at.

import { createServer } from 'node:http'
import { createServer as createPlainServer } from 'node:net'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import type { UpstreamOptions } from '../../src/upstream/upstream.ts'
import { haveMosquitto, listen, type MosquittoOptions, startMosquitto } from '../support/broker.ts'
import { type Authority, makeAuthority, startTlsServer } from '../support/certificates.ts'
import { startScriptedBroker } from '../support/scripted.ts'
import { connectOptions, pause, Rig } from './harness.ts'

async function start(options: MosquittoOptions) {
  const broker = await startMosquitto(options)
  onTestFinished(() => broker.close())
  return broker
}

/** Why a sensor's connection to this url fails; `answers`: it is known that somebody is there. */
async function why(url: string, changes: Partial<UpstreamOptions> = {}, answers = true): Promise<string> {
  const rig = new Rig({ url }, { version: '3.1.1', ...changes })
  onTestFinished(() => rig.close())
  const sensor = rig.sensor()
  sensor.connection.connect(connectOptions('sensor'))
  const { detail, answered } = await sensor.next('refused')
  expect(answered).toBe(answers)
  return detail
}

describe.skipIf(!haveMosquitto)('TLS', () => {
  let authority: Authority

  beforeAll(() => {
    authority = makeAuthority()
  })

  it.each([
    ['self', 'signed by itself: let broker.tls.ca hold'],
    ['expired', 'has expired'],
    ['other', 'does not match the certificate of the broker: correct the url, or let broker.tls.serverName'],
  ] as const)('a certificate that is wrong (%s) is told with the key', async (name, sentence) => {
    const server = await startTlsServer(authority[name])
    onTestFinished(() => server.close())
    const tls = { ca: authority.ca, verify: true }
    expect(await why(`mqtts://127.0.0.1:${server.port}`, { tls })).toContain(sentence)
  })

  it('an authority that is missing is told with the key', async () => {
    const server = await startTlsServer(authority.good)
    onTestFinished(() => server.close())
    for (const ca of [undefined, makeAuthority().ca]) {
      const detail = await why(`mqtts://127.0.0.1:${server.port}`, { tls: { ca, verify: true } })
      expect(detail).toMatch(/broker\.tls\.ca/)
    }
  })

  it('a key that belongs to another certificate is told', async () => {
    const { good, other, ca } = authority
    const rig = new Rig({ url: 'mqtts://127.0.0.1:1' }, { tls: { ca, verify: true } })
    onTestFinished(() => rig.close())
    const sensor = rig.sensor()
    const identity = { clientId: 'sensor', cert: good.cert, key: other.key }
    sensor.connection.connect(connectOptions('sensor', { identity }))
    expect((await sensor.next('refused')).detail).toContain(
      'the private key does not belong to the certificate',
    )
  })

  it.each(['3.1.1', 'auto'] as const)(
    'spoken to a plain port, and the other way round: MQTT %s',
    async (version) => {
      const plain = await start({})
      const detail = await why(plain.url.replace('mqtt:', 'mqtts:'), { version })
      expect(detail).toMatch(/does not speak TLS.*broker\.url/)
      // Node.js hangs up at what is no TLS; others say so with an alert.
      const server = await startTlsServer(authority.good)
      onTestFinished(() => server.close())
      expect(await why(`mqtt://127.0.0.1:${server.port}`, { version }, false)).toContain('needs mqtts://')
      const polite = createPlainServer((socket) => socket.end(Buffer.of(0x15, 3, 1, 0, 2, 2, 0x46)))
      const port = await listen(polite)
      onTestFinished(() => void polite.close())
      expect(await why(`mqtt://127.0.0.1:${port}`, { version })).toMatch(
        /speaks TLS: broker\.url needs mqtts/,
      )
    },
  )

  it('a client certificate that the broker demands is told with the keys', async () => {
    const broker = await start({ tls: true, requireCertificate: true })
    const detail = await why(broker.url, { tls: { ca: broker.ca, verify: true } })
    expect(detail).toMatch(/certificate.*broker\.tls\.cert/)
  })
})

it('a port that speaks HTTP is told', async () => {
  const server = createServer((_request, response) => response.end('hello'))
  const port = await listen(server)
  onTestFinished(() => void server.close())
  expect(await why(`mqtt://127.0.0.1:${port}`)).toContain('speaks HTTP')
})

describe('a refusal', () => {
  it.each([
    ['5', 0x87, 'not authorized (0x87): see sensors[].username and sensors[].password'],
    ['5', 0x86, 'bad user name or password (0x86): see sensors[].username'],
    ['5', 0x85, 'client identifier not valid (0x85): see sensors[].clientId'],
    ['5', 0x97, 'quota exceeded (0x97)'],
    ['5', 0xf0, 'the broker refused: 0xf0'],
    ['3.1.1', 4, 'bad user name or password (0x04): see sensors[].username'],
    ['3.1.1', 5, 'not authorized (0x05): see sensors[].username'],
    ['3.1.1', 2, 'identifier rejected (0x02): see sensors[].clientId'],
    ['3.1.1', 3, 'server unavailable (0x03)'],
  ] as const)('in MQTT %s by code %i is told by name', async (version, code, sentence) => {
    const broker = await startScriptedBroker((peer, { cmd }) => {
      if (cmd !== 'connect' || peer.clientId !== 'sensor') return undefined
      peer.send({ cmd: 'connack', sessionPresent: false, returnCode: code, reasonCode: code })
      return true
    })
    onTestFinished(() => broker.close())
    expect(await why(broker.url, { version })).toContain(sentence)
  })

  it.skipIf(!haveMosquitto)(
    'of the gateway itself is an error once, names its keys, and is no unreachable broker',
    async () => {
      const broker = await start({ auth: { username: 'gateway', password: 'right' } })
      const logged: [string, object][] = []
      const note = (fields: object, message: string) => void logged.push([message, fields])
      const log = { debug: () => undefined, info: note, warn: note, error: note }
      const own = { clientId: 'gateway', username: 'gateway', password: 'wrong' }
      const rig = new Rig(broker, { own, log, reconnect: { min: 10, max: 20 } })
      onTestFinished(() => rig.close())
      while (rig.upstream.stats().trouble === undefined) await pause(5)
      await pause(150)
      const detail = expect.stringMatching(
        /not authorized \(0x87\): see broker\.username and broker\.password/,
      )
      expect(logged).toEqual([['the broker does not accept the gateway', { url: broker.url, detail }]])
      expect(rig.upstream.stats().trouble).toEqual(detail)
      expect(JSON.stringify(logged)).not.toContain('wrong')
    },
  )
})
