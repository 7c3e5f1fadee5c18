// When the broker goes away: what sensors notice, and what they need not [AMB-29].

import { describe, expect, it, type TestContext } from 'vitest'
import { freePort, haveMosquitto, type RestartableBroker, startMosquitto } from '../support/broker.ts'
import { aWhile, Office, TestGateway, until } from '../support/gateway.ts'
import { startScriptedBroker } from '../support/scripted.ts'

/** For tests that run at once, each of which says itself when it has finished. */
async function setUp({ onTestFinished }: TestContext, broker: object = {}, timers: object = {}) {
  const mosquitto = await startMosquitto({ persistence: true })
  onTestFinished(() => mosquitto.close())
  const test = await TestGateway.start(mosquitto, { broker, timers })
  onTestFinished(() => test.stop())
  return { mosquitto, test }
}

/** Stops the broker, and waits until the gateway has noticed on all of its connections. */
async function takeAway(broker: RestartableBroker, test: TestGateway, signal: 'SIGTERM' | 'SIGKILL') {
  await broker.stop(signal)
  const { sessions } = test.gateway
  const isUp = () => [...sessions.byClientId.values()].some(({ link }) => link.state === 'up')
  await until(() => !isUp() && !test.gateway.status().broker.healthy)
}

describe.skipIf(!haveMosquitto)('while the broker is away', { concurrent: true }, () => {
  it.for([
    ['3.1.1', 'SIGTERM'],
    ['3.1.1', 'SIGKILL'],
    ['5', 'SIGTERM'],
    ['5', 'SIGKILL'],
  ] as const)(
    'sensors stay connected and their QoS 1 messages wait: MQTT %s, %s [SN-MAP-3, SN-MAP-4 in part] [SN-MAP-32, SN-MAP-33]',
    async ([version, signal], context) => {
      const { mosquitto, test } = await setUp(context, { version })
      const active = await test.connected()
      const sleeper = await test.connected({ cleanSession: false })
      for (const sensor of [active, sleeper]) await sensor.subscribe(`outage/${sensor.clientId}`, 1)
      await sleeper.sleep(60)
      const told: string[] = []
      for (const sensor of [active, sleeper]) sensor.on('disconnected', (why) => told.push(why))

      await takeAway(mosquitto, test, signal)
      await active.ping()
      let acknowledged = false
      const waiting = active.publish('outage/reading', '21', { qos: 1, retain: true }).then(() => {
        acknowledged = true
      })
      await aWhile()
      expect(acknowledged).toBe(false)

      await mosquitto.start()
      await waiting
      const links = [active, sleeper].map(
        ({ clientId }) => test.gateway.sessions.byClientId.get(clientId)?.link,
      )
      await until(() => links.every((link) => link?.state === 'up' && link.restoring.size === 0))
      const office = await Office.at(mosquitto, 'outage/reading')
      expect((await office.inbox.next()).text).toBe('21')
      for (const { clientId } of [active, sleeper]) await office.publish(`outage/${clientId}`, clientId)
      expect((await active.inbox.next()).text).toBe(active.clientId)
      await until(() => test.gateway.sessions.byClientId.get(sleeper.clientId)?.downlink.queue.length === 1)
      await sleeper.wake()
      expect(sleeper.inbox.all.map(({ text }) => text)).toEqual([sleeper.clientId])
      expect(told).toEqual([])
      await office.close()
    },
  )

  it('what cannot wait is told to try later [SN-MAP-27, SN-MAP-28]', async (context) => {
    const { mosquitto, test } = await setUp(context, {}, { answer: '200ms' })
    const sensor = await test.connected({ tRetry: 1000, nRetry: 0 })
    await sensor.subscribe('outage/before', 1)
    await takeAway(mosquitto, test, 'SIGKILL')
    const errors: (number | undefined)[] = []
    sensor.on('error', ({ returnCode }) => errors.push(returnCode))
    await sensor.publish('outage/a', 'QoS 0')
    await sensor.publish('outage/a', 'QoS 0')
    const congestion = { code: 'rejected', returnCode: 1 }
    await expect(sensor.publish('outage/a', 'QoS 1', { qos: 1 })).rejects.toMatchObject(congestion)
    await expect(sensor.publish('outage/a', 'QoS 2', { qos: 2 })).rejects.toMatchObject(congestion)
    await expect(sensor.subscribe('outage/a')).rejects.toMatchObject(congestion)
    expect(errors).toEqual([1]) // once per T_WAIT
    expect(await sensor.register('outage/b')).toBeGreaterThan(0)
    // UNSUBACK could not tell of a failure: there is none, and the sensor repeats.
    await expect(sensor.unsubscribe('outage/before')).rejects.toMatchObject({ code: 'timeout' })
  })

  it('longer than the grace time, sensors are told, sleeping ones when they wake [SN-MAP-32, SN-MAP-33, SN-DISC-5]', async (context) => {
    const { mosquitto, test } = await setUp(context, { grace: '300ms' })
    const active = await test.connected()
    const sleeper = await test.connected()
    await sleeper.sleep(60)
    const told = new Promise((resolve) => active.once('disconnected', resolve))
    await takeAway(mosquitto, test, 'SIGTERM')
    const waiting = active.publish('outage/late', '1', { qos: 1 })
    await expect(waiting).rejects.toMatchObject({ code: 'disconnected' })
    expect(await told).toBe('gateway')
    expect(test.stateOf(sleeper)).toBe('asleep')
    await expect(sleeper.wake()).rejects.toMatchObject({ code: 'disconnected' })

    await mosquitto.start()
    for (const sensor of [active, sleeper]) {
      await sensor.connect()
      await sensor.publish('outage/late', '2', { qos: 1 })
    }
  })
})

describe('a broker that cannot be reached', { concurrent: true }, () => {
  it('means CONNACK 0x01 at once if it refuses, and no record is kept [SN-CONN-19 in part]', async ({
    onTestFinished,
  }) => {
    const broker = { url: `mqtt://127.0.0.1:${await freePort()}` }
    const test = await TestGateway.start(broker, {}, { healthy: false })
    onTestFinished(() => test.stop())
    const before = performance.now()
    await expect(test.connected()).rejects.toMatchObject({ code: 'rejected', returnCode: 1 })
    expect(performance.now() - before).toBeLessThan(3000)
    expect(test.gateway.status().sensors).toBe(0)
  })

  it('means CONNACK 0x01 within 5 s if it says nothing [SN-CONN-19 in part] [SN-MAP-6, SN-MAP-26]', async ({
    onTestFinished,
  }) => {
    const broker = await startScriptedBroker(() => true)
    onTestFinished(() => broker.close())
    const test = await TestGateway.start(broker, {}, { healthy: false })
    onTestFinished(() => test.stop())
    const before = performance.now()
    const connecting = test.connected({ tRetry: 10_000 })
    await expect(connecting).rejects.toMatchObject({ code: 'rejected', returnCode: 1 })
    expect(performance.now() - before).toBeLessThan(5000)
    expect(test.gateway.status().sensors).toBe(0)
  })
})
