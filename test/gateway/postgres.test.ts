// A gateway whose sessions are in PostgreSQL: it is killed and started again, its database stands still, another gateway comes.

import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { describe, expect, it, onTestFinished } from 'vitest'
import { haveMosquitto, startAedes, startMosquitto } from '../support/broker.ts'
import { freshName, Office, TestGateway, until } from '../support/gateway.ts'
import { hasPostgres, POSTGRES_START, startPostgres } from '../support/postgres.ts'
import { start } from '../support/process.ts'
import { UdpPeer } from '../support/sensor.ts'

/** A peer of the gateway at this url. */
async function peerOf(url: string): Promise<UdpPeer> {
  const peer = await UdpPeer.open()
  onTestFinished(() => peer.close())
  peer.remote = { address: '127.0.0.1', port: Number(new URL(url).port) }
  return peer
}

async function connect(peer: UdpPeer, clientId: string): Promise<void> {
  peer.send({ type: 'connect', will: false, cleanSession: false, protocolId: 1, duration: 600, clientId })
  expect(await peer.next('connack')).toMatchObject({ returnCode: 0 })
}

async function register(peer: UdpPeer, topicName: string): Promise<number> {
  peer.send({ type: 'register', topicId: 0, msgId: 1, topicName })
  return (await peer.next('regack')).topicId
}

const publish = (topicId: number, msgId: number, qos: 1 | 2, text: string) =>
  ({
    type: 'publish',
    dup: false,
    retain: false,
    topicIdType: 'normal',
    topicId,
    qos,
    msgId,
    data: Buffer.from(text),
  }) as const

describe.skipIf(!hasPostgres || !haveMosquitto)('a gateway with its sessions in PostgreSQL', () => {
  it(
    'is killed and goes on elsewhere: topic ids, QoS 2 exactly once both ways, and what waits for a sleeper [SN-SESS-10 in part]',
    async () => {
      const engine = await startPostgres()
      const mosquitto = await startMosquitto()
      onTestFinished(() => mosquitto.close())
      const name = freshName()
      const office = await Office.at(mosquitto, `${name}/up`)
      onTestFinished(() => office.close())
      const content = (url: string) => ({
        listeners: [{ name: 'field', url }],
        broker: { url: mosquitto.url },
        store: { type: 'postgres', url: engine.url },
        log: { format: 'json' },
      })
      const first = await start(content('udp://127.0.0.1:0'), '-c', 'c.json')
      expect((await first.said('no synchronous standby')).level).toBe('warn')
      const [sensor, sleeper] = [await peerOf(first.url), await peerOf(first.url)]
      await connect(sensor, `${name}-1`)
      await connect(sleeper, `${name}-2`)
      const topicId = await register(sensor, `${name}/up`)
      sensor.send(publish(topicId, 2, 2, 'begun before'))
      await sensor.next('pubrec')
      sleeper.send({
        type: 'subscribe',
        dup: false,
        qos: 2,
        msgId: 2,
        topicIdType: 'normal',
        topicName: `${name}/down`,
      })
      await sleeper.next('suback')
      sleeper.send({ type: 'disconnect', duration: 600 })
      await sleeper.next('disconnect')
      await office.publish(`${name}/down`, 'waits', { qos: 2 })
      // the broker has been told that the gateway has it, which it says when that is in the database
      const waits = 'SELECT count(*) FROM mqttsn_record WHERE key BETWEEN 1 AND 9007199254740992'
      while ((await engine.primary.sql(waits)) !== '1')
        await new Promise((resolve) => setTimeout(resolve, 20))
      first.child.kill('SIGKILL')
      await first.exited

      const second = await start(content(first.url), '-c', 'c.json')
      sensor.send({ ...publish(topicId, 2, 2, 'begun before'), dup: true })
      await sensor.next('pubrec')
      sensor.send({ type: 'pubrel', msgId: 2 })
      await sensor.next('pubcomp')
      sensor.send(publish(topicId, 3, 1, 'after'))
      expect(await sensor.next('puback')).toMatchObject({ returnCode: 0 })
      expect((await office.inbox.take(2)).map(({ text }) => text)).toEqual(['begun before', 'after'])
      sleeper.send({ type: 'pingreq', clientId: `${name}-2` })
      const message = await sleeper.next('publish')
      expect(Buffer.from(message.data).toString()).toBe('waits')
      sleeper.send({ type: 'pubrec', msgId: message.msgId })
      await sleeper.next('pubrel')
      sleeper.send({ type: 'pubcomp', msgId: message.msgId })
      await sleeper.next('pingresp')
      expect(office.inbox.all).toHaveLength(2)
      expect(sensor.heard.map(({ packet }) => packet.type)).not.toContain('disconnect')

      // what stops is found again, and no password was written anywhere
      second.child.kill('SIGTERM')
      expect(await second.exited).toBe(0)
      const { password = '' } = new URL(engine.url.replace(/@.*/, '@h'))
      expect(password).not.toBe('')
      expect(JSON.stringify([...first.lines(), ...second.lines()])).not.toContain(password)
    },
    POSTGRES_START,
  )

  it(
    'ends with 3 when another gateway takes its database, and says nothing more to its sensors',
    async () => {
      const engine = await startPostgres()
      const content = { store: { type: 'postgres', url: engine.url }, log: { format: 'json' } }
      const first = await start(content, '-c', 'c.json')
      const sensor = await peerOf(first.url)
      await connect(sensor, 'one')
      const broker = await startAedes()
      onTestFinished(() => broker.close())
      const second = await TestGateway.start(broker, { store: { type: 'postgres', url: engine.url } })
      onTestFinished(() => second.stop())
      sensor.send({ type: 'register', topicId: 0, msgId: 9, topicName: 'too/late' })
      expect(await first.exited).toBe(3)
      const said = first.lines().filter(({ level }) => level === 'fatal')
      expect(said[0]?.msg).toMatch(/another (gateway|node) has taken over/)
      expect(sensor.heard.map(({ packet }) => packet.type)).toEqual(['connack'])
      sensor.remote = { address: '127.0.0.1', port: Number(new URL(second.url()).port) }
      sensor.send({ type: 'pingreq', clientId: null })
      expect(await sensor.next('pingresp')).toBeDefined()
    },
    POSTGRES_START,
  )

  it(
    'a database that stands still silences no sensor: what needs no write passes, what does gets 0x01, and all is well afterwards',
    async () => {
      const engine = await startPostgres()
      const broker = await startAedes()
      onTestFinished(() => broker.close())
      const test = await TestGateway.start(broker, { store: { type: 'postgres', url: engine.url } })
      onTestFinished(() => test.stop())
      const [peer, other] = [await test.peer(), await test.peer()]
      await connect(peer, 'dev1')
      await connect(other, 'dev2')
      const topicId = await register(peer, 't')
      const otherId = await register(other, 't')
      engine.primary.freeze()
      onTestFinished(() => engine.primary.thaw())
      const refused = () =>
        peer.heard.some(({ packet }) => packet.type === 'puback' && packet.returnCode === 1)
      let msgId = 100
      while (!refused()) {
        peer.send(publish(topicId, ++msgId, 2, 'not now'))
        await new Promise((resolve) => setTimeout(resolve, 500))
      }
      other.send(publish(otherId, 2, 1, 'now'))
      expect(await other.next('puback')).toMatchObject({ msgId: 2, returnCode: 0 })
      peer.send({ type: 'pingreq', clientId: null })
      await peer.next('pingresp')
      expect(test.gateway.status().store).toMatchObject({ type: 'postgres', engine: { up: false } })
      engine.primary.thaw()
      await until(() => test.gateway.status().store.error === undefined, 30_000)
      other.send(publish(otherId, 3, 2, 'later'))
      expect(await other.next('pubrec')).toMatchObject({ msgId: 3 })
    },
    POSTGRES_START,
  )
})

/** Names of the files of `pg` that are loaded by a gateway with this store, which is started and stopped. */
async function loadedOf(store: object): Promise<string> {
  const code = `
    import { createRequire } from 'node:module'
    import { Gateway } from './src/gateway/gateway.ts'
    import { loadConfig } from './src/config/load.ts'
    const { config } = loadConfig({ env: {}, overrides: {
      listeners: [{ url: 'udp://127.0.0.1:0' }], broker: 'embedded', console: { enabled: false }, store: ${JSON.stringify(store)} } })
    const gateway = new Gateway(config)
    await gateway.start().catch(() => {})
    await gateway.stop()
    const files = Object.keys(createRequire(import.meta.url).cache)
    console.log(files.filter((file) => /node_modules.pg(-protocol)?\\b/.test(file)).length)`
  const args = ['--import', 'tsx', '--input-type=module', '-e', code]
  return (await promisify(execFile)(process.execPath, args)).stdout.trim()
}

it('loads nothing of the database where the store is another one', async () => {
  const nowhere = { type: 'postgres', url: 'postgres://u@127.0.0.1:9/d' }
  const [memory, lmdb, postgres] = await Promise.all([
    loadedOf({ type: 'memory' }),
    loadedOf({ type: 'lmdb', path: `/tmp/mqttsn-${freshName()}` }),
    loadedOf(nowhere),
  ])
  expect([memory, lmdb]).toEqual(['0', '0'])
  expect(Number(postgres)).toBeGreaterThan(0)
}, 60_000)
