// The log: formats, levels, secrets.

import { spawnSync } from 'node:child_process'
import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { loadConfig } from '../src/config/load.ts'
import { createLog, type Log } from '../src/log.ts'

type Settings = Parameters<typeof createLog>[0]

/** What `write` makes the log say, line by line. */
function linesOf(settings: Partial<Settings>, write: (log: Log) => void, isTTY = false): string[] {
  const lines: string[] = []
  const stream = { isTTY, write: (line: string) => lines.push(line) }
  write(createLog({ level: 'info', format: 'auto', payloads: false, ...settings }, stream))
  return lines
}

const hello = (log: Log) => log.info({ clientId: 's1' }, 'hello')

describe('createLog', () => {
  it('writes one JSON object per line, with ISO time and the level as a word', () => {
    const lines = linesOf({}, hello)
    expect(lines).toHaveLength(1)
    const { time, ...rest } = JSON.parse(lines[0] ?? '')
    expect(rest).toEqual({ level: 'info', clientId: 's1', msg: 'hello' })
    expect(new Date(time).toISOString()).toBe(time)
  })

  it('writes text for people on a terminal, in colour, or where it is asked for, and at once', () => {
    const colour = `${String.fromCharCode(27)}[`
    const [onTerminal] = linesOf({}, hello, true)
    expect(onTerminal).toContain(colour)
    expect(onTerminal).toMatch(/INFO.*hello/)
    const [asked] = linesOf({ format: 'pretty' }, hello)
    expect(asked).toMatch(/INFO: hello/)
    expect(asked).not.toContain(colour)
    expect(linesOf({ format: 'json' }, hello, true)[0]).toMatch(/^\{/)
  })

  it('leaves out what is below the level', () => {
    const write = (log: Log) => {
      log.debug('no')
      log.warn('yes')
    }
    expect(linesOf({ level: 'warn' }, write)).toHaveLength(1)
    expect(linesOf({ level: 'silent' }, write)).toHaveLength(0)
  })

  it('strikes out secrets, also when a whole configuration is logged', () => {
    const secret = 'hunter2'
    const pem = `-----BEGIN X-----${secret}`
    const { config } = loadConfig({
      env: {},
      overrides: {
        broker: { url: 'mqtts://h', username: 'u', password: secret, tls: { cert: pem, key: pem } },
        sensors: [{ username: 'visible', password: secret, cert: pem, key: pem }],
      },
    })
    const identity = { clientId: 'visible', password: secret, cert: pem, key: pem }
    for (const format of ['json', 'pretty'] as const) {
      const text = linesOf({ format }, (log) => {
        log.info({ config }, 'started')
        log.info(config, 'started')
        log.info({ identity, password: secret }, 'connecting')
        log.child({ broker: config.broker }).child({ rules: config.sensors }).info('child')
        log.info({ url: `mqtt://me:${secret}@h`, list: [{ deep: { password: secret } }] }, 'nested')
        log.info(
          { a: { b: { c: { d: { e: { f: { g: { h: { password: secret } } } } } } } } },
          'too deep to look at',
        )
      }).join('')
      expect(text).not.toContain(secret)
      expect(text).toContain('visible')
    }
  })

  it('logs errors with stack, and numbers, dates and octets as they are', () => {
    const at = new Date(0)
    const [line] = linesOf({}, (log) =>
      log.error({ err: new Error('broken'), key: 5, at, none: null }, 'failed'),
    )
    expect(JSON.parse(line ?? '')).toMatchObject({
      err: { message: 'broken', stack: expect.stringContaining('log.test') },
      key: 5,
      at: at.toISOString(),
      none: null,
    })
  })

  it('writes everything to standard output before the process ends', () => {
    const log = JSON.stringify(resolve(import.meta.dirname, '../src/log.ts'))
    const script = `import { createLog } from ${log}
      const log = createLog({ level: 'info', format: 'auto', payloads: false })
      for (let i = 0; i < 1000; i++) log.info({ i }, 'line')
      process.exit(0)`
    const { stdout, status } = spawnSync(
      process.execPath,
      ['--import', 'tsx', '--input-type=module', '-e', script],
      {
        encoding: 'utf8',
        timeout: 20_000,
      },
    )
    expect(status).toBe(0)
    expect(stdout.trim().split('\n')).toHaveLength(1000)
  })
})
