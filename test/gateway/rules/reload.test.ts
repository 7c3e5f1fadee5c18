// A changed configuration on a running gateway: what holds at once, what waits for a restart, and that sessions go on.

import { describe, expect, it, onTestFinished } from 'vitest'
import { Gateway } from '../../../src/gateway/gateway.ts'
import { createLog } from '../../../src/log.ts'
import { createView } from '../../../src/monitor/view.ts'
import { haveMosquitto, startMosquitto } from '../../support/broker.ts'
import { freshName, Office, TestGateway, testConfig, until } from '../../support/gateway.ts'

type Overrides = Parameters<typeof testConfig>[1]
type Broker = Parameters<typeof testConfig>[0]

/** A running gateway whose configuration can be given anew, and the lines that it logs. */
async function start(overrides: Overrides = {}, broker: Broker = 'embedded') {
  const lines: { level: string; msg: string; paths?: string[]; sensors?: string[] }[] = []
  const log = createLog(
    { level: 'info', format: 'json', payloads: false },
    { write: (line) => lines.push(JSON.parse(line)) },
  )
  const fixed = { log: { level: 'info' }, broker: { clientId: `gateway-${freshName()}` } }
  const withFixed = (more: Overrides) => ({ ...fixed, ...more, broker: { ...fixed.broker, ...more.broker } })
  const test = await TestGateway.start(broker, withFixed(overrides), { log })
  onTestFinished(() => test.stop())
  return {
    test,
    gateway: test.gateway,
    reload(next: Overrides) {
      lines.length = 0
      return test.gateway.reload(testConfig(broker, withFixed(next)))
    },
    /** level and message of what was logged since the last reload, with the paths that it names */
    said: () => lines.map(({ level, msg, paths = [] }) => [level, msg, ...paths]),
    lines,
  }
}

describe('a reload', () => {
  it('says in one line that nothing has changed', async () => {
    const { reload, said } = await start()
    expect(reload({})).toEqual({ applied: [], waiting: [], ended: [] })
    expect(said()).toEqual([['info', 'configuration: nothing has changed']])
  })

  it('applies sections, one line each, and names in one line what needs a restart; values are never shown', async () => {
    const { reload, said, lines } = await start({ store: { type: 'memory' } })
    const report = reload({
      gateway: { id: 1 },
      listeners: [{ url: 'udp://127.0.0.1:1' }, { url: 'udp://127.0.0.1:2' }],
      console: { token: 'token-token-token' },
      store: { type: 'memory', path: 'elsewhere' },
      sensors: [{ match: 'a', username: 'me', password: 'hunter2' }],
      timers: { tRetry: '5s', nRetry: 1 },
      limits: { sensors: 5 },
    })
    const sensors = ['sensors[0].match', 'sensors[0].username', 'sensors[0].password', 'sensors[1]']
    expect(report.applied).toEqual(['timers.tRetry', 'timers.nRetry', 'limits.sensors', ...sensors])
    expect(report.waiting).toEqual([
      'console.token',
      'listeners[0].url',
      'listeners[0].name',
      'listeners[1]',
      'store.path',
    ])
    expect(said()).toEqual([
      ['info', 'configuration: timers applied', 'timers.tRetry', 'timers.nRetry'],
      ['info', 'configuration: limits applied', 'limits.sensors'],
      ['info', 'configuration: sensors applied', ...sensors],
      ['warn', 'configuration: these changes need a restart of the gateway', ...report.waiting],
    ])
    expect(JSON.stringify(lines)).not.toMatch(/hunter2|token-token/)
  })

  it('keeps no new credentials for an old broker: they wait for the restart with its url', async () => {
    const { reload, gateway } = await start()
    const sensors = [{ username: 'me', password: 'new' }]
    const { applied, waiting } = reload({ broker: { url: 'mqtts://other.example', username: 'gw' }, sensors })
    expect(applied).toEqual([])
    expect(waiting).toEqual(expect.arrayContaining(['broker.url', 'broker.username', 'sensors[0].password']))
    expect(gateway.rules.identityOf({ clientId: 'a' }).password).toBeUndefined()
  })

  it('names a few of many paths', async () => {
    const { reload, lines } = await start()
    const topics = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [i + 1, `t/${i}`]))
    reload({ predefined: topics })
    expect(lines).toMatchObject([{ paths: ['predefined[0]'] }])
    reload({ predefined: { 51: 'x' } })
    expect(lines).toMatchObject([{ paths: { length: 20 }, more: 31 }])
  })

  it('shows in the console what is in effect', async () => {
    const config = testConfig('embedded', {})
    const gateway = new Gateway(config)
    await gateway.start()
    onTestFinished(() => gateway.stop())
    const view = createView(gateway, config, '1')
    onTestFinished(() => view.close())
    const next = testConfig('embedded', { limits: { sensors: 3 }, status: { enabled: true } })
    gateway.reload({ ...next, broker: config.broker })
    expect(view.config()).toMatchObject({ limits: { sensors: 3 }, status: { enabled: false } })
  })
})

describe('sessions go on', () => {
  it('with other predefined topics, QoS -1 rules and limits, on the same connection', async () => {
    const { test, gateway, reload } = await start({ predefined: { 1: 'old/one' } })
    const office = await Office.at({ url: gateway.status().broker.url }, '#')
    onTestFinished(() => office.close())
    const sensor = await test.connected()
    await sensor.publish({ predefined: 1 }, 'a', { qos: 1 })
    expect((await office.inbox.next()).topic).toBe('old/one')
    const { connected } = gateway.status().broker
    reload({ predefined: { 1: 'new/one', 2: 'new/two' } })
    await sensor.publish({ predefined: 1 }, 'b', { qos: 1 })
    await sensor.publish({ predefined: 2 }, 'c', { qos: 1 })
    expect([(await office.inbox.next()).topic, (await office.inbox.next()).topic]).toEqual([
      'new/one',
      'new/two',
    ])
    expect(test.stateOf(sensor)).toBe('active')
    expect(gateway.status().broker.connected).toBe(connected)
    expect(gateway.status().counters.received).toMatchObject({ connect: 1 })

    reload({ predefined: { 1: 'new/one' }, qosMinusOne: { enabled: false }, limits: { sensors: 1 } })
    const button = test.sensor({ keepAlive: 0 })
    await button.publish({ predefined: 1 }, 'of nobody', { qos: -1 })
    await until(() => gateway.status().counters.dropped['not-allowed'] === 1)
    await expect(test.connected()).rejects.toMatchObject({ returnCode: 1 })
  })

  it('with other queues: what waits from then on waits by the new rule', async () => {
    const { test, gateway, reload } = await start()
    const office = await Office.at({ url: gateway.status().broker.url })
    onTestFinished(() => office.close())
    const sensor = await test.connected({ cleanSession: false })
    await sensor.subscribe('setpoint', 1)
    await sensor.sleep(600)
    const queued = () =>
      gateway.sessions.byClientId
        .get(sensor.clientId)
        ?.downlink.queue.map(({ payload }) => Buffer.from(payload).toString())
        .join()
    await office.publish('setpoint', '1', { qos: 1 })
    await office.publish('setpoint', '2', { qos: 1 })
    await until(() => queued() === '1,2')
    reload({ queues: [{ topics: ['setpoint'], overflow: 'latest-per-topic' }] })
    expect(test.stateOf(sensor)).toBe('asleep')
    await office.publish('setpoint', '3', { qos: 1 })
    await until(() => queued() === '3')
  })

  it('with other timers, which hold for sensors that are silent already', async () => {
    const { test, reload } = await start()
    const clientId = freshName()
    const silent = await test.peer() // a Sensor would answer when it is asked whether it is there
    silent.send({ type: 'connect', will: false, cleanSession: true, protocolId: 1, duration: 0, clientId })
    await silent.next('connack')
    reload({ timers: { inactivity: '4s' } }) // asked at 95 % of it: a busy machine needs some time between
    await silent.next('pingreq')
    await until(() => test.stateOf({ clientId }) === undefined)
  })

  it('at listeners that take datagrams from other networks, and from other forwarders', async () => {
    const { test, gateway, reload } = await start({ listeners: [{ url: 'udp://127.0.0.1:0' }] })
    const sensor = await test.connected()
    const listener = { url: 'udp://127.0.0.1:0', name: 'udp://127.0.0.1:0' }
    const { applied } = reload({ listeners: [{ ...listener, deny: ['127.0.0.1'], roaming: 'off' }] })
    expect(applied).toEqual(['listeners[0].roaming', 'listeners[0].deny[0]'])
    await expect(test.connected({ tRetry: 20, nRetry: 0 })).rejects.toMatchObject({ code: 'timeout' })
    expect(gateway.status().counters.dropped['not-allowed']).toBe(1)
    reload({ listeners: [listener] })
    await sensor.ping()
    expect(test.stateOf(sensor)).toBe('active')
  })
})

describe('sensors that may not be here any more', () => {
  it('are sent away at once, and refused when they come back; no will is published', async () => {
    const { test, gateway, reload, lines } = await start()
    const office = await Office.at({ url: gateway.status().broker.url }, 'wills/#')
    onTestFinished(() => office.close())
    const will = { topic: 'wills/a', message: 'gone' }
    const [bad, stray, good] = await Promise.all([
      test.connected({ clientId: `bad-${freshName()}`, will }),
      test.connected({ clientId: `stray-${freshName()}`, will }),
      test.connected(),
    ])
    const { ended } = reload({
      sensors: [
        { match: 'bad-*', deny: true },
        { match: 'stray-*', from: ['10.0.0.0/8'] },
      ],
    })
    expect([...ended].sort()).toEqual([bad.clientId, stray.clientId].sort())
    expect(lines.find(({ msg }) => msg.startsWith('sensors sent away'))?.sensors).toHaveLength(2)
    await until(() => [bad, stray].every((sensor) => sensor.state === 'disconnected'))
    expect(test.stateOf(good)).toBe('active')
    for (const sensor of [bad, stray]) await expect(sensor.connect()).rejects.toMatchObject({ returnCode: 3 })
    await office.publish('wills/end', 'end')
    expect((await office.inbox.next()).text).toBe('end')
  })
})

describe.skipIf(!haveMosquitto)('the way to the broker', () => {
  it('is taken with new logins from the next connection on; those that stand go on', async () => {
    const auth = { username: 'pump', password: 'water' }
    const broker = await startMosquitto({ auth })
    onTestFinished(() => broker.close())
    const own = { broker: auth }
    const { test, gateway, reload } = await start({ ...own, sensors: [auth] }, broker)
    const first = await test.connected()
    reload({ ...own, sensors: [{ ...auth, password: 'wine' }] })
    await first.publish('still', 'here', { qos: 1 })
    await expect(test.connected()).rejects.toMatchObject({ returnCode: 3 })
    reload({ ...own, sensors: [auth] })
    await test.connected()
    expect(gateway.status().broker).toMatchObject({ healthy: true, lost: 0 })
  })

  it('is taken with new certificates; ones that cannot be used change nothing', async () => {
    const broker = await startMosquitto({ tls: true })
    onTestFinished(() => broker.close())
    const { test, gateway, reload } = await start({}, broker)
    const first = await test.connected()
    const foreign = await startMosquitto({ tls: true })
    await foreign.close()
    expect(reload({ broker: { tls: { ca: foreign.ca } } }).applied).toEqual(['broker.tls.ca'])
    await first.publish('still', 'here', { qos: 1 })
    await expect(test.connected()).rejects.toMatchObject({ returnCode: 1 })
    expect(reload({}).applied).toEqual(['broker.tls.ca'])
    await test.connected()

    const mismatched = { ca: broker.ca, cert: foreign.client?.cert, key: broker.client?.key }
    expect(() => reload({ broker: { tls: mismatched }, limits: { sensors: 1 } })).toThrow('mismatch')
    await test.connected()
    expect(gateway.rules.env.settings.limits.sensors).toBe(10_000)
  })
})
