// What operators see of secure sessions, and do to them.

import { describe, expect, it, onTestFinished } from 'vitest'
import { createView } from '../../src/monitor/view.ts'
import { connect, publish, type SecureScene, secureScene, subscribe } from '../support/dtls-scene.ts'
import { until } from '../support/gateway.ts'

function viewOf({ test }: SecureScene) {
  const view = createView(test.gateway, test.config, '0.0.0')
  onTestFinished(() => view.close())
  return view
}

describe('a sensor behind DTLS', () => {
  it('is shown with identity, suite, age and records of its session, and nothing secret [DTLS-RUN-6]', async () => {
    const scene = await secureScene()
    const view = viewOf(scene)
    const meter = await scene.peer('meter-1', { connectionIdLength: 0 })
    meter.send(connect('meter-1'))
    await meter.next('connack')
    meter.send(publish('ab', 'hello'))
    await meter.next('puback')
    const seen = view.sensor('meter-1')?.secure
    expect(seen).toMatchObject({ identity: 'meter-1', kind: 'psk' })
    expect(seen?.open).toMatchObject({
      ...{ suite: 'TLS_ECDHE_PSK_WITH_AES_128_CCM_SHA256', resumed: false, extendedMasterSecret: true },
      ...{ connectionId: true, received: 2, moves: 0, movedAt: undefined },
    })
    expect(Date.now() - (seen?.open?.openedAt ?? 0)).toBeLessThan(60_000)
    // Finished, CONNACK, PUBACK; a ticket goes in the clear
    expect(seen?.open?.sent).toBe(3)
    await meter.move()
    meter.send(publish('ab', 'from elsewhere', 1, 2))
    await meter.next('puback')
    expect(view.sensor('meter-1')?.secure?.open).toMatchObject({ received: 3, sent: 4, moves: 1 })
    const id = meter.info?.connectionId ?? 'none'
    expect(JSON.stringify(view.sensor('meter-1'))).not.toContain(id)
    expect(view.sensor('nobody')).toBeUndefined()
  })

  it('needs a handshake after "end secure session", and has its MQTT-SN session then', async () => {
    const scene = await secureScene()
    const view = viewOf(scene)
    const meter = await scene.peer('meter-1')
    meter.send(connect('meter-1', false))
    await meter.next('connack')
    meter.send(subscribe('xt'))
    await meter.next('suback')
    expect(view.act('meter-1', { type: 'endSecureSession' })).toBe(true)
    await meter.until(() => meter.effects.some(({ type }) => type === 'closed'))
    expect(scene.lines).toContainEqual(
      expect.objectContaining({ msg: 'secure session ended', why: 'ended by an operator' }),
    )
    expect(view.sensor('meter-1')?.secure).toMatchObject({ identity: 'meter-1', open: undefined })
    expect(view.act('meter-1', { type: 'endSecureSession' })).toBe(false)
    const { counters } = scene.test.gateway.status()
    const again = await scene.peer('meter-1')
    again.send(connect('meter-1', false))
    expect(await again.next('connack')).toMatchObject({ returnCode: 0 })
    await scene.office.publish('xt', 'still subscribed')
    expect(Buffer.from((await again.next('publish')).data).toString()).toBe('still subscribed')
    expect(view.sensor('meter-1')?.secure?.open).toMatchObject({ resumed: false })
    expect(counters.faults).toBe(0)
  })

  it('without DTLS has nothing to end', async () => {
    const scene = await secureScene({ listeners: [{ url: 'udp://127.0.0.1:0' }] })
    const view = viewOf(scene)
    const { clientId } = await scene.test.connected()
    expect(view.sensor(clientId)?.secure).toBeUndefined()
    expect(view.act(clientId, { type: 'endSecureSession' })).toBe(false)
  })

  it('is still as old as its session after a restart with a durable store', async () => {
    const scene = await secureScene({}, { durable: true })
    const meter = await scene.peer('meter-2')
    meter.send(connect('meter-2', false))
    await meter.next('connack')
    const first = viewOf(scene).sensor('meter-2')?.secure?.open
    await scene.test.restart()
    const view = viewOf(scene)
    expect(view.sensor('meter-2')?.secure?.open).toMatchObject({
      ...{ openedAt: first?.openedAt, suite: first?.suite, received: 0, sent: 0 },
    })
    await until(() => scene.test.gateway.status().broker.healthy)
    meter.send(publish('ab', 'again'))
    await meter.next('puback')
    expect(view.sensor('meter-2')?.secure?.open).toMatchObject({ received: 1, sent: 1 })
    expect(view.act('meter-2', { type: 'endSecureSession' })).toBe(true)
  })
})
