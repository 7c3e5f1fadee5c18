// Who a sensor is at the broker: ClientId, user and password by pattern, and what a refusal looks like to the sensor.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { haveMosquitto, startMosquitto } from '../support/broker.ts'
import { freshName, Office, TestGateway } from '../support/gateway.ts'

const auth = { username: 'pump', password: 'water' }

describe.skipIf(!haveMosquitto).each(['3.1.1', '5'])('sensors have rules by ClientId, MQTT %s', (version) => {
  it('a user and password that the broker accepts, or refuses for good with 0x03 [SN-MAP-1, SN-CONN-4 in part]', async () => {
    const broker = await startMosquitto({ auth })
    onTestFinished(() => broker.close())
    const test = await TestGateway.start(broker, {
      broker: { version, ...auth },
      sensors: [
        { match: 'good-*', clientId: 'pump-$' + '{clientId}', ...auth },
        { match: 'bad-*', username: 'pump', password: 'wine' },
        { match: 'banned-*', deny: true, ...auth },
        { match: '*' },
      ],
    })
    onTestFinished(() => test.stop())
    const refused = { code: 'rejected', returnCode: 3 }
    for (const kind of ['bad', 'banned', 'other']) {
      await expect(test.connected({ clientId: `${kind}-1` })).rejects.toMatchObject(refused)
    }
    expect(test.gateway.status().sensors).toBe(0)

    const office = await Office.as(broker, auth, 'identity/will')
    const will = { topic: 'identity/will', message: 'taken over' }
    await test.connected({ clientId: 'good-1', will })
    // That the broker knows it by the configured ClientId shows when somebody else takes that one over.
    const rival = await Office.as(broker, { ...auth, clientId: 'pump-good-1' })
    expect((await office.inbox.next()).text).toBe('taken over')
    await Promise.all([office.close(), rival.close()])
  })

  it('rights: what the broker forbids is refused with 0x03 where MQTT can tell [SN-PUB-4 in part]', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'acl-'))
    onTestFinished(() => rmSync(directory, { recursive: true }))
    const acl = join(directory, 'acl')
    writeFileSync(acl, 'user pump\ntopic readwrite allowed/#\n')
    const broker = await startMosquitto({ auth, lines: [`acl_file ${acl}`] })
    onTestFinished(() => broker.close())
    const test = await TestGateway.start(broker, { broker: { version, ...auth }, sensors: [auth] })
    onTestFinished(() => test.stop())
    const sensor = await test.connected({ clientId: freshName() })
    for (const qos of [1, 2] as const) {
      await sensor.publish('allowed/a', 'yes', { qos })
      const forbidden = sensor.publish('forbidden/a', 'no', { qos })
      if (version === '5') await expect(forbidden).rejects.toMatchObject({ code: 'rejected', returnCode: 3 })
      else await forbidden // MQTT 3.1.1 has no words for it
    }
    await sensor.publish('allowed/a', 'still yes', { qos: 1 })
  })
})
