// `mqttsn store` and `mqttsn reload` beside a gateway that runs, as processes.

import { existsSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { Sensor } from '../../src/sensor/sensor.ts'
import { directoryWith } from '../config/files.ts'
import { start } from '../support/process.ts'
import { run } from './compiled.ts'

const air = (url: string) => ({ listeners: [{ name: 'air', url }] })

/** A gateway with its store in `state`, and a sleeping sensor for which a message waits. */
async function startWithSleeper() {
  const gateway = await start(air('udp://127.0.0.1:0'), '-c', 'c.json', '--store', 'state')
  const sleeper = new Sensor({ gateway: gateway.url, clientId: 'sleeper', cleanSession: false, tRetry: 1000 })
  const other = new Sensor({ gateway: gateway.url, clientId: 'other-10', cleanSession: false, tRetry: 1000 })
  onTestFinished(() => {
    sleeper.close()
    other.close()
  })
  await sleeper.connect()
  await sleeper.subscribe('news', 1)
  await sleeper.sleep(3600)
  await other.connect()
  await other.publish('news', 'kept', { qos: 1 })
  return { gateway, sleeper, folder: join(gateway.directory, 'state') }
}

it('copies a store that a gateway uses, and puts it back: sensors go on, with what waited for them [SN-SESS-10 in part]', async () => {
  const { gateway, sleeper, folder } = await startWithSleeper()
  const list = await run(['store', 'list', '--store', folder, '--json'])
  expect(list.status).toBe(0)
  const sessions = list.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(sessions).toMatchObject([
    { clientId: 'other-10', state: 'active', topics: 1, subscriptions: 0, queued: 0 },
    { clientId: 'sleeper', state: 'asleep', cleanSession: false, subscriptions: 1, queued: 1 },
  ])
  const table = await run(['store', 'list', '--store', folder])
  expect(table.stdout).toMatch(/^sensor +state +address/)
  expect(table.stderr).toBe(`2 sessions in ${folder}\n`)

  const copy = join(gateway.directory, 'a copy.mdb')
  const backup = await run(['store', 'backup', copy, '--store', folder])
  expect([backup.status, backup.stderr]).toEqual([
    0,
    expect.stringContaining(`store restore '${copy}' --store ${folder}`),
  ])
  expect(statSync(copy).mode & 0o777).toBe(0o600)
  const again = await run(['store', 'backup', copy, '--store', folder])
  expect([again.status, again.stderr]).toEqual([1, expect.stringContaining('--force replaces it')])
  expect((await run(['store', 'backup', copy, '--force', '--store', folder])).status).toBe(0)

  // the gateway has not noticed, and nothing may be restored into what it uses
  await sleeper.connect({ cleanSession: false })
  await sleeper.sleep(3600)
  expect((await run(['store', 'restore', copy, '--store', folder])).stderr).toContain('holds a store already')
  gateway.child.kill('SIGKILL')
  await gateway.exited

  const digits = readFileSync(join(folder, 'installation.txt'), 'utf8')
  renameSync(folder, `${folder}.lost`)
  const restore = await run(['store', 'restore', copy, '--store', folder])
  expect([restore.status, restore.stderr]).toEqual([0, `2 sessions in ${folder}\n`])
  expect(readFileSync(join(folder, 'installation.txt'), 'utf8')).toBe(digits)

  await start(air(gateway.url), '-c', 'c.json', '--store', folder)
  const heard: string[] = []
  sleeper.on('message', ({ topic, payload }) => heard.push(`${topic} ${Buffer.from(payload)}`))
  await sleeper.wake()
  expect(heard).toEqual(['news kept'])
})

it('says what is wrong: no store, no copy, no place to write', async () => {
  const directory = directoryWith({ 'c.json': { store: { type: 'memory' } }, text: 'no copy' })
  const inside = (...args: string[]) => run(['store', ...args], { cwd: directory })
  for (const [args, message] of [
    [['list'], 'there is no store in'],
    [['list', '-c', 'c.json'], 'nothing is on disk where store.type is "memory"'],
    [['list', '-c', 'missing.json'], 'no such file'],
    [['backup', 'x.mdb'], 'there is no store in'],
    [['restore', 'missing.mdb'], 'there is no such file'],
    [['restore', 'text'], 'is damaged, or no copy of a store'],
  ] as const) {
    const { status, stderr } = await inside(...args)
    expect([status, stderr]).toEqual([1, expect.stringContaining(message)])
  }
  expect((await inside('shred')).status).toBe(2)
  expect(existsSync(join(directory, 'mqttsn-state'))).toBe(false)
})

it('reload has the gateway load its file again, tells what holds now, and sends nothing where the file is wrong', async () => {
  const console = { url: 'http://127.0.0.1:0' }
  const gateway = await start({ console: { enabled: true, ...console } }, '-c', 'c.json', '--store', 'state')
  const served = await gateway.said('gateway started')
  const url = (served as { console?: string }).console ?? ''
  const reload = (...args: string[]) =>
    run(['reload', '-c', 'c.json', '--store', 'state', ...args], { cwd: gateway.directory })

  gateway.write({ console: { enabled: true, url }, timers: { tRetry: '2s' }, status: { enabled: true } })
  const done = await reload('--json')
  expect([done.status, JSON.parse(done.stdout)]).toMatchObject([
    0,
    {
      pid: gateway.child.pid,
      applied: ['timers.tRetry'],
      different: expect.arrayContaining(['status.enabled']),
    },
  ])
  await gateway.said('timers applied')

  writeFileSync(join(gateway.directory, 'c.json'), '{ "timers": { "tRetry": "soon" } }')
  const refused = await reload()
  expect([refused.status, refused.stdout]).toEqual([1, ''])
  expect(refused.stderr).toMatch(/timers\.tRetry .*\n.*nothing was sent/)

  gateway.write({ console: { enabled: false }, timers: { tRetry: '3s' } })
  const blind = await reload()
  expect([blind.status, blind.stdout]).toEqual([0, expect.stringContaining('its log tells')])
  await gateway.said('timers applied', 2)

  gateway.child.kill('SIGKILL')
  await gateway.exited
  // what a killed gateway leaves behind names a process that may be anybody's by now
  const gone = await reload()
  expect([gone.status, gone.stderr]).toEqual([3, expect.stringContaining('no gateway runs with the store')])
  expect(gateway.lines().some(({ msg }) => msg.includes('cannot be used'))).toBe(false)
})

it('reload takes the process where there is no store to ask', async () => {
  const gateway = await start({ store: { type: 'memory' } }, '-c', 'c.json')
  const cwd = gateway.directory
  const asked = await run(['reload', '-c', 'c.json'], { cwd })
  expect([asked.status, asked.stderr]).toEqual([1, expect.stringContaining('store.type is "memory"')])
  const told = await run(['reload', '-c', 'c.json', '--pid', `${gateway.child.pid}`], { cwd })
  expect(told.status).toBe(0)
  await gateway.said('nothing has changed')
})
