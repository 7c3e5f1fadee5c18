// `mqttsn init`: questions or options become a commented file that the gateway accepts.

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { type Ask, initCommand } from '../../src/cli/init.ts'
import { invocation, shellWord } from '../../src/cli/terminal/invocation.ts'
import { loadConfig } from '../../src/config/load.ts'
import { directoryWith } from '../config/files.ts'
import { FakeTerminal } from '../support/sensor.ts'

async function init(file: string, args: readonly string[] = [], ask?: Ask) {
  const terminal = new FakeTerminal()
  const code = await terminal.run(initCommand(terminal, ask), file, ...args)
  return { code, lines: terminal.lines, errors: terminal.errors }
}

const PEM = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n'

it.each(['c.jsonc', 'c.json', 'c.yaml'])(
  'writes defaults with comments, which the gateway accepts without warnings: %s',
  async (name) => {
    const file = join(directoryWith({}), name)
    const { code, errors } = await init(file)
    expect(code).toBe(0)
    const text = readFileSync(file, 'utf8')
    expect(text).toMatch(name.endsWith('yaml') ? /^# Configuration/ : /^\/\/ Configuration/)
    const { config, warnings } = loadConfig({ file, env: {} })
    expect(warnings).toEqual([])
    expect([config.listeners[0]?.url, config.broker.url]).toEqual([
      'udp://127.0.0.1:1884',
      'mqtt://127.0.0.1:1883',
    ])
    expect(config.sensors[0]?.clientId).toBe(`sn-\${clientId}`)
    expect(errors).toContain(`  ${invocation()} gateway -c ${file}`)
  },
)

it.each(['c.jsonc', 'c.yml'])('writes what the options say, and no password: %s', async (name) => {
  const directory = directoryWith({ 'ca.pem': PEM })
  const file = join(directory, name)
  const { code, errors } = await init(file, [
    ...['--listen', '0.0.0.0:2000', '--allow', '10.0.0.0/8,192.168.0.0/16', '--broker', 'mqtts://b.example'],
    ...['--ca', 'ca.pem', '--username', 'me', '--password-env', 'MY_SECRET', '--prefix', 'x-'],
    ...['--predefined', '1=a/b 2=c=d', '--console', '0.0.0.0:9000'],
  ])
  expect([code, errors.filter((line) => line.startsWith('warning'))]).toEqual([0, []])
  const env = { MY_SECRET: 'hunter2', CONSOLE_TOKEN: 'a token that is long' }
  const { config } = loadConfig({ file, env })
  expect(config.listeners[0]).toMatchObject({
    url: 'udp://0.0.0.0:2000',
    allow: ['10.0.0.0/8', '192.168.0.0/16'],
  })
  expect(config.broker).toMatchObject({
    url: 'mqtts://b.example',
    username: 'me',
    password: 'hunter2',
    tls: { ca: PEM.trim() },
  })
  expect(config.predefined).toEqual([{ match: '*', topics: { '1': 'a/b', '2': 'c=d' } }])
  expect(config.console).toMatchObject({ url: 'http://0.0.0.0:9000', token: env.CONSOLE_TOKEN })
  expect(errors.filter((line) => line.includes('export'))).toEqual([
    '  export MY_SECRET=...',
    '  export CONSOLE_TOKEN=...',
  ])
  expect(errors.at(-1)).toContain('pub -p 2000')
})

it('asks on a terminal for what no option says, only what follows from the answers, and again where an answer is wrong', async () => {
  const file = join(directoryWith({}), 'c.yaml')
  const answers = ['', 'tcp://h', 'broker.example', 'me', 'BROKER_PASSWORD', 'none', 'x', '7=seven', 'off']
  const asked: string[] = []
  const { code, errors } = await init(file, ['--listen', '127.0.0.1:1999'], async (question) => {
    asked.push(question.split(/[:;,?\n]/)[0] ?? '')
    return answers[asked.length]
  })
  expect(code).toBe(0)
  expect(asked.map((text) => text.split(' ').slice(0, 2).join(' '))).toEqual([
    'MQTT broker',
    'MQTT broker',
    'User name',
    'Environment variable',
    'What stands',
    'Predefined topic',
    'Predefined topic',
    'Address of',
  ])
  expect(errors.filter((line) => line.startsWith('expected'))).toHaveLength(2)
  const { config } = loadConfig({ file, env: { BROKER_PASSWORD: 'x' } })
  expect(config).toMatchObject({
    broker: { url: 'mqtt://broker.example', username: 'me' },
    predefined: [{ topics: { 7: 'seven' } }],
    console: { enabled: false },
  })
  expect(config.sensors[0]?.clientId).toBe(`\${clientId}`)
})

it('writes nothing at Ctrl-C, and never over a file unless told so', async () => {
  const file = join(directoryWith({}), 'c.json')
  const broken = await init(file, [], async () => undefined)
  expect([broken.code, broken.errors, existsSync(file)]).toEqual([130, ['nothing was written'], false])

  writeFileSync(file, 'mine')
  const refused = await init(file)
  expect([refused.code, refused.errors.join()]).toEqual([1, expect.stringContaining('is there already')])
  const meanwhile = join(directoryWith({}), 'c.json')
  const late = await init(meanwhile, [], async () => {
    writeFileSync(meanwhile, 'mine')
    return ''
  })
  expect([late.code, readFileSync(meanwhile, 'utf8'), readFileSync(file, 'utf8')]).toEqual([
    1,
    'mine',
    'mine',
  ])
  expect((await init(file, ['--force'])).code).toBe(0)
  expect(readFileSync(file, 'utf8')).toContain('"listeners"')
})

it('writes to standard output for "-"', async () => {
  const { code, lines } = await init('-', ['--broker', 'embedded'])
  expect(code).toBe(0)
  expect(lines.join('\n')).toContain('"broker": { "url": "embedded" }')
})

it.each([
  [['--listen', 'localhost:x'], '--listen: expected a numeric address'],
  [['--broker', 'http://h'], '--broker: expected'],
  [['--password-env', 'a b'], '--password-env: expected the name of a variable'],
  [['--predefined', '0=a'], '--predefined: expected id=topic'],
  [['--console', 'https://h'], '--console: expected'],
])('ends with 2 on wrong usage: %j', async (args, message) => {
  const file = join(directoryWith({}), 'c.json')
  const { code, errors } = await init(file, args)
  expect([code, existsSync(file)]).toEqual([2, false])
  expect(errors.join()).toContain(message)
})

it('says what cannot be used yet, such as a missing CA', async () => {
  const file = join(directoryWith({}), 'c.json')
  const { code, errors } = await init(file, ['--broker', 'mqtts://h', '--ca', 'ca.pem'])
  expect(code).toBe(1)
  expect(errors.join('\n')).toMatch(/cannot be used yet:\n.*broker\.tls\.ca .*does not exist/)
})

it('writes hints in words that can be pasted', () => {
  expect(invocation(['node', '/usr/local/bin/mqttsn'], {})).toBe('mqttsn')
  expect(invocation(['node', '/x/node_modules/.bin/mqttsn'], { npm_command: 'exec' })).toBe('npx mqttsn')
  expect(invocation(['node', join(process.cwd(), 'dist/src/cli.js')], {})).toBe('node dist/src/cli.js')
  expect(invocation(['node', '/a b/cli.js'], {})).toBe("node '/a b/cli.js'")
  expect(['a.json', "it's", 'a b', '$x'].map(shellWord)).toEqual(['a.json', `'it'\\''s'`, "'a b'", "'$x'"])
})
