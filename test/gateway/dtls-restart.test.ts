// Sessions of DTLS outlive the process with a durable store: after a stop, and after a process that was killed.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { freePort } from '../../lab/processes.ts'
import { startAedes } from '../support/broker.ts'
import { DtlsPeer } from '../support/dtls-peer.ts'
import { connect, KEYS, publish, secureScene, subscribe } from '../support/dtls-scene.ts'
import { aWhile, Office, until } from '../support/gateway.ts'
import { start } from '../support/process.ts'

describe('after a restart with a durable store', () => {
  it('a sleeping sensor is served at its next record, from another port [DTLS-RUN-1]', async () => {
    const { test, office, peer } = await secureScene({}, { durable: true })
    const meter = await peer('meter-1', { connectionIdLength: 0 })
    meter.send(connect('meter-1', false))
    await meter.next('connack')
    meter.send(subscribe('xt'))
    await meter.next('suback')
    meter.send({ type: 'disconnect', duration: 600 })
    await meter.next('disconnect')
    await test.restart()
    await until(() => test.gateway.status().broker.healthy)
    await office.publish('xt', 'after the restart')
    await until(() => test.gateway.sessions.byClientId.get('meter-1')?.downlink.queue.length === 1)
    await meter.move()
    meter.send({ type: 'pingreq', clientId: 'meter-1' })
    expect(Buffer.from((await meter.next('publish')).data).toString()).toBe('after the restart')
    expect(meter.handshakes).toBe(1)
    expect(test.gateway.status().listeners[0]?.stats.secure).toMatchObject({ sessions: 1, handshakes: {} })
  })

  it('one without a connection id goes on at its address [DTLS-RUN-1]', async () => {
    const { test, office, peer } = await secureScene({ dtls: { connectionId: 0 } }, { durable: true })
    const meter = await peer('meter-2')
    meter.send(connect('meter-2', false))
    await meter.next('connack')
    await test.restart()
    await until(() => test.gateway.status().broker.healthy)
    meter.send(publish('ab', 'again'))
    await meter.next('puback')
    expect((await office.inbox.next()).text).toBe('again')
    expect(meter.handshakes).toBe(1)
  })

  it('a ticket of before still opens a session by a short handshake [DTLS-RES-3]', async () => {
    const { test, peer } = await secureScene({}, { durable: true })
    const meter = await peer('meter-3')
    await meter.until(() => meter.resumption !== undefined)
    await test.restart()
    const again = await peer('meter-3', { resume: meter.resumption })
    expect(again.info).toMatchObject({ resumed: true, identity: 'meter-3' })
  })

  it('a key that was taken away meanwhile opens nothing, and nobody inherits its session [DTLS-ID-8]', async () => {
    const { test, peer } = await secureScene({}, { durable: true })
    const meter = await peer('meter-4')
    meter.send(connect('meter-4', false))
    await meter.next('connack')
    await test.restart(async () => {
      const keys = Object.fromEntries(Object.entries(KEYS).filter(([identity]) => identity !== 'meter-4'))
      Object.assign(test.config.listeners[0]?.dtls?.psk ?? {}, { keys })
    })
    meter.send(publish('ab', 'still here?'))
    await until(() => test.gateway.status().counters.dropped['dtls-no-session'] === 1)
    // its sensor is still known, by the number of that session: nobody else may be taken for it
    expect(test.stateOf({ clientId: 'meter-4' })).toBe('active')
    for (let i = 0; i < 3; i++) {
      const other = await peer('meter-5')
      other.send(publish('ab', 'from somebody else'))
      await other.next('disconnect')
    }
  })
})

/** A gateway as a process of its own, on a port and a store that the next one has, too. */
async function gatewayProcess(port: number, path: string, url: string) {
  const listeners = [{ url: `dtls://127.0.0.1:${port}`, dtls: { psk: { keys: KEYS } } }]
  const broker = { url, reconnect: { min: '20ms', max: '200ms' } }
  return start({ listeners, broker, store: { path }, console: { enabled: false } }, '-c', 'c.json')
}

describe('after SIGKILL with a durable store', () => {
  it('the next record of a sleeping sensor is served, and no sequence number is used again [DTLS-RUN-1, DTLS-RUN-2]', async () => {
    const broker = await startAedes()
    onTestFinished(() => broker.close())
    const office = await Office.at(broker, 'ab')
    onTestFinished(() => office.close())
    const [port, path] = [await freePort(), mkdtempSync(join(tmpdir(), 'mqttsn-dtls-'))]
    onTestFinished(() => rmSync(path, { recursive: true, force: true }))
    const first = await gatewayProcess(port, path, broker.url)
    const meter = await DtlsPeer.open(first.url, {
      psk: ['meter-5', KEYS['meter-5'] ?? ''],
      connectionIdLength: 0,
    })
    onTestFinished(() => meter.close())
    meter.send(connect('meter-5', false))
    await meter.next('connack')
    meter.send(subscribe('xt'))
    await meter.next('suback')
    for (let i = 1; i <= 30; i++) {
      meter.send(publish('ab', `${i}`, 1, i))
      await meter.next('puback')
    }
    meter.send({ type: 'disconnect', duration: 600 })
    await meter.next('disconnect')
    first.child.kill('SIGKILL')
    await first.exited
    const second = await gatewayProcess(port, path, broker.url)
    await second.said('broker')
    await office.publish('xt', 'after the crash')
    await meter.move()
    const publishes = () => meter.heard.flatMap(({ packet }) => (packet.type === 'publish' ? [packet] : []))
    // the sensor's connection to the broker is mended meanwhile
    for (let tries = 0; tries < 50 && publishes().length === 0; tries++) {
      meter.send({ type: 'pingreq', clientId: 'meter-5' })
      await aWhile(100)
    }
    expect(publishes().map(({ data }) => Buffer.from(data).toString())[0]).toBe('after the crash')
    expect(meter.handshakes).toBe(1)
    expect(new Set(meter.sequences).size).toBe(meter.sequences.length)
    expect(Math.max(...meter.sequences)).toBeGreaterThanOrEqual(1024)
  })
})

describe('what was recorded before SIGKILL', () => {
  for (const cleanSession of [false, true])
    it(`is not accepted once more if it was acknowledged, in a ${cleanSession ? 'clean' : 'kept'} session [DTLS-RUN-2]`, async () => {
      const broker = await startAedes()
      onTestFinished(() => broker.close())
      const office = await Office.at(broker, 'ab')
      onTestFinished(() => office.close())
      const [port, path] = [await freePort(), mkdtempSync(join(tmpdir(), 'mqttsn-dtls-'))]
      onTestFinished(() => rmSync(path, { recursive: true, force: true }))
      const first = await gatewayProcess(port, path, broker.url)
      const meter = await DtlsPeer.open(first.url, {
        psk: ['meter-6', KEYS['meter-6'] ?? ''],
        connectionIdLength: 0,
      })
      onTestFinished(() => meter.close())
      meter.send(connect('meter-6', cleanSession))
      await meter.next('connack')
      meter.send(publish('ab', 'once', 1, 1))
      await meter.next('puback')
      const recorded = meter.sent.at(-1) ?? new Uint8Array()
      first.child.kill('SIGKILL')
      expect((await office.inbox.next()).text).toBe('once')
      await first.exited
      const second = await gatewayProcess(port, path, broker.url)
      await second.said('broker')
      meter.replay(recorded)
      // the next record of the sensor is taken
      meter.send(cleanSession ? connect('meter-6') : publish('ab', 'twice', 1, 2))
      if (cleanSession) {
        await meter.next('connack')
        meter.send(publish('ab', 'twice', 1, 2))
      }
      await meter.until(
        () => meter.heard.filter(({ packet }) => packet.type === 'puback').length === 2,
        20_000,
      )
      expect((await office.inbox.next()).text).toBe('twice')
      expect(meter.handshakes).toBe(1)
    })
})

describe('a reload', () => {
  it('ends sessions whose key was changed or removed, takes new ones, and leaves the others alone [DTLS-RUN-3]', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'mqttsn-psk-'))
    onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
    const file = join(directory, 'psk.txt')
    const write = (...identities: string[]) =>
      writeFileSync(file, identities.map((identity) => `${identity}:${KEYS[identity]}\n`).join(''))
    write('meter-1', 'meter-2')
    const { test, lines, peer } = await secureScene({ dtls: { psk: { file } } })
    const [stays, goes] = [await peer('meter-1'), await peer('meter-2')]
    stays.send(connect('meter-1'))
    await stays.next('connack')
    write('meter-1', 'meter-3')
    const report = test.gateway.reload(structuredClone(test.config))
    expect(report).toMatchObject({ applied: [], waiting: [] }) // the file's name is the same
    await goes.until(() => goes.effects.some(({ type }) => type === 'closed'))
    expect(lines.find(({ msg }) => msg === 'secure session ended')).toMatchObject({
      why: 'credential withdrawn',
    })
    await peer('meter-3')
    stays.send(publish('ab', 'still here'))
    await stays.next('puback')
    writeFileSync(file, '')
    rmSync(file)
    test.gateway.reload(structuredClone(test.config))
    expect(lines).toContainEqual(
      expect.objectContaining({ msg: 'keys and certificates of DTLS stay as they were' }),
    )
    stays.send(publish('ab', 'and again', 1, 2))
    expect(await stays.next('puback')).toMatchObject({ msgId: 2 })
  })
})
