// What `mqttsn forward` can be told: read as the gateway's configuration is, with what is wrong in words that name the key.
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references are what is tested

import { chmodSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import * as pki from '../../lab/pki.ts'
import { type LoadedForward, loadForward } from '../../src/config/forward/load.ts'
import { loadConfig } from '../../src/config/load.ts'
import { ConfigError } from '../../src/config/reading/problems.ts'
import { directoryWith } from './files.ts'

const KEY = '000102030405060708090a0b0c0d0e0f'
const psk = `barn-3:${KEY}`
const SERIAL = 'serial:///dev/serial/by-id/x?framing=slip'

const load = (document: object, env: Record<string, string> = {}): LoadedForward =>
  loadForward({ env, overrides: document })

/** What is wrong with it, as `path: found ... expected ...`. */
function problems(document: object, env: Record<string, string> = {}): string[] {
  try {
    load(document, env)
    return []
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    expect(error.message).not.toContain(KEY)
    return error.problems.map(
      ({ path, found, expected, suggestion, hint }) =>
        `${path}: ${found} / ${expected}${suggestion ? ` / ${suggestion}` : ''}${hint ? ` / ${hint}` : ''}`,
    )
  }
}

describe('a document of the forwarder', () => {
  it('is complete with urls alone, and has defaults for everything else', () => {
    const { config, warnings } = load({ from: ['udp://0.0.0.0:1885', SERIAL], to: 'udp://gw.example:1884' })
    expect(config).toMatchObject({
      from: [
        {
          url: 'udp://0.0.0.0:1885',
          name: 'udp://0.0.0.0:1885',
          node: new Uint8Array(),
        },
        { url: SERIAL, node: Uint8Array.of(1) },
      ],
      to: { url: 'udp://gw.example:1884', psk: undefined, connectionId: true, maxMessageSize: 1472 },
      nested: false,
      answerSearch: true,
      keepalive: 25_000,
      log: { level: 'info', format: 'auto' },
    })
    expect([config.metrics, warnings]).toEqual([undefined, []])
    expect(load({ from: ['udp://0.0.0.0:1885'], to: { url: 'dtls://gw:8883', psk } }).config.keepalive).toBe(
      60_000,
    )
  })

  it('numbers wires that have no id, in their order, and takes those that are given', () => {
    const wires = [
      SERIAL,
      'tcp://10.0.0.9:4001?framing=hdlc',
      'udp://0.0.0.0:1885',
      'tcp://10.0.0.9:4002?framing=cobs',
    ]
    const nodes = (from: unknown[]) =>
      load({ from, to: 'udp://gw:1884' }).config.from.map(({ node }) => [...node])
    expect(nodes(wires)).toEqual([[1], [2], [], [3]])
    expect(nodes([{ url: SERIAL, node: 'A1b2' }, wires[1]])).toEqual([[0xa1, 0xb2], [2]])
    expect(nodes([`${SERIAL}&node=encap`])).toEqual([[]])
  })

  it('is read from JSON with comments and from YAML, with references, below the environment and the command line', () => {
    const folder = directoryWith({ key: KEY })
    const json = directoryWith({
      'forward.json': `{ // the barn
        "from": [{ "url": "${SERIAL}", "name": "barn" }], "to": "udp://old:1884", "keepalive": "40s" }`,
    })
    const yaml = directoryWith({
      'forward.yaml': `from:\n  - udp://0.0.0.0:1885\nto:\n  url: dtls://gw:8883\n  psk: "barn-3:\${file:${join(folder, 'key')}}"\n`,
    })
    const env = { MQTTSN_FORWARD_TO__URL: 'udp://new:1884', MQTTSN_BROKER__URL: 'mqtt://other' }
    const read = loadForward({
      file: join(json, 'forward.json'),
      env,
      overrides: { keepalive: '50s' },
    }).config
    expect([read.from[0]?.name, read.to.url, read.keepalive]).toEqual(['barn', 'udp://new:1884', 50_000])
    const { to } = loadForward({ file: join(yaml, 'forward.yaml'), env: {} }).config
    expect(to.psk).toEqual({ identity: 'barn-3', key: Uint8Array.from(Buffer.from(KEY, 'hex')) })
    expect(
      load({ from: [SERIAL], to: { url: 'dtls://gw:1', psk: 'b:${env:K}' } }, { K: KEY }).config.to.psk
        ?.identity,
    ).toBe('b')
  })

  it('takes the key that all commands take, where nothing else names one', () => {
    const document = { from: [SERIAL], to: 'dtls://gw:8883' }
    expect(load(document, { MQTTSN_PSK: psk }).config.to.psk?.identity).toBe('barn-3')
    const folder = directoryWith({ 'psk.txt': `meter-1:${KEY}\n` })
    chmodSync(join(folder, 'psk.txt'), 0o600)
    const file = { MQTTSN_PSK_FILE: join(folder, 'psk.txt') }
    expect(load(document, file).config.to.psk?.identity).toBe('meter-1')
    const own = { from: [SERIAL], to: { url: 'dtls://gw:8883', psk: `own:${KEY}` } }
    expect(load(own, { MQTTSN_PSK: psk }).config.to.psk?.identity).toBe('own')
    expect(load({ from: [SERIAL], to: 'udp://gw:1884' }, { MQTTSN_PSK: psk }).config.to.psk).toBeUndefined()
  })

  it('finds its key in a file, by its identity where there are several', () => {
    const folder = directoryWith({ 'psk.txt': `# keys\na:${KEY}\nb:${KEY}\n` })
    chmodSync(join(folder, 'psk.txt'), 0o644)
    const pskFile = join(folder, 'psk.txt')
    const to = { url: 'dtls://gw:8883', pskFile }
    expect(load({ from: [SERIAL], to: { ...to, pskIdentity: 'b' } })).toMatchObject({
      config: { to: { psk: { identity: 'b' } } },
      warnings: [expect.stringContaining('to.pskFile: every user of this machine can read it')],
    })
    expect(problems({ from: [SERIAL], to })).toEqual([
      `to.pskIdentity: 2 keys in ${pskFile} / the identity of one of them (--psk-identity)`,
    ])
    expect(problems({ from: [SERIAL], to: { ...to, pskIdentity: 'c' } })).toEqual([
      `to.pskIdentity: no key for "c" in ${pskFile} / an identity that has one`,
    ])
    expect(problems({ from: [SERIAL], to: { ...to, pskFile: '/nowhere' } })[0]).toMatch(
      /^to\.pskFile: the file does not exist/,
    )
  })

  it('leaves its variables to it: the gateway passes over them', () => {
    expect(() => loadConfig({ env: { MQTTSN_FORWARD_TO: 'udp://gw:1884' } })).not.toThrow()
    expect(problems({ from: [SERIAL], to: 'udp://gw:1' }, { MQTTSN_FORWARD_KEEP_ALIVE: '1s' })[0]).toMatch(
      /an unknown variable .* MQTTSN_FORWARD_KEEPALIVE/,
    )
  })
})

describe('the page about forwarders', () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/forward.md'), 'utf8')
  const documents = [...page.matchAll(/```json\n([\s\S]*?)```/g)].map(([, text = '']) => text)

  it('has documents that can be used, of the gateway and of the forwarder', () => {
    expect(documents).toHaveLength(3)
    for (const text of documents) {
      const file = join(directoryWith({ 'c.json': text }), 'c.json')
      if (text.includes('"to"')) expect(loadForward({ file, env: { BARN_KEY: KEY } }).warnings).toEqual([])
      else expect(() => loadConfig({ file, env: {} })).not.toThrow()
    }
  })

  it('names every key that has a flag', () => {
    for (const key of ['from', 'to', 'nested', 'keepalive', 'answerSearch', 'to.localPort', 'metrics'])
      expect(page).toContain(`\`${key}\``)
  })
})

describe('what is wrong with it', () => {
  const from = [SERIAL]
  const to = 'udp://gw:1884'
  it.each([
    [{ to }, /^from: nothing \//],
    [{ from }, /^to: nothing \//],
    [{ from: [], to }, /^from: a list of 0 \/ at least one link to nodes/],
    [{ from: ['serial:///dev/ttyS0'], to }, /^from\[0\]: .* \/ framing=slip or/],
    [{ from: ['/dev/ttyUSB0'], to }, /write "serial:\/\/\/dev\/ttyUSB0\?framing=slip"/],
    [{ from: ['serial:///dev/ttyS0?framing=slip&bauds=9600'], to }, /did you mean "baud"/],
    [{ from: ['dtls://0.0.0.0:8884'], to }, /^from\[0\]: a dtls:\/\/ url .* nodes with keys of their own/],
    [{ from: ['udp://0.0.0.0:1885', 'udp://0.0.0.0:1885'], to }, /^from\[1\]: the url of from\[0\]/],
    [
      { from: [SERIAL, { url: 'tcp://a:1?framing=slip', node: '01' }], to },
      /^from\[1\]\.node: the node id 01 of from\[0\] .*--node/,
    ],
    [
      {
        from: [
          { url: SERIAL, name: 'a' },
          { url: 'udp://0.0.0.0:1', name: 'a' },
        ],
        to,
      },
      /^from\[1\]\.name: the name of from\[0\]/,
    ],
    [{ from: [{ url: SERIAL, node: '1' }], to }, /^from\[0\]\.node: "1" \/ 1 to 32 octets/],
    [{ from: [{ url: 'udp://0.0.0.0:1', pace: { messages: 3 } }], to }, /^from\[0\]\.pace: a pace \/ none/],
    [{ from: [{ url: SERIAL, group: { group: '225.1.1.1' } }], to }, /^from\[0\]\.group: a group \/ none/],
    [{ from: [{ url: SERIAL, nodes: '01' }], to }, /^from\[0\]\.nodes: an unknown key .* \/ node$/],
    [
      { from, to: 'gw.example' },
      /^to: "gw.example" \/ udp:\/\/host:port .* \/ write "udp:\/\/gw.example:1884"/,
    ],
    [{ from, to: 'udp://gw:0' }, /^to: /],
    [{ from, to: 'mqtt://gw:1883' }, /^to: /],
    [{ from, to: 'dtls://gw:8883' }, /^to: neither psk, pskFile nor ca .* --psk or MQTTSN_PSK/],
    [{ from, to: { url: to, psk } }, /^to\.psk: a key of dtls:\/\/ \/ none/],
    [
      { from, to: { url: 'dtls://gw:1', psk: `barn:${KEY.slice(0, 6)}` } },
      /^to\.psk: a value that is not shown/,
    ],
    [{ from, to: { url: 'dtls://gw:1', psk, pskFile: 'x' } }, /^to\.pskFile: psk and pskFile/],
    [
      { from, to: { url: 'dtls://gw:1', psk, pskIdentity: 'x' } },
      /^to\.pskIdentity: an identity without pskFile/,
    ],
    [{ from, to: { url: 'dtls://gw:1', psk, cert: pki.client.cert } }, /^to\.key: cert without key/],
    [{ from, to: { url: 'dtls://gw:1', psk, key: pki.client.key } }, /^to\.cert: key without cert/],
    [
      { from, to: { url: 'dtls://gw:1', psk, cert: pki.client.cert, key: pki.client.key } },
      /^to\.ca: cert without ca/,
    ],
    [
      { from, to: { url: 'dtls://gw:1', ca: '-----BEGIN CERTIFICATE-----\nx\n' } },
      /^to\.ca: what cannot be read/,
    ],
    [{ from, to, metrics: '9100' }, /^metrics: .* write "http:\/\/127.0.0.1:9100"/],
    [{ from, to, keepalive: '1ms' }, /^keepalive: "1ms" \/ a duration from 1s/],
    [{ from, to, answerSearch: 'yes' }, /^answerSearch: "yes" .* write true/],
    [{ from, to, listeners: [] }, /^listeners: an unknown key \/ one of from, to/],
  ])('%j is said with the key to change', (document, expected) => {
    const found = problems(document)
    expect(
      found.some((text) => expected.test(text)),
      found.join('\n'),
    ).toBe(true)
  })

  it('is all told at once, and a file that is not there with what else there is', () => {
    expect(problems({ from: ['x'], to: 'y', nested: 1 })).toHaveLength(3)
    const folder = directoryWith({ 'forward.yaml': 'from: []' })
    expect(() => loadForward({ file: join(folder, 'forward.json'), env: {} })).toThrow(
      /there is .*forward\.yaml/,
    )
    expect(() => loadForward({ file: '/nowhere/forward.json', env: {} })).toThrow(
      /--from and --to say the same/,
    )
  })

  it('is unwise rather than wrong where a name may change, a key is weak, ids may meet, or metrics are open', () => {
    const { warnings } = load({
      from: ['serial:///dev/ttyUSB0?framing=slip&node=encap', 'tcp://a:1?framing=slip&node=encap'],
      to: { url: 'dtls://gw:1', psk: 'x:0011223344556677' },
      metrics: 'http://0.0.0.0:9100',
    })
    expect(warnings.map((text) => text.replace(/:.*/, ''))).toEqual([
      'from[0].url',
      'from',
      'to.psk',
      'metrics',
    ])
  })
})
