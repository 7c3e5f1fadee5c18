// The command `gateway` as a process: its options, its store, and how it loads its configuration again.

import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { Sensor } from '../../src/sensor/sensor.ts'
import { directoryWith, fileWith } from '../config/files.ts'
import { freePort } from '../support/broker.ts'
import { freshName } from '../support/gateway.ts'
import { command, settings, start } from '../support/process.ts'

/** Starts one that cannot. */
const fail = (...args: string[]) =>
  spawnSync(process.execPath, [...command, ...args], { encoding: 'utf8', timeout: 20_000 })

describe('its store', () => {
  it('is a folder in the working directory when there is no file and no option', async () => {
    const args = ['--listen', 'udp://127.0.0.1:0', '--broker', 'embedded', '--no-console']
    const { directory } = await start({}, ...args)
    expect(existsSync(join(directory, 'mqttsn-state'))).toBe(true)
  })

  it('is where --store says, from the working directory; with "memory" nowhere', async () => {
    const [there, nowhere] = await Promise.all([
      start({}, '-c', fileWith({ ...settings, store: { path: 'elsewhere' } }), '--store', 'here'),
      start({}, '-c', 'c.json', '--store', 'memory'),
    ])
    expect([
      existsSync(join(there.directory, 'here')),
      existsSync(join(there.directory, 'elsewhere')),
    ]).toEqual([true, false])
    expect(existsSync(join(nowhere.directory, 'mqttsn-state'))).toBe(false)
  })
})

describe('its broker', () => {
  it.each(['embedded', ' embedded '])(
    'is the one that it brings along where --broker says "%s"',
    async (word) => {
      const { said } = await start(
        {},
        '--listen',
        'udp://127.0.0.1:0',
        '--broker',
        word,
        '--no-console',
        '--store',
        'memory',
      )
      await said('connected to the broker')
    },
  )
})

describe.skipIf(process.platform !== 'linux')('addresses of this machine', () => {
  it('that it does not have end it at the start, with the key', () => {
    const broker = { url: 'mqtt://broker.example', localAddresses: ['127.0.0.2', '192.0.2.1'] }
    const { status, stderr } = fail('-c', fileWith({ ...settings, broker }))
    expect([status, stderr]).toEqual([
      1,
      'cannot start: 192.0.2.1: this machine does not have the address (EADDRNOTAVAIL): see broker.localAddresses\n',
    ])
  })

  it('are taken over by a reload, unless it does not have one', async () => {
    const broker = { url: `mqtt://127.0.0.1:${await freePort()}`, localAddresses: ['127.0.0.2'] }
    const gateway = await start({ broker, store: { type: 'memory' } }, '-c', 'c.json')
    const reload = (localAddresses: string[]) => {
      gateway.write({ broker: { ...broker, localAddresses }, store: { type: 'memory' } })
      gateway.child.kill('SIGHUP')
    }
    reload(['127.0.0.3', '192.0.2.1'])
    const { problems } = await gateway.said('the configuration cannot be used: the one before stays')
    expect(problems).toEqual([expect.stringContaining('192.0.2.1: this machine does not have the address')])
    reload(['127.0.0.3', '127.0.0.4'])
    const { paths } = await gateway.said('configuration: broker applied')
    expect(paths).toEqual(['broker.localAddresses[0]', 'broker.localAddresses[1]'])
  })
})

describe('a wrong configuration', () => {
  it('ends it at the start with 1, each problem on a line with what would be right: also keys that only loading them shows', () => {
    const pem = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----'
    const file = fileWith({ broker: { url: 'mqtts://127.0.0.1:1', tls: { ca: pem } } })
    const { status, stderr } = fail('-c', file, '--no-console')
    expect([status, stderr]).toEqual([
      1,
      expect.stringMatching(/broker\.tls\.ca: found what OpenSSL cannot read, expected certificates in PEM/),
    ])
    const wrong = fail('-c', fileWith({ broker: 'tcp://h', log: { level: 'warning' } }))
    expect([wrong.status, wrong.stderr]).toEqual([
      1,
      expect.stringMatching(/write "mqtt:\/\/h"[\s\S]*write "warn"/),
    ])
  })

  it('takes addresses as every command does: host and port, or urls', async () => {
    const args = ['--listen', 'localhost:0', '--console', '127.0.0.1:0', '--broker', '127.0.0.1:1']
    const gateway = await start({ store: { type: 'memory' } }, '-c', 'c.json', ...args)
    expect(gateway.url).toMatch(/^udp:\/\/127\.0\.0\.1:\d+$/)
    expect(await gateway.said('gateway started')).toMatchObject({ broker: 'mqtt://127.0.0.1:1' })
  })
})

describe('SIGHUP', () => {
  it('loads the configuration again, with files it refers to; sensors notice nothing', async () => {
    const first = {
      store: { type: 'memory' },
      sensors: [{ username: `\${file:user}` }],
      timers: { tRetry: '1s' },
    }
    const directory = directoryWith({ user: 'me' })
    const path = (content: object) =>
      JSON.parse(JSON.stringify(content).replace('file:user', `file:${directory}/user`))
    const gateway = await start(path(first), '-c', 'c.json')
    const sensor = new Sensor({ gateway: gateway.url, clientId: freshName() })
    onTestFinished(() => sensor.close())
    await sensor.connect()

    gateway.child.kill('SIGHUP')
    await gateway.said('nothing has changed')

    gateway.write(path({ ...first, timers: { tRetry: '2s' }, gateway: { id: 1 }, status: { enabled: true } }))
    gateway.child.kill('SIGHUP')
    expect((await gateway.said('timers applied')).paths).toEqual(['timers.tRetry'])
    expect(await gateway.said('need a restart')).toMatchObject({ level: 'warn', paths: ['status.enabled'] })

    writeFileSync(join(directory, 'user'), 'somebody else')
    gateway.child.kill('SIGHUP')
    expect((await gateway.said('sensors applied')).paths).toEqual(['sensors[0].username'])

    await sensor.publish('still/here', 'yes', { qos: 1 })
    expect(sensor.state).toBe('active')
    expect(JSON.stringify(gateway.lines())).not.toContain('somebody else')
  })

  it('leaves the old configuration in place when the new one has problems, and names them', async () => {
    const gateway = await start({ store: { type: 'memory' } }, '-c', 'c.json')
    gateway.write({ timers: { tRetry: 'soon' }, limitz: {} })
    gateway.child.kill('SIGHUP')
    const { level, problems } = await gateway.said('cannot be used')
    expect(level).toBe('error')
    expect(problems).toEqual([
      expect.stringMatching(/^timers\.tRetry \(line 1\): found "soon", expected a duration/),
      expect.stringMatching(/^limitz .*did you mean "limits"\?$/),
    ])
    gateway.write({ store: { type: 'memory' } })
    gateway.child.kill('SIGHUP')
    await gateway.said('nothing has changed')
  })

  it('is no end, and an end is still one', async () => {
    const gateway = await start({ store: { type: 'memory' } })
    gateway.child.kill('SIGHUP')
    await gateway.said('configuration:')
    gateway.child.kill('SIGTERM')
    expect(await gateway.exited).toBe(0)
  })
})

describe('a signal while it starts', () => {
  const args = [
    '--listen',
    'udp://127.0.0.1:0',
    '--broker',
    'embedded',
    '--no-console',
    '--log-format',
    'json',
  ]
  /** Sends the process signals so many milliseconds after it has begun to listen to them. */
  const sender = `
    const [after, ...signals] = process.env.SIGNALS.split(' ')
    const begun = (event) => {
      if (event !== 'SIGTERM') return
      process.off('newListener', begun)
      setTimeout(() => { for (const signal of signals) process.kill(process.pid, signal) }, Number(after))
    }
    process.on('newListener', begun)`

  async function signalled(...signals: [after: number, ...NodeJS.Signals[]]) {
    const directory = directoryWith({ 'sender.mjs': sender })
    const program = ['--import', join(directory, 'sender.mjs'), ...command, ...args]
    const child = spawn(process.execPath, program, {
      cwd: directory,
      env: { ...process.env, SIGNALS: signals.join(' ') },
    })
    onTestFinished(() => void child.kill('SIGKILL'))
    let output = ''
    child.stdout.on('data', (chunk: Buffer) => (output += chunk))
    const [code, signal] = await once(child, 'close')
    return { code, signal, output }
  }

  it.each(['SIGTERM', 'SIGINT'] as const)('is heard before anything else is loaded: %s', async (signal) => {
    const { output, ...end } = await signalled(0, signal)
    expect(end).toEqual({ code: 0, signal: null })
    expect(output).toContain('stopped before it has started')
    expect(output).not.toContain('listening')
  })

  it.each([50, 300, 600, 1000])('stops it cleanly at any time: after %i ms', async (after) => {
    const { output, ...end } = await signalled(after, 'SIGTERM')
    expect(end).toEqual({ code: 0, signal: null })
    expect(output).toMatch(/"msg":"(gateway stopped|stopped before it has started)"/)
  })

  it('is no end if it is SIGHUP', async () => {
    const { code, signal } = await signalled(0, 'SIGHUP', 'SIGTERM')
    expect([code, signal]).toEqual([0, null])
  })

  it('ends it at once if it is the second', async () => {
    const { code } = await signalled(0, 'SIGTERM', 'SIGINT')
    expect([130, 143]).toContain(code)
  })
})

describe('an error that nobody has caught', () => {
  const bugs = {
    'thrown.mjs': `process.on('SIGUSR2', () => { throw new Error('a bug in a library') })`,
    'rejected.mjs': `process.on('SIGUSR2', () => void Promise.reject(new Error('a bug in a library')))`,
  }

  it.each(Object.keys(bugs))(
    'ends the process, logged and with an exit code of its own; sensors go on after the next start: %s [SN-SESS-10 in part]',
    async (bug) => {
      const directory = directoryWith(bugs)
      const args = ['-c', 'c.json', '--store', join(directory, 'state')]
      const at = (url: string) => ({ listeners: [{ name: 'air', url }] })
      const gateway = await start(at('udp://127.0.0.1:0'), ...args, `--import=${join(directory, bug)}`)
      const sensor = new Sensor({
        gateway: gateway.url,
        clientId: freshName(),
        cleanSession: false,
        tRetry: 500,
      })
      onTestFinished(() => sensor.close())
      await sensor.connect()

      gateway.child.kill('SIGUSR2')
      expect(await gateway.exited).toBe(70)
      expect(gateway.lines().at(-1)).toMatchObject({
        level: 'fatal',
        msg: 'unexpected error: the gateway ends',
        err: { message: 'a bug in a library' },
      })

      await start(at(gateway.url), ...args)
      await sensor.publish('still/here', 'yes', { qos: 1 })
      expect(sensor.state).toBe('active')
    },
  )
})

describe('--watch', () => {
  it('loads a file again when it changes, and obeys flags as before', async () => {
    const gateway = await start(
      { store: { type: 'memory' } },
      '-c',
      'c.json',
      '--watch',
      '--log-level',
      'debug',
    )
    gateway.write({ store: { type: 'memory' }, log: { level: 'error' }, limits: { sensors: 5 } })
    expect((await gateway.said('limits applied')).paths).toEqual(['limits.sensors'])
    expect(gateway.lines().some(({ msg }) => msg.includes('log applied'))).toBe(false)
  })

  it('needs a file', () => {
    const { status, stderr } = fail('--watch')
    expect([status, stderr]).toEqual([2, expect.stringContaining('--watch needs --config')])
  })
})
