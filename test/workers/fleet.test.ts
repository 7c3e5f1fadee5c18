// The gateway on several cores, as a process: sensors cannot tell it from one in a single thread.
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these variables are filled in by the gateway

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { compareNatural } from '../../src/monitor/sensors/sensor-query.ts'
import { directoryWith } from '../config/files.ts'
import { haveMosquitto, startMosquitto } from '../support/broker.ts'
import { aWhile, freshName, Office, seen, TestSensor, until } from '../support/gateway.ts'
import { devicesOf } from '../support/home-assistant.ts'
import { hasPostgres, POSTGRES_START, startPostgres } from '../support/postgres.ts'
import { startCompiled } from '../support/process.ts'
import { UdpPeer } from '../support/sensor.ts'
import { workerOfName } from '../support/workers.ts'

const WORKERS = 3
const served = { enabled: true, url: 'http://127.0.0.1:0' }

interface Started {
  readonly console?: string
  readonly broker: string
}

/** A gateway of three workers and its console; `run` are further arguments. */
async function fleet(content: object = {}, ...run: string[]) {
  const store = { type: 'memory' }
  const gateway = await startCompiled(
    { workers: WORKERS, store, console: served, ...content },
    '-c',
    'c.json',
    ...run,
  )
  const started = (await gateway.said('gateway started')) as unknown as Started
  const ask = async (path: string) => JSON.parse(await (await fetch(`${started.console}${path}`)).text())
  return { ...gateway, broker: started.broker, console: started.console ?? '', ask }
}

/** A ClientId whose sensor belongs to this worker. */
function nameOf(worker: number): string {
  for (;;) {
    const name = freshName()
    if (workerOfName(name, WORKERS) === worker) return name
  }
}

async function connected(gateway: string, clientId: string, options: object = {}): Promise<TestSensor> {
  const sensor = new TestSensor({ gateway, clientId, tRetry: 2000, ...options })
  onTestFinished(() => sensor.close())
  await sensor.connect()
  return sensor
}

async function officeAt(url: string, ...filters: string[]): Promise<Office> {
  const office = await Office.at({ url }, ...filters)
  onTestFinished(() => office.close())
  return office
}

const everyWorker = Array.from({ length: WORKERS }, (_, worker) => worker)

describe('two sensors of a gateway of two workers', () => {
  /** Two ClientIds of different workers, if ClientIds alone decided. */
  function apart(prefix: string): [string, string] {
    const first = `${prefix}${freshName()}`
    for (;;) {
      const second = `${prefix}${freshName()}`
      if (workerOfName(second, 2) !== workerOfName(first, 2)) return [first, second]
    }
  }

  it('cannot be the same client of the broker: the second one is refused with 0x03', async () => {
    const sensors = [
      { match: 'key-*', clientId: 'key' },
      { match: 'door-*', clientId: 'site-${clientId}' },
    ]
    const gateway = await fleet({ workers: 2, sensors })
    const [key, otherKey] = apart('key-')
    let door = `door-${freshName()}`
    while (workerOfName(door, 2) === workerOfName(`site-${door}`, 2)) door = `door-${freshName()}`
    for (const [first, second] of [[key, otherKey], [door, `site-${door}`]] as const) {
      const sensor = await connected(gateway.url, first)
      await expect(connected(gateway.url, second)).rejects.toThrow(/3|not supported/)
      await sensor.publish('still/there', 'x', { qos: 1 })
      expect(await gateway.ask(`/api/sensors/${first}`)).toMatchObject({ clientId: first, state: 'active' })
    } // biome-ignore format: a table
    const metrics = await (await fetch(`${gateway.console}/metrics`)).text()
    expect(metrics).toContain('mqttsn_drops_total{reason="name-taken"} 2\n')
  })
})

describe('a gateway of several workers', () => {
  it('tells what has happened at any of them, and in front of them, as one list', async () => {
    const gateway = await fleet({
      listeners: [
        { url: 'udp://127.0.0.1:0' },
        { url: 'udp://127.0.0.1:0', name: 'closed', deny: ['127.0.0.1'] },
      ],
      limits: { clientIdLength: 12 },
    })
    const tooLong = everyWorker.map((worker) => {
      for (;;) {
        const name = `too-long-${freshName()}`
        if (workerOfName(name, WORKERS) === worker) return name
      }
    })
    const [open = '', closed = ''] = [1, 2].map(
      (n) => gateway.lines().filter(({ msg }) => msg === 'listening')[n - 1]?.url,
    )
    const speak = async (url: string, clientId: string) => {
      const peer = await UdpPeer.open()
      onTestFinished(() => peer.close())
      const { hostname, port } = new URL(url)
      peer.remote = { address: hostname, port: Number(port) }
      peer.send({ type: 'connect', will: false, cleanSession: true, protocolId: 1, duration: 60, clientId })
    }
    for (const clientId of tooLong) await speak(open, clientId)
    await speak(closed, 'nobody')
    const refused = async () => (await gateway.ask('/api/happenings?kind=refused')).items
    await expect.poll(async () => (await refused()).length).toBe(WORKERS + 1)
    const events: { id: string; clientId?: string; reason: string }[] = await refused()
    expect(events.map(({ clientId }) => clientId).sort()).toEqual([...tooLong, undefined].sort())
    expect(new Set(events.map(({ id }) => id)).size).toBe(WORKERS + 1)
    expect((await gateway.ask('/api/happenings?kind=refused&offset=1&limit=2')).items).toEqual(
      events.slice(1, 3),
    )
    expect(await gateway.ask('/api/drops?reason=not-allowed')).toMatchObject([
      { times: 1, listener: 'closed' },
    ])
    expect(await gateway.ask('/api/refusals')).toHaveLength(WORKERS + 1)
  })

  it.skipIf(process.platform !== 'linux')(
    'on all addresses answers sensors of every worker from the address that they speak to',
    async () => {
      const gateway = await fleet({ listeners: [{ url: 'udp://0.0.0.0:0' }] })
      const port = /\d+$/.exec(gateway.url)?.[0]
      const office = await officeAt(gateway.broker)
      const sensors = await Promise.all(
        everyWorker.map((worker) => connected(`udp://127.0.0.${worker + 1}:${port}`, nameOf(worker))),
      )
      for (const sensor of sensors) await sensor.subscribe('down', 1)
      await office.publish('down', 'to all')
      for (const { inbox } of sensors) expect((await inbox.next()).text).toBe('to all')
    },
  )

  it('shows the sensors of all workers to Home Assistant, and the gateway once', async () => {
    const gateway = await fleet({ homeAssistant: { discovery: true }, broker: 'embedded' })
    const office = await officeAt(gateway.broker, '#')
    const devices = () => devicesOf(office.inbox.all)
    const names = everyWorker.map(nameOf)
    const sensors = await Promise.all(names.map((name) => connected(gateway.url, name)))
    const topic = (name: string) => `homeassistant/device/mqttsn-1/${name}/config`
    await until(() => devices().size === WORKERS + 1)
    for (const name of names) expect(devices().has(topic(name)), name).toBe(true)
    const before = office.inbox.all.length
    await office.publish('homeassistant/status', 'online')
    const anew = () =>
      office.inbox.all.slice(before).filter(({ topic: at }) => at.startsWith('homeassistant/dev'))
    await until(() => anew().length === WORKERS + 1)
    for (const sensor of sensors) await sensor.disconnect()
    await until(() => devices().size === 1)
  })

  it('carries messages of every QoS between sensors of all workers, and the console sees one gateway', async () => {
    const gateway = await fleet()
    const names = everyWorker.map(nameOf)
    const sensors = await Promise.all(names.map((name) => connected(gateway.url, name)))
    for (const sensor of sensors) await sensor.subscribe(`to/${sensor.clientId}`, 2)
    for (const [i, sensor] of sensors.entries()) {
      for (const qos of [0, 1, 2] as const)
        await sensor.publish(`to/${names[(i + 1) % WORKERS]}`, `${i} ${qos}`, { qos })
    }
    for (const [i, sensor] of sensors.entries()) {
      const before = (i + WORKERS - 1) % WORKERS
      const texts = (await sensor.inbox.take(3)).map(({ text }) => text)
      expect(texts).toEqual([`${before} 0`, `${before} 1`, `${before} 2`])
    }
    const [info, broker, list] = await Promise.all(
      ['gateway', 'broker', 'sensors'].map((part) => gateway.ask(`/api/${part}`)),
    )
    expect(info.sensors.active).toBe(WORKERS)
    expect([info.counters.published, info.counters.delivered, info.counters.faults]).toEqual([9, 9, 0])
    expect([broker.healthy, broker.connected]).toEqual([true, WORKERS])
    const sorted = [...names].sort(compareNatural)
    expect([list.total, ...list.items.map(({ clientId }: { clientId: string }) => clientId)]).toEqual([
      WORKERS,
      ...sorted,
    ])
    const second = await gateway.ask('/api/sensors?offset=1&limit=1')
    expect([second.total, second.items[0].clientId]).toEqual([WORKERS, sorted[1]])
    expect(await gateway.ask(`/api/sensors/${names[2]}`)).toMatchObject({
      clientId: names[2],
      state: 'active',
    })
    const metrics = await (await fetch(`${gateway.console}/metrics`)).text()
    expect(metrics).toContain(`mqttsn_sensors{state="active"} ${WORKERS}\n`)
    expect(metrics).toContain('mqttsn_publishes_total 9\n')
  })

  it('lets the console act on a sensor, and watch it, wherever it is', async () => {
    const gateway = await fleet()
    for (const worker of everyWorker) {
      const sensor = await connected(gateway.url, nameOf(worker))
      const path = `${gateway.console}/api/sensors/${sensor.clientId}`
      const ending = new AbortController()
      onTestFinished(() => ending.abort())
      const events = await fetch(`${gateway.console}/api/events?sensor=${sensor.clientId}`, {
        signal: ending.signal,
      })
      const reader = events.body?.pipeThrough(new TextDecoderStream()).getReader()
      const body = JSON.stringify({ topic: 'from/console', text: 'hello' })
      const headers = { 'content-type': 'application/json' }
      expect((await fetch(`${path}/publish`, { method: 'POST', body, headers })).status).toBe(204)
      expect((await sensor.inbox.next()).text).toBe('hello')
      expect((await fetch(`${path}/disconnect`, { method: 'POST' })).status).toBe(204)
      let told = ''
      while (!told.includes('event: state') || !told.includes('PUBLISH')) {
        const { value = '', done = true } = (await reader?.read()) ?? {}
        if (done) break
        told += value
      }
      expect(told).toContain('"type":"PUBLISH"')
      expect(told).toContain('"to":"disconnected"')
    }
    expect((await fetch(`${gateway.console}/api/sensors/nobody/disconnect`, { method: 'POST' })).status).toBe(
      404,
    )
  })

  it('keeps a sensor that moves: another address, the same session [SN-SLP-16 in part]', async () => {
    const gateway = await fleet({ listeners: [{ url: 'udp://127.0.0.1:0', roaming: 'any' }] })
    const office = await officeAt(gateway.broker, 'moved/#')
    for (const worker of everyWorker) {
      const clientId = nameOf(worker)
      const sensor = await connected(gateway.url, clientId, { cleanSession: false })
      await sensor.publish(`moved/${worker}`, 'here', { qos: 1 })
      const peer = await UdpPeer.open()
      onTestFinished(() => peer.close())
      peer.remote = { address: '127.0.0.1', port: Number(new URL(gateway.url).port) }
      peer.send({ type: 'pingreq', clientId })
      await peer.next('pingresp')
      const topicId = (await gateway.ask(`/api/sensors/${clientId}`)).registry[0].topicId
      const data = new TextEncoder().encode('there')
      const about = { dup: false, qos: 1, retain: false, topicIdType: 'normal', msgId: 9 } as const
      peer.send({ type: 'publish', ...about, topicId, data })
      expect(await peer.next('puback')).toMatchObject({ topicId, msgId: 9, returnCode: 0 })
    }
    const texts = (await office.inbox.take(2 * WORKERS)).map(({ topic, text }) => `${topic} ${text}`)
    expect(texts).toEqual(everyWorker.flatMap((worker) => [`moved/${worker} here`, `moved/${worker} there`]))
  })

  it('counts a sensor as lost whose address another one has, of whichever worker [SN-CONN-12 in part]', async () => {
    const gateway = await fleet()
    const office = await officeAt(gateway.broker, 'gone/#')
    const peer = await UdpPeer.open()
    const bind = { address: '127.0.0.1', port: peer.port }
    await peer.close()
    let last = ''
    for (const worker of [0, 1, 2, 0]) {
      const will = { topic: `gone/${worker}`, message: last }
      const sensor = await connected(gateway.url, nameOf(worker), { bind, will, autoPing: false })
      await sensor.publish('x/y', '1', { qos: 1 })
      sensor.close()
      last = sensor.clientId
    }
    expect((await office.inbox.take(3)).map(({ topic }) => topic)).toEqual(['gone/0', 'gone/1', 'gone/2'])
  })

  it('publishes what comes without a connection [SN-QM1-1 in part], and hears forwarders', async () => {
    const listeners = [{ url: 'udp://127.0.0.1:0', forwarders: ['127.0.0.1'] }]
    const gateway = await fleet({ listeners, predefined: { 7: 'home/button' } })
    const office = await officeAt(gateway.broker, 'home/#')
    const forwarder = await UdpPeer.open()
    onTestFinished(() => forwarder.close())
    forwarder.remote = { address: '127.0.0.1', port: Number(new URL(gateway.url).port) }
    const about = {
      dup: false,
      qos: -1,
      retain: false,
      topicIdType: 'predefined',
      topicId: 7,
      msgId: 0,
    } as const
    for (const worker of everyWorker) {
      const node = Uint8Array.of(worker, 1)
      const clientId = nameOf(worker)
      const connect = { will: false, cleanSession: true, protocolId: 1, duration: 60 } as const
      forwarder.send({ type: 'connect', ...connect, clientId }, node)
      expect(await forwarder.next('connack')).toMatchObject({ returnCode: 0 })
      expect(forwarder.heard.at(-1)?.nodeId).toEqual(Buffer.from(node))
      const data = new TextEncoder().encode(`node ${worker}`)
      forwarder.send({ type: 'publish', ...about, qos: 1, msgId: 5, data }, node)
      await forwarder.next('puback')
    }
    forwarder.send({ type: 'publish', ...about, data: new TextEncoder().encode('nobody') })
    const texts = (await office.inbox.take(WORKERS + 1)).map(({ text }) => text)
    expect(texts).toEqual(['node 0', 'node 1', 'node 2', 'nobody'])
  })

  it('answers one who searches once, and loads its configuration again', async () => {
    const gateway = await fleet({ gateway: { id: 9 } })
    const peer = await UdpPeer.open()
    onTestFinished(() => peer.close())
    peer.remote = { address: '127.0.0.1', port: Number(new URL(gateway.url).port) }
    peer.send({ type: 'searchgw', radius: 0 })
    expect(await peer.next('gwinfo')).toMatchObject({ gwId: 9 })
    const sensors = await Promise.all(everyWorker.map((worker) => connected(gateway.url, nameOf(worker))))
    const refused = sensors.map(({ clientId }) => ({ match: clientId, deny: true }))
    const store = { type: 'memory' }
    gateway.write({
      workers: 2,
      store,
      console: served,
      gateway: { id: 9 },
      sensors: refused,
      log: { level: 'debug' },
    })
    gateway.child.kill('SIGHUP')
    expect((await gateway.said('need a restart')).paths).toEqual(['workers'])
    for (const sensor of sensors) await gateway.said(`sensor disconnected`, sensors.indexOf(sensor) + 1)
    await aWhile(50)
    expect(peer.types()).toBe('gwinfo')
    expect(gateway.lines().filter(({ msg }) => msg === 'configuration: sensors applied')).toHaveLength(1)
    await expect(connected(gateway.url, sensors[1]?.clientId ?? '')).rejects.toThrow()
  })

  it('stops in good order, and counts what all have done', async () => {
    const gateway = await fleet()
    const sensors = await Promise.all(everyWorker.map((worker) => connected(gateway.url, nameOf(worker))))
    const told = sensors.map((sensor) => new Promise((done) => sensor.once('disconnected', done)))
    gateway.child.kill('SIGTERM')
    await Promise.all(told)
    expect(await gateway.exited).toBe(0)
    const end = (await gateway.said('gateway stopped')) as unknown as { received: object }
    expect(end.received).toMatchObject({ connect: WORKERS })
  })

  it('cannot start where its store cannot, and says why', async () => {
    const directory = directoryWith({ file: 'no folder' })
    const where = { store: { type: 'lmdb', path: join(directory, 'file') } }
    await expect(fleet(where)).rejects.toThrow(/there is a file in its place/)
  })
})

describe('the store of several workers', () => {
  it.skipIf(!haveMosquitto)(
    'is one: another number of workers finds every session again [SN-SESS-10 in part]',
    async () => {
      const mosquitto = await startMosquitto()
      onTestFinished(() => mosquitto.close())
      const path = join(directoryWith({}), 'state')
      const office = await officeAt(mosquitto.url, 'kept/#')
      const sensors: TestSensor[] = []
      // below the ports that systems give away: nobody takes it between two rounds
      const url = `udp://127.0.0.1:${10_000 + Math.floor(Math.random() * 20_000)}`
      for (const [round, workers] of [2, 3, 1, 2].entries()) {
        const gateway = await fleet({
          workers,
          listeners: [{ name: 'air', url }],
          broker: mosquitto.url,
          store: { type: 'lmdb', path },
        })
        sensors.push(await connected(url, freshName(), { cleanSession: false, keepAlive: 600 }))
        for (const sensor of sensors) await sensor.publish(`kept/${sensor.clientId}`, `${round}`, { qos: 2 })
        expect((await gateway.ask('/api/gateway')).sensors.active).toBe(round + 1)
        gateway.child.kill(round % 2 === 0 ? 'SIGTERM' : 'SIGKILL')
        await gateway.exited
      }
      const rounds = sensors.flatMap((_, last) =>
        sensors.slice(0, last + 1).map(({ clientId }) => `kept/${clientId} ${last}`),
      )
      expect(
        (await office.inbox.take(rounds.length)).map(seen).map(({ topic, text }) => `${topic} ${text}`),
      ).toEqual(rounds)
    },
  )

  it.skipIf(!haveMosquitto || !hasPostgres)(
    'may be in PostgreSQL, where all of them write side by side, and find everything again [SN-SESS-10 in part]',
    async () => {
      const [mosquitto, engine] = [await startMosquitto(), await startPostgres()]
      onTestFinished(() => mosquitto.close())
      const office = await officeAt(mosquitto.url, 'kept/#')
      const url = `udp://127.0.0.1:${10_000 + Math.floor(Math.random() * 20_000)}`
      const names = everyWorker.map(nameOf)
      const sensors: TestSensor[] = []
      for (const [round, workers] of [WORKERS, 2, 1, WORKERS].entries()) {
        const gateway = await fleet({
          workers,
          listeners: [{ name: 'air', url }],
          broker: mosquitto.url,
          store: { type: 'postgres', url: engine.url },
        })
        if (round === 0)
          for (const name of names)
            sensors.push(await connected(url, name, { cleanSession: false, keepAlive: 600 }))
        for (const sensor of sensors) await sensor.publish(`kept/${sensor.clientId}`, `${round}`, { qos: 2 })
        expect((await gateway.ask('/api/gateway')).sensors.active).toBe(WORKERS)
        expect(await gateway.ask('/api/store')).toMatchObject({ type: 'postgres', engine: { up: true } })
        gateway.child.kill(round % 2 === 0 ? 'SIGKILL' : 'SIGTERM')
        await gateway.exited
      }
      const got = (await office.inbox.take(4 * WORKERS))
        .map(seen)
        .map(({ topic, text }) => `${topic} ${text}`)
      expect(got).toEqual([0, 1, 2, 3].flatMap((round) => names.map((name) => `kept/${name} ${round}`)))
    },
    POSTGRES_START,
  )

  it.skipIf(!haveMosquitto)(
    'brings back the sensors of a worker that ended, while the others go on',
    async () => {
      const mosquitto = await startMosquitto()
      onTestFinished(() => mosquitto.close())
      const directory = directoryWith({})
      const trigger = join(directory, 'end-worker-2')
      // an error that nobody has caught, and then an end without one, as if the thread had no memory left
      const fault = `import { existsSync, rmSync } from 'node:fs'
      import { isMainThread, workerData } from 'node:worker_threads'
      if (!isMainThread && workerData?.index === 1) setInterval(() => {
        if (!existsSync(${JSON.stringify(trigger)})) return
        rmSync(${JSON.stringify(trigger)})
        throw new Error('a bug in a library')
      }, 20).unref()
      if (!isMainThread && workerData?.index === 1 && existsSync(${JSON.stringify(`${trigger}-again`)})) {
        rmSync(${JSON.stringify(`${trigger}-again`)})
        process.exit(7)
      }`
      writeFileSync(join(directory, 'fault.mjs'), fault)
      const gateway = await startCompiled(
        { workers: 2, broker: mosquitto.url, store: { type: 'lmdb', path: join(directory, 'state') } },
        '-c',
        'c.json',
        `--import=${join(directory, 'fault.mjs')}`,
      )
      const office = await officeAt(mosquitto.url, 'still/#')
      const [one, two] = await Promise.all(
        [0, 1].map((worker) => {
          let name = freshName()
          while (workerOfName(name, 2) !== worker) name = freshName()
          return connected(gateway.url, name, { cleanSession: false, tRetry: 500, nRetry: 20 })
        }),
      )
      for (const sensor of [one, two]) await sensor?.publish('still/here', 'before', { qos: 1 })
      writeFileSync(`${trigger}-again`, '') // nor does the first one that comes in its place live long
      writeFileSync(trigger, '')
      expect((await gateway.said('a worker has ended')).err?.message).toBe('a bug in a library')
      await one?.publish('still/here', 'one', { qos: 1 })
      await two?.publish('still/here', 'two', { qos: 1 })
      await gateway.said('worker started again')
      expect((await office.inbox.take(4)).map(({ text }) => text)).toEqual(['before', 'before', 'one', 'two'])
      expect([one?.state, two?.state]).toEqual(['active', 'active'])
      expect(gateway.lines().filter(({ msg }) => msg.startsWith('a worker has ended'))).toHaveLength(2)
      gateway.child.kill('SIGTERM')
      expect(await gateway.exited).toBe(0)
    },
  )
})
