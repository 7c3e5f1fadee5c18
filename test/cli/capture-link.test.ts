// `mqttsn capture --link` at a real gateway: records of DTLS as they were on the wire, and the MQTT-SN inside beside them.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { captureCommand } from '../../src/cli/capture.ts'
import { decodeFrame } from '../../src/codec/v1/frame.ts'
import { DtlsPeer } from '../support/dtls-peer.ts'
import { connect, KEYS, publish } from '../support/dtls-scene.ts'
import { freshName, until } from '../support/gateway.ts'
import { type LiveGateway, startLiveGateway } from '../support/live-gateway.ts'
import { FakeTerminal } from '../support/sensor.ts'
import { haveTshark } from '../support/tshark.ts'

let live: LiveGateway
let directory: string
let keyLog: string
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'capture-link-'))
  keyLog = join(directory, 'keys.log')
  // tshark knows no suite of ECDHE with keys
  const dtls = { psk: { keys: KEYS }, keyLog, ciphers: ['TLS_PSK_WITH_AES_128_CCM_8'] }
  const listeners = [{ url: 'dtls://127.0.0.1:0', dtls }, { url: 'udp://127.0.0.1:0' }]
  live = await startLiveGateway(undefined, { listeners })
})
afterAll(async () => {
  await live.stop()
  rmSync(directory, { recursive: true })
})

async function capture(...args: string[]) {
  const terminal = new FakeTerminal()
  const file = join(directory, `${freshName()}.pcapng`)
  const ended = terminal.run(captureCommand(terminal), '-w', file, '--link', '--url', live.url, ...args)
  await until(() => terminal.errors.length > 0)
  return { terminal, file, ended }
}

/** Until the file has a packet with this comment. */
const recorded = (file: string, comment: string) => until(() => readFileSync(file).includes(comment))

async function peer(identity: string): Promise<DtlsPeer> {
  const meter = await DtlsPeer.open(live.test.url(), { psk: [identity, KEYS[identity] ?? ''] })
  onTestFinished(() => meter.close())
  return meter
}

async function talk(identity: string, text: string, meter?: DtlsPeer): Promise<DtlsPeer> {
  const speaker = meter ?? (await peer(identity))
  speaker.send(connect(identity))
  await speaker.next('connack')
  speaker.send(publish('ab', text))
  await speaker.next('puback')
  return speaker
}

interface Seen {
  /** of the capture: `wire` or `inside DTLS` */
  readonly from: string
  /** of MQTT-SN, where tshark reads some */
  readonly type: string
  readonly message: string
  /** type of the MQTT-SN message that it decrypts */
  readonly decrypted: string
  readonly protocols: string
  readonly comment: string
}

const FIELDS = [
  ...['frame.interface_name', 'mqttsn.msg.type', 'mqttsn.pub.msg'],
  ...['data.data', 'frame.protocols', 'frame.comment'],
]

function read(file: string, ...options: string[]): Seen[] {
  const fields = FIELDS.flatMap((field) => ['-e', field])
  const args = ['-n', '-r', file, ...options, '-T', 'fields', ...fields]
  const text = execFileSync('tshark', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  return text.split('\n').flatMap((line) => {
    const [from = '', type = '', message = '', data = '', protocols = '', comment = ''] = line.split('\t')
    const decrypted =
      protocols.includes('dtls') && data ? decodeFrame(Buffer.from(data, 'hex')).packet.type : ''
    return line === '' ? [] : [{ from, type, message, decrypted, protocols, comment }]
  })
}

/** The options that the command names, with the file of keys in its place. */
function namedOptions({ terminal }: { terminal: FakeTerminal }): string[] {
  const [, options = ''] = /pcapng (.*)$/.exec(terminal.errors[0] ?? '') ?? []
  return options.replace('KEYLOG', keyLog).split(' ')
}

describe.runIf(haveTshark)('what is captured with --link', () => {
  it('is decrypted by tshark with the key log, which sees the MQTT-SN inside, and without it beside [DTLS-RUN-5]', async () => {
    const recording = await capture('--duration', '1m')
    await talk('meter-1', 'in a record')
    const plain = await live.test.connected({ gateway: live.test.url(1) })
    await plain.ping()
    await recorded(recording.file, 'PINGRESP')
    recording.terminal.interrupt()
    expect(await recording.ended).toBe(0)
    const seen = read(recording.file, ...namedOptions(recording))
    const onWire = seen.filter(({ from }) => from === 'wire')
    expect(onWire.filter(({ protocols }) => protocols.includes('dtls')).length).toBeGreaterThan(8)
    // CONNECT, CONNACK, PUBLISH, PUBACK out of encrypted records
    const decrypted = onWire.filter((one) => one.decrypted !== '')
    const types = ['connect', 'connack', 'publish', 'puback']
    expect(decrypted.map((one) => one.decrypted)).toEqual(types)
    for (const { comment } of decrypted) expect(comment).toMatch(/^meter-1: DTLS/)
    // those of the other listener are as they always are
    expect(
      onWire.filter(({ protocols, type }) => !protocols.includes('dtls') && type === '0x16'),
    ).toHaveLength(1)
    // without any secret
    const inside = read(recording.file, '-d', 'udp.port==1884,mqttsn').filter(
      ({ from }) => from === 'inside DTLS',
    )
    expect(inside.map(({ type }) => type)).toEqual(['0x04', '0x05', '0x0c', '0x0d'])
    expect(inside[2]).toMatchObject({ message: 'in a record', comment: expect.stringContaining('PUBLISH') })
  })

  it('is of one sensor with --sensor: its records, and handshakes from where it is', async () => {
    const meter = await talk('meter-2', 'before')
    const recording = await capture('--sensor', 'meter-2', '--duration', '1m')
    await talk('meter-3', 'of another one')
    await talk('meter-2', 'of this one', meter)
    await recorded(recording.file, 'meter-2: PUBACK')
    recording.terminal.interrupt()
    await recording.ended
    const seen = read(recording.file, ...namedOptions(recording))
    const messages = seen.map(({ message }) => message)
    expect(messages).toContain('of this one')
    expect(messages).not.toContain('of another one')
    const comments = new Set(seen.map(({ comment }) => comment.split(':')[0]))
    expect([...comments].sort()).toEqual(['meter-2', 'no session'])
    // in the middle of a session there is nothing to decrypt it with: it is read beside
    expect(seen.filter(({ from, decrypted }) => from === 'wire' && decrypted !== '')).toEqual([])
  })
})
