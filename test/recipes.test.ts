// The recipes do what they say: their programs are run against a gateway, their configurations loaded, their links followed.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { decode, decodeFrame } from '../src/library/codec.ts'
import { load } from './config/files.ts'
import { openEndpoint } from './support/endpoint.ts'
import { Office, TestGateway } from './support/gateway.ts'
import {
  blocksOf,
  compile,
  fileInFolder,
  isInstalled,
  programOf,
  readPage,
  recipePages,
  start,
} from './support/recipe.ts'

/** A gateway with this configuration beside the embedded broker, and somebody there who hears everything of `home`. */
async function startSite(overrides: Record<string, unknown> = {}) {
  const test = await TestGateway.start('embedded', overrides)
  const office = await Office.at(test.gateway.status().broker, 'home/#')
  onTestFinished(async () => {
    await office.close()
    await test.stop()
  })
  const { port } = new URL(test.url())
  return { test, office, port }
}

const said = ({ topic, text, qos }: { topic: string; text: string; qos: number }) =>
  `${topic}=${text} (${qos})`

describe('every recipe', () => {
  it.each(recipePages())('%s has links that lead somewhere', (page) => {
    const links = [...readFileSync(page, 'utf8').matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)]
    const missing = links
      .map(([, target = '']) => join(dirname(page), target))
      .filter((path) => !existsSync(path))
    expect(missing).toEqual([])
  })

  it.each(recipePages().filter((page) => !page.endsWith('README.md')))(
    '%s says what was run, and is in the list',
    (page) => {
      const text = readFileSync(page, 'utf8')
      expect(text).toMatch(/^## What was run\n\n.+/m)
      for (const [path] of text.matchAll(/\btest\/[\w/.-]+\w/g)) expect(existsSync(path), path).toBe(true)
      expect(readPage('README')).toContain(`(${page.replace(/^.*\//, '')})`)
    },
  )

  it.each(recipePages())('%s has configurations that the gateway loads', (page) => {
    for (const block of blocksOf(readFileSync(page, 'utf8'), 'json')) {
      const { config } = load(JSON.parse(block))
      // a recipe is for sensors on a network: heard there, and not by the whole world
      for (const { url, allow } of config.listeners) {
        expect(url).not.toContain('127.0.0.1')
        expect(allow.length).toBeGreaterThan(0)
      }
    }
  })
})

describe('Python', () => {
  const conversation = async (interpreter: string, ...options: string[]) => {
    const { office, port } = await startSite()
    const values = {
      '("192.168.1.10", 1884)': `("127.0.0.1", ${port})`,
      'READINGS = 0': 'READINGS = 4',
      'seconds = 10': 'seconds = 30',
    }
    const program = start(
      interpreter,
      ...options,
      fileInFolder('sensor.py', programOf('python', 'python', values)),
    )
    expect(said(await office.inbox.next())).toBe('home/kitchen/celsius=21.5 (1)')
    await office.publish('home/kitchen/seconds', '1', { qos: 1 })
    expect(said(await office.inbox.next())).toBe('home/kitchen/seconds=1 (1)')
    const next = await program.lines.take(2)
    expect(next).toEqual(['sent 21.5', 'every 1 seconds'])
  }

  it.skipIf(!isInstalled('python3'))(
    'the program publishes readings with QoS 1, and obeys an order (python3)',
    async () => {
      await conversation('python3', '-u')
    },
  )

  it.skipIf(!isInstalled('micropython', '-c', ''))('the same with MicroPython (micropython)', async () => {
    await conversation('micropython')
  })

  it.skipIf(!isInstalled('python3'))(
    'goes on with the next reading, and ends with DISCONNECT (python3)',
    async () => {
      const { test, office, port } = await startSite()
      const values = {
        '("192.168.1.10", 1884)': `("127.0.0.1", ${port})`,
        'READINGS = 0': 'READINGS = 2',
        'seconds = 10': 'seconds = 1',
      }
      const program = start('python3', '-u', fileInFolder('sensor.py', programOf('python', 'python', values)))
      expect((await office.inbox.take(2)).map(said)).toEqual(Array(2).fill('home/kitchen/celsius=21.5 (1)'))
      expect(await program.ended).toBe(0)
      await expect.poll(() => test.stateOf({ clientId: 'kitchen-1' })).not.toBe('active')
    },
  )
})

describe('ESP32 with Arduino', () => {
  it.skipIf(!isInstalled('g++'))(
    'the sketch publishes readings with QoS 1, and switches its lamp (g++, a stand-in for the board)',
    async () => {
      const { office, port } = await startSite()
      const values = {
        '(192, 168, 1, 10)': '(127, 0, 0, 1)',
        'PORT = 1884': `PORT = ${port}`,
        'EVERY = 10000': 'EVERY = 300',
      }
      // a sketch is C++ in which functions may stand in any order; this one keeps the order of C++
      const source = fileInFolder('sketch.cpp', programOf('arduino-esp32', 'cpp', values))
      const { lines } = start(compile('g++', source, '-Itest/support/arduino', '-Wno-unused-variable'))
      expect((await office.inbox.take(3)).map(said)).toEqual(Array(3).fill('home/hall/celsius=21.5 (1)'))
      await office.publish('home/hall/lamp', 'on', { qos: 1 })
      await expect.poll(() => lines.all).toContain('pin 2 high')
      await office.publish('home/hall/lamp', 'off', { qos: 0 })
      await expect.poll(() => lines.all).toContain('pin 2 low')
    },
  )
})

describe('C with MQTTSNPacket', () => {
  const paho = process.env['PAHO_MQTTSN_SOURCE'] ?? ''
  const library = join(paho, 'MQTTSNPacket/src')

  it.skipIf(paho === '' || !isInstalled('gcc'))(
    'the program registers a topic and publishes with QoS 1 (gcc, PAHO_MQTTSN_SOURCE)',
    async () => {
      const { office, port } = await startSite()
      const sources = readdirSync(library)
        .filter((name) => name.endsWith('.c'))
        .map((name) => join(library, name))
      const source = fileInFolder('sensor.c', programOf('paho-embedded-c', 'c'))
      // the warnings of the library are not ours
      const { lines, ended } = start(
        compile('gcc', source, `-I${library}`, '-w', ...sources),
        '127.0.0.1',
        port,
      )
      expect(said(await office.inbox.next())).toBe('home/cellar/celsius=11.5 (1)')
      expect(await lines.next()).toBe('sent 11.5')
      expect(await ended).toBe(0)
    },
  )
})

describe('Zephyr', () => {
  it('a search through the group of its sample is answered, and the CONNECT that follows', async () => {
    const [block = ''] = blocksOf(readPage('zephyr'), 'json')
    const [{ discovery, url }] = JSON.parse(block).listeners
    expect([url, discovery]).toEqual(['udp://0.0.0.0:10000', { group: '225.1.1.1', port: 1883 }])
    // within this machine, and with a port of its own for the group
    const listening = await openEndpoint(discovery.group, 0, true)
    const zephyr = await openEndpoint('127.0.0.1')
    onTestFinished(async () => {
      await listening.close()
      await zephyr.close()
    })
    zephyr.socket.setMulticastInterface('127.0.0.1')
    const group = { ...discovery, port: listening.port }
    await startSite({ gateway: { id: 7 }, listeners: [{ url: 'udp://127.0.0.1:0', discovery: group }] })
    await zephyr.send(Buffer.from('030101', 'hex'), group.port, group.group)
    const { bytes, remote } = await zephyr.next()
    expect(decode(bytes)).toMatchObject({ type: 'gwinfo', gwId: 7 })
    await zephyr.send(Buffer.from('0c040401003c5a4550485952', 'hex'), remote.port, remote.address)
    expect(decode((await zephyr.next()).bytes)).toMatchObject({ type: 'connack', returnCode: 0 })
  })
})

describe('OpenThread', () => {
  it('the message in one line is what the page says, and reaches the broker over IPv6', async () => {
    const page = readPage('openthread')
    const [block = ''] = blocksOf(page, 'json')
    const hex = /-x ([0-9a-f ]+)/.exec(page)?.[1]?.replaceAll(' ', '') ?? ''
    expect(page).toContain(`mqttsn decode ${hex}\``)
    const octets = Uint8Array.from(Buffer.from(hex, 'hex'))
    expect(decodeFrame(octets)).toMatchObject({
      packet: { type: 'publish', qos: -1, topicIdType: 'predefined' },
    })
    const { listeners, ...config } = JSON.parse(block)
    const [{ allow, maxMessageSize }] = listeners
    const { broker: _, ...rest } = config
    const { test, office } = await startSite({
      ...rest,
      listeners: [{ url: 'udp://[::1]:0', allow, maxMessageSize }],
    })
    const node = await test.peer('::1')
    node.send(hex)
    expect(said(await office.inbox.next())).toBe('home/door=open (0)')
  })
})
