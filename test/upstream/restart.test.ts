// A real broker that dies and comes back, refuses users, or closes connections: Mosquitto.

import { createServer } from 'node:tls'
import { afterEach, describe, expect, it } from 'vitest'
import { haveMosquitto, listen, type RestartableBroker, startMosquitto } from '../support/broker.ts'
import { bytes, connectOptions, pause, Rig, Witness } from './harness.ts'

describe.skipIf(!haveMosquitto)('upstream with a Mosquitto', () => {
  const cleanup: (() => Promise<void>)[] = []

  afterEach(async () => {
    for (const end of cleanup.splice(0).reverse()) await end()
  })

  async function start(...options: Parameters<typeof startMosquitto>): Promise<RestartableBroker> {
    const broker = await startMosquitto(...options)
    cleanup.push(() => broker.close())
    return broker
  }

  function rig(...options: ConstructorParameters<typeof Rig>): Rig {
    const made = new Rig(...options)
    cleanup.push(() => made.close())
    return made
  }

  it.each(['3.1.1', '5'] as const)(
    'that restarts, messages and sessions go on where they were, MQTT %s [SN-MAP-17]',
    async (version) => {
      const broker = await start({ persistence: true })
      const one = rig(broker, { version })
      const sensor = one.careful()
      await sensor.open('stays', { clean: false })
      sensor.connection.subscribe(1, 'stays/in', 2, true)
      await sensor.next('subscribed')
      const witness = await Witness.at(broker)
      await witness.client.publishAsync('stays/in', 'held', { qos: 2 })
      await sensor.next('message')
      await witness.close()
      await broker.stop()
      expect((await sensor.next('closed')).why).toBe('lost')
      await broker.start()
      expect((await sensor.open('stays', { clean: false })).sessionPresent).toBe(true)
      const second = await Witness.at(broker, 'stays/out')
      sensor.publish(2, 'stays/out', bytes('after'), 2)
      expect((await sensor.next('published')).outcome).toBe(0)
      await second.saw(1)
      await second.client.publishAsync('stays/in', 'next', { qos: 2 })
      while (sensor.texts.length < 2) await sensor.next('message')
      // whatever the broker repeats of the message from before its restart can be told from another
      expect(sensor.texts).toEqual(['held', 'next'])
      expect(one.upstream.stats()).toMatchObject({ connected: 1, lost: 1 })
      await second.close()
    },
  )

  it.each(['3.1.1', '5'] as const)(
    'that is killed under load, QoS 1 publishes arrive and QoS 2 publishes are not repeated, MQTT %s',
    async (version) => {
      const broker = await start()
      const sensor = rig(broker, { version }).careful()
      await sensor.open('loaded', { clean: false })
      const total = 40
      for (let token = 1; token <= total; token++) {
        sensor.publish(token, `loaded/${(token % 2) + 1}`, bytes(`${token}`), token % 2 === 0 ? 1 : 2)
      }
      await sensor.next('published')
      await broker.stop('SIGKILL')
      await sensor.next('closed')
      const tokensOf = (type: 'published' | 'received') =>
        sensor.events.flatMap((event) => (event.type === type ? [event.token] : []))
      const before = new Set([...tokensOf('published'), ...tokensOf('received')])
      expect(before.size).toBeLessThan(total)
      await broker.start()
      const witness = await Witness.at(broker, 'loaded/+')
      await sensor.open('loaded', { clean: false })
      while (sensor.count('published') < total) await sensor.next('published')
      await witness.settled('loaded/settled')
      const tokens = Array.from({ length: total }, (_, index) => index + 1)
      expect(tokensOf('published').toSorted((a, b) => a - b)).toEqual(tokens)
      const again = witness.messages.map((message) => Number(message.text))
      expect(again.filter((token) => before.has(token))).toEqual([])
      const exactlyOnce = again.filter((token) => token % 2 === 1)
      expect(new Set(exactlyOnce).size).toBe(exactlyOnce.length)
      // a broker without persistence forgot what it had not passed on, so everything at QoS 1 must come anew
      for (let token = 2; token <= total; token += 2) if (!before.has(token)) expect(again).toContain(token)
      await witness.close()
    },
  )

  it.each(['3.1.1', '5'] as const)(
    'that closes the connection, QoS 2 publishes arrive exactly once when the session goes on, MQTT %s',
    async (version) => {
      const broker = await start()
      const sensor = rig(broker, { version }).careful()
      const witness = await Witness.at(broker, 'exactly/#')
      const total = 60
      await sensor.open('exactly', { clean: false })
      for (let token = 1; token <= total; token++) {
        sensor.publish(token, 'exactly/once', bytes(`${token}`), 2)
        if (token % 20 !== 10) continue
        // somewhere in the middle of the exchanges
        await sensor.next('received')
        expect((await sensor.open('exactly', { clean: false })).sessionPresent).toBe(true)
      }
      while (sensor.count('published') < total) await sensor.next('published')
      await witness.settled('exactly/settled')
      const arrived = witness.messages.map((message) => Number(message.text)).toSorted((a, b) => a - b)
      expect(arrived).toEqual(Array.from({ length: total }, (_, index) => index + 1))
      await witness.close()
    },
  )

  it('that speaks MQTT 5 keeps what a clean session had for as long as the gateway may be away [SN-MAP-4]', async () => {
    const broker = await start()
    const away = { version: '5', absenceSeconds: 600 } as const
    const witness = await Witness.at(broker, 'away/will')
    const will = { topic: 'away/will', message: bytes('gone'), qos: 1 as const, retain: false }
    const before = rig(broker, away).careful()
    await before.open('away', { will })
    before.connection.subscribe(1, 'away/in', 2, true)
    await before.next('subscribed')
    // the gateway is gone and comes back: another connection of the same client, which takes the first one's place
    const after = rig(broker, away).careful()
    expect((await after.open('away', { mend: true, will })).sessionPresent).toBe(true)
    await before.next('closed')
    await witness.client.publishAsync('away/in', 'still subscribed', { qos: 1 })
    await after.next('message')
    await witness.settled('away/will')
    expect(witness.messages).toEqual([])
    // a session that is new for the sensor is new for the broker
    expect((await after.open('away', { will })).sessionPresent).toBe(false)
    await witness.close()
  })

  it.each([
    { qos: 0, clean: true },
    { qos: 1, clean: true },
    { qos: 2, clean: true },
    { qos: 2, clean: false },
  ] as const)(
    'that would delay the will of a lost sensor does not, QoS $qos, clean session $clean [SN-MAP-13]',
    async ({ qos, clean }) => {
      const broker = await start()
      const one = rig(broker, { version: '5', absenceSeconds: 600 })
      const witness = await Witness.at(broker, 'delayed/+')
      const sensor = one.sensor()
      const will = (name: string) => ({ topic: `delayed/${name}`, message: bytes(name), qos, retain: true })
      await sensor.open('delayed', { clean, will: will('discarded') })
      sensor.connection.close(false, clean)
      const { sessionPresent } = await sensor.open('delayed', { clean, mend: true, will: will('published') })
      expect(sessionPresent).toBe(!clean)
      sensor.connection.close(true, clean)
      await witness.saw(1)
      // the session is over or goes on, and there is nothing left that could be published
      const again = await sensor.open('delayed', { clean, mend: true })
      expect(again.sessionPresent).toBe(!clean)
      await witness.settled('delayed/settled')
      expect(witness.messages).toEqual([
        { topic: 'delayed/published', text: 'published', qos, retain: false },
      ])
      await witness.close()
    },
  )

  it.each(['3.1.1', '5'] as const)(
    'that wants a password, identities decide, MQTT %s [SN-MAP-1]',
    async (version) => {
      const broker = await start({ auth: { username: 'node', password: 'secret' } })
      const one = rig(broker, { version, own: { clientId: 'gw', username: 'node', password: 'secret' } })
      const sensor = one.sensor()
      const identity = { clientId: 'auth', username: 'node', password: 'secret' }
      for (const wrong of [{ clientId: 'auth' }, { ...identity, password: 'wrong' }]) {
        sensor.connection.connect(connectOptions('auth', { identity: wrong }))
        const refused = await sensor.next('refused')
        expect(refused.outcome).toBe(3)
        expect(refused.detail).not.toContain('wrong')
      }
      await sensor.open('auth', { identity })
      while (!one.upstream.healthy) await pause(5)
    },
  )

  it('that has TLS, only a certificate of the right authority and name will do', async () => {
    const broker = await start({ tls: true })
    const other = await start({ tls: true })
    for (const scheme of ['mqtts', 'wss'] as const) {
      const wrong = rig({ url: `${scheme}://127.0.0.1:${broker.port}`, ca: other.ca })
      const sensor = wrong.sensor()
      sensor.connection.connect(connectOptions('tls'))
      const { outcome, detail } = await sensor.next('refused')
      expect(outcome).toBe(1)
      expect(detail).toMatch(/certificate/)
    }
    const named = rig(broker, {
      tls: { ca: broker.ca, verify: true, serverName: 'another.example' },
    }).sensor()
    named.connection.connect(connectOptions('tls'))
    expect((await named.next('refused')).detail).toMatch(/altnames|does not match/)
    const known = rig(broker, { tls: { ca: broker.ca, verify: true, serverName: 'localhost' } }).sensor()
    await known.open('tls')
    const careless = rig(broker, { tls: { verify: false } }).sensor()
    await careless.open('tls-unverified')
  })

  it('that shows a wrong certificate, it gets no octet of CONNECT', async () => {
    const { client } = await start({ tls: true })
    const received: Buffer[] = []
    let handshakes = 0
    const server = createServer({ ...client }, (socket) => {
      handshakes += 1
      socket.on('data', (chunk: Buffer) => received.push(chunk))
      socket.on('error', () => undefined)
    })
    server.on('tlsClientError', () => {
      handshakes += 1
    })
    const port = await listen(server)
    cleanup.push(async () => {
      await new Promise((resolve) => server.close(resolve))
    })
    const impostor = { url: `mqtts://127.0.0.1:${port}`, ca: undefined }
    const sensor = rig(impostor).sensor()
    const identity = { clientId: 'a', username: 'u', password: 'p' }
    sensor.connection.connect(connectOptions('tls', { identity }))
    expect((await sensor.next('refused')).outcome).toBe(1)
    while (handshakes === 0) await pause(5)
    await pause(20)
    expect(received).toEqual([])
    // it would be seen here: without verification the CONNECT arrives
    const blind = rig(impostor, { tls: { verify: false }, connectTimeout: 100 }).sensor()
    blind.connection.connect(connectOptions('tls', { identity }))
    while (received.length === 0) await pause(5)
  })

  it('that asks for certificates, each identity shows its own', async () => {
    const broker = await start({ tls: true, requireCertificate: true })
    const one = rig(broker, { version: '5' })
    const sensor = one.sensor()
    sensor.connection.connect(connectOptions('certified'))
    expect((await sensor.next('refused')).outcome).toBe(1)
    await sensor.open('certified', { identity: { clientId: 'certified', ...broker.client } })
    const shared = rig(broker, { version: '5', tls: { ca: broker.ca, ...broker.client, verify: true } })
    await shared.sensor().open('certified-2')
  })

  it('that is away, the gateway`s own connection comes back by itself [SN-QM1-4, SN-QM1-9]', async () => {
    const broker = await start()
    const { upstream } = rig(broker)
    while (!upstream.healthy) await pause(5)
    await broker.stop('SIGKILL')
    while (upstream.healthy) await pause(5)
    expect(upstream.publishAnonymous('a', bytes('dropped'), false)).toBe(false)
    await broker.start()
    const witness = await Witness.at(broker, '#')
    while (!upstream.healthy) await pause(5)
    expect(upstream.publishAnonymous('a', bytes('kept'), true)).toBe(true)
    await witness.saw(1)
    expect(witness.messages.map((message) => message.text)).toEqual(['kept'])
    await witness.close()
  })
})
