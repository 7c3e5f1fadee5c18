// A reload that changes what the url of a line says: that line is closed and opened anew, and nothing else is.

import { describe, expect, it, type TestContext } from 'vitest'
import { openLineTransport } from '../../../src/cli/sensor/line-transport.ts'
import { haveMosquitto, startMosquitto } from '../../support/broker.ts'
import { freshName, Office, TestGateway, testConfig, until } from '../../support/gateway.ts'
import { hasSocat, PtyPair } from '../../support/ptys.ts'

async function setUp({ onTestFinished }: TestContext) {
  const [bench, barn] = [await PtyPair.open(), await PtyPair.open()]
  onTestFinished(() => bench.close())
  onTestFinished(() => barn.close())
  const mosquitto = await startMosquitto()
  onTestFinished(() => mosquitto.close())
  const broker = { clientId: `gateway-${freshName()}` }
  const urlOf = (ptys: PtyPair, more: string) => `serial://${ptys.near}?reopen=20ms..200ms&${more}`
  const listeners = (first: object, second: object = {}) => [
    { url: urlOf(bench, 'framing=slip'), name: 'bench', ...first },
    { url: urlOf(barn, 'framing=cobs'), name: 'barn', ...second },
    { url: 'udp://127.0.0.1:0', name: 'field' },
  ]
  const test = await TestGateway.start(mosquitto, { listeners: listeners({}), broker })
  onTestFinished(() => test.stop())
  const reload = (first: object, second?: object) =>
    test.gateway.reload(testConfig(mosquitto, { listeners: listeners(first, second), broker }))
  const base = `reload/${freshName()}`
  const office = await Office.at(mosquitto, `${base}/#`)
  onTestFinished(() => office.close())
  const sensorAt = async (ptys: PtyPair, framing: string) => {
    const transport = await openLineTransport(`serial://${ptys.far}?framing=${framing}&reopen=20ms..200ms`)
    onTestFinished(() => transport.close())
    return test.connected({ transport, tRetry: 2000 })
  }
  const links = () => test.gateway.status().listeners.map(({ stats }) => stats.link)
  return { bench, barn, test, reload, office, base, sensorAt, urlOf, links }
}

describe.skipIf(!hasSocat || !haveMosquitto)('a reload of a line (socat, mosquitto)', () => {
  it('reopens that line only; sessions on it go on where the device is the same [LINK-GW-7]', async (context) => {
    const { bench, barn, test, reload, office, base, sensorAt, urlOf, links } = await setUp(context)
    const [changing, staying] = [await sensorAt(bench, 'slip'), await sensorAt(barn, 'cobs')]
    const [slipped, before] = links()
    const report = reload({ url: urlOf(bench, 'framing=hdlc'), pace: { octetsPerSecond: 5000 } })
    expect(report).toEqual({ applied: ['listeners[0].url', 'listeners[0].pace'], waiting: [], ended: [] })
    await until(
      () => links()[0]?.up === true && test.gateway.status().listeners[0]?.url.includes('hdlc') === true,
    )
    // the node has the other framing from now on, and its session
    changing.close()
    const transport = await openLineTransport(`serial://${bench.far}?framing=hdlc&reopen=20ms..200ms`)
    context.onTestFinished(() => transport.close())
    const again = await test.connected({
      transport,
      tRetry: 2000,
      clientId: changing.clientId,
      cleanSession: false,
    })
    await again.publish(`${base}/a`, 'in hdlc', { qos: 1 })
    expect((await office.inbox.next()).text).toBe('in hdlc')
    await staying.publish(`${base}/b`, 'undisturbed', { qos: 1 })
    expect((await office.inbox.next()).text).toBe('undisturbed')
    expect(links()[0]?.frames.received).toBeGreaterThan(slipped?.frames.received ?? 0)
    expect(links()[1]?.errors).toEqual(before?.errors)
    expect(test.gateway.sessions.byClientId.get(changing.clientId)?.peer?.address).toBe(bench.near)
  })

  it('closes a line that cannot be opened any more, tries it again, and comes back with the next reload [LINK-GW-7]', async (context) => {
    const { bench, test, reload, office, base, sensorAt, urlOf, links } = await setUp(context)
    const sensor = await sensorAt(bench, 'slip')
    reload({ url: 'serial:///dev/no-such-device?framing=slip&reopen=20ms..50ms' })
    await until(() => test.gateway.status().listeners[0]?.url.includes('no-such-device') === true)
    expect(links()[0]?.up).toBe(false)
    reload({ url: urlOf(bench, 'framing=slip') })
    await until(() => links()[0]?.up === true)
    await sensor.publish(`${base}/a`, 'back', { qos: 1 })
    expect((await office.inbox.next()).text).toBe('back')
  })

  it('changes nothing for the same url, and goes over only from line to line [LINK-GW-7]', async (context) => {
    const { bench, test, reload, urlOf, links } = await setUp(context)
    await until(() => links()[0]?.up === true)
    expect(reload({}).applied).toEqual([])
    const { waiting } = reload({ url: 'udp://127.0.0.1:7' })
    expect(waiting).toContain('listeners[0].url')
    expect(reload({ url: urlOf(bench, 'framing=slip'), name: 'other' }).waiting).toContain(
      'listeners[0].name',
    )
    expect(test.gateway.status().listeners[0]?.url).toContain('framing=slip')
    expect(links()[0]?.up).toBe(true)
  })
})
