// What a command loads, seen in its process as it is compiled: little, so that a shell script may call it often.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { directoryWith } from '../config/files.ts'
import { acceptingGateway, UdpPeer } from '../support/sensor.ts'
import { run } from './compiled.ts'

/** Notes every module that is loaded: those of imports in a thread of hooks, those of require at the end. */
const files = {
  'watcher.mjs': `
    import { register, Module } from 'node:module'
    import { appendFileSync } from 'node:fs'
    register('./hooks.mjs', import.meta.url)
    process.on('exit', () => appendFileSync(process.env.LOADED, Object.keys(Module._cache).join('\\n') + '\\n'))`,
  'hooks.mjs': `
    import { appendFileSync } from 'node:fs'
    export async function load(url, context, next) {
      appendFileSync(process.env.LOADED, url + '\\n')
      return next(url, context)
    }`,
}

async function loadedBy(...args: string[]): Promise<string[]> {
  const directory = directoryWith({ ...files, loaded: '' })
  const notes = join(directory, 'loaded')
  await run(args, { node: ['--import', join(directory, 'watcher.mjs')], env: { LOADED: notes } })
  const paths = readFileSync(notes, 'utf8').split('\n')
  expect(paths.some((path) => path.endsWith('dist/src/cli.js'))).toBe(true)
  const names = paths.flatMap((path) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? [])
  return [...new Set(names)].sort()
}

describe('what is loaded', () => {
  it('by pub is commander alone: no server, no store, no schema, no MQTT', async () => {
    const gateway = await UdpPeer.open()
    onTestFinished(() => gateway.close())
    gateway.script = acceptingGateway()
    expect(await loadedBy('pub', '-p', `${gateway.port}`, '-t', 'a', '-m', 'x', '-q', '1')).toEqual([
      'commander',
    ])
    expect(gateway.types()).toBe('connect register publish disconnect')
  })

  it.each([
    ['sub', '--help'],
    ['discover', '--help'],
    ['top', '--help'],
    ['--help'],
    ['--version'],
    ['publish'],
  ])('by %s %s is commander alone', async (...args) => {
    expect(await loadedBy(...args.filter((arg) => arg !== undefined))).toEqual(['commander'])
  })

  it('by check is what reads and checks a configuration, YAML only for a YAML file', async () => {
    const directory = directoryWith({ 'c.json': '{}', 'c.yaml': '{}' })
    expect(await loadedBy('check', '-c', join(directory, 'c.json'))).toEqual([
      'commander',
      'jsonc-parser',
      'zod',
    ])
    expect(await loadedBy('check', '-c', join(directory, 'c.yaml'))).toContain('yaml')
  })
})

describe('what a forwarder loads', () => {
  it('is no store, no MQTT and no server, and no metrics where none are served', async () => {
    const args = ['--from', 'udp://127.0.0.1:0', '--to', 'udp://127.0.0.1:9', '--keepalive', '1s', '--check']
    const loaded = await loadedBy('forward', ...args)
    expect(loaded).toEqual(expect.arrayContaining(['commander', 'zod', 'pino']))
    for (const name of ['lmdb', 'mqtt', 'mqtt-packet', 'aedes', 'fastify', 'prom-client', 'yaml'])
      expect(loaded).not.toContain(name)
    expect(await loadedBy('forward', '--help')).toEqual(['commander'])
  })
})

describe('the help of all commands', () => {
  it('says of each what its own help says', async () => {
    const { commands } = await import('../../src/cli/commands.ts')
    for (const [name, { about, load, takes }] of Object.entries(commands)) {
      const command = await load()
      expect([command.name(), command.description()]).toEqual([name, about])
      const inner = command.commands.map((one) => one.name()).join('|')
      const args = command.registeredArguments.map((one) => {
        const text = `${one.name()}${one.variadic ? '...' : ''}`
        return one.required ? `<${text}>` : `[${text}]`
      })
      expect(takes ?? '', name).toBe(args.length > 0 ? args.join(' ') : inner)
    }
  })

  it('proposes the command that was probably meant, and ends with 2', async () => {
    const { status, stderr } = await run(['pubb'])
    expect([status, stderr]).toEqual([2, expect.stringContaining('Did you mean pub?')])
    expect((await run(['help', 'pub'])).stdout).toContain('Usage: mqttsn pub')
    expect((await run([])).status).toBe(2)
  })
})
