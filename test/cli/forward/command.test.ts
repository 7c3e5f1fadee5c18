// The command `forward` as a process of its own: how it starts, stops and checks, and what it serves.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { directoryWith } from '../../config/files.ts'
import { KEYS, keyOf } from '../../support/dtls-scene.ts'
import { TestGateway, TestSensor, until } from '../../support/gateway.ts'
import { hasSocat, PtyPair } from '../../support/ptys.ts'
import { UdpPeer } from '../../support/sensor.ts'
import { PROGRAM, run } from '../compiled.ts'

let test: TestGateway
beforeAll(async () => {
  test = await TestGateway.start('embedded', {
    gateway: { id: 7 },
    listeners: [
      { url: 'udp://127.0.0.1:0', forwarders: ['127.0.0.1'] },
      { url: 'udp://127.0.0.1:0', name: 'strict' },
      { url: 'dtls://127.0.0.1:0', dtls: { psk: { keys: KEYS }, forwarders: ['fw-*'] } },
    ],
  })
})
afterAll(() => test.stop())

const from = ['--from', 'udp://127.0.0.1:0']
const check = (...args: string[]) => run(['forward', ...from, '--keepalive', '1s', '--check', ...args])

/** A forwarder that has started. */
async function started(...args: string[]) {
  const child = spawn(process.execPath, [PROGRAM, 'forward', '--log-format', 'json', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = once(child, 'exit')
  onTestFinished(() => void child.kill('SIGKILL'))
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk))
  const lines = (): Record<string, string>[] =>
    output
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line))
  const said = async (msg: string): Promise<Record<string, string>> => {
    await until(() => lines().some((line) => line['msg'] === msg), 20_000)
    return lines().find((line) => line['msg'] === msg) ?? {}
  }
  await said('forwarder started')
  return { child, ended, lines, said }
}

/** From the line that says so to the last one. */
const secondsOfStopping = (lines: readonly Record<string, string>[]): number => {
  const at = (msg: string) => Date.parse(lines.find((line) => line['msg'] === msg)?.['time'] ?? '')
  return (at('forwarder stopped') - at('stopping')) / 1000
}

describe('forward --check', () => {
  it('ends with 0 where the gateway takes what nodes say, in the clear and with a key [LINK-FW-6]', async () => {
    const plain = await check('--to', test.url())
    expect(plain).toMatchObject({
      status: 0,
      stdout: `gateway 7 at ${test.url()} serves, and takes what nodes of this forwarder say\n`,
    })
    const secure = await check('--to', test.url(2), '--psk', `fw-1:${keyOf(100)}`)
    expect([secure.status, secure.stderr]).toEqual([0, 'the command line: valid\n'])
  })

  it('ends with 1 where it does not, and says what to change [LINK-FW-6]', async () => {
    const strict = await check('--to', test.url(1))
    expect(strict.status).toBe(1)
    expect(strict.stderr).toMatch(/answers, and takes nothing from nodes .*listeners\[\]\.forwarders/)
    const other = await check('--to', test.url(2), '--psk', `meter-1:${keyOf(1)}`)
    expect(other.status).toBe(1)
    expect(other.stderr).toMatch(/the identity of this forwarder, "meter-1", in "dtls\.forwarders"/)
  })

  it('ends with 4 where no gateway answers [LINK-FW-6]', async () => {
    const free = await UdpPeer.open()
    await free.close()
    const nobody = await check('--to', free.url)
    expect([nobody.status, nobody.stderr]).toEqual([
      4,
      expect.stringContaining(`no gateway answers at ${free.url}`),
    ])
    const noName = await check('--to', 'udp://nowhere.invalid:1884')
    expect([noName.status, noName.stderr]).toEqual([
      4,
      expect.stringContaining('cannot find the address of nowhere.invalid'),
    ])
  })

  it('ends with 1 for what cannot be used, and with 2 for wrong words, and tells no key', async () => {
    const wrong = await check('--to', test.url(2), '--psk', `fw-1:${keyOf(100)}00zz`)
    expect([wrong.status, wrong.stderr]).toEqual([
      1,
      expect.stringContaining('to.psk (command line): found a value that is not shown'),
    ])
    expect(wrong.stderr).not.toContain(keyOf(100))
    expect((await run(['forward', '--from', 'udp://127.0.0.1:0'])).status).toBe(2)
    expect((await run(['forward', ...from, '--to', 'gw', '--node', '01', '--node', '02'])).status).toBe(2)
    expect((await run(['forward', ...from, '--to', 'gw', '--nonsense'])).status).toBe(2)
  })

  it('takes the key from a reference, a variable or a file', async () => {
    const folder = directoryWith({ 'psk.txt': `fw-1:${keyOf(100)}\n` })
    const to = ['forward', ...from, '--check', '--to', test.url(2)]
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the reference is what is tested
    expect((await run([...to, '--psk', 'fw-1:${env:KEY}'], { env: { KEY: keyOf(100) } })).status).toBe(0)
    expect((await run(to, { env: { MQTTSN_PSK: `fw-1:${keyOf(100)}` } })).status).toBe(0)
    expect((await run([...to, '--psk-file', 'psk.txt'], { cwd: folder })).status).toBe(0)
    const document = { from: ['udp://127.0.0.1:0'], to: { url: test.url(2), pskFile: 'psk.txt' } }
    const file = join(
      directoryWith({ 'forward.json': document, 'psk.txt': `fw-1:${keyOf(100)}\n` }),
      'forward.json',
    )
    expect((await run(['forward', '-c', file, '--check'])).status).toBe(0)
  })
})

describe('forward', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)(
    'ends within a second of %s, with a node that is served [LINK-FW-3]',
    async (signal) => {
      const { child, ended, lines, said } = await started(...from, '--to', test.url())
      const { url } = await said('nodes are heard')
      const node = new TestSensor({ gateway: url ?? '', tRetry: 1000 })
      onTestFinished(() => node.close())
      await node.connect()
      child.kill(signal)
      expect((await ended)[0]).toBe(0)
      expect(secondsOfStopping(lines())).toBeLessThan(1)
      expect(lines().at(-1)).toMatchObject({ msg: 'forwarder stopped', received: 1, sent: 1, dropped: {} })
    },
  )

  it.skipIf(!hasSocat)(
    'ends within a second of SIGTERM while a line has much to send (socat) [LINK-FW-3]',
    async () => {
      const ptys = await PtyPair.open()
      onTestFinished(() => ptys.close())
      const gateway = await UdpPeer.open()
      onTestFinished(() => gateway.close())
      const slow = `serial://${ptys.near}?framing=slip&baud=300`
      const { child, ended, lines } = await started('--from', slow, '--to', gateway.url)
      await gateway.next('searchgw')
      for (let i = 0; i < 20; i++)
        gateway.send(
          {
            type: 'publish',
            dup: false,
            qos: 1,
            retain: false,
            topicIdType: 'short',
            topicId: 1,
            msgId: 1,
            data: Buffer.alloc(60),
          },
          Uint8Array.of(1),
        )
      child.kill('SIGTERM')
      expect((await ended)[0]).toBe(0)
      expect(secondsOfStopping(lines())).toBeLessThan(1)
    },
  )

  it('ends within a second of SIGTERM while no gateway is to be found [LINK-FW-3]', async () => {
    const secure = ['--to', 'dtls://127.0.0.1:9', '--psk', `fw-1:${keyOf(100)}`]
    for (const to of [secure, ['--to', 'udp://nowhere.invalid:1884']]) {
      const { child, ended } = await started(...from, ...to)
      const begun = performance.now()
      child.kill('SIGTERM')
      expect((await ended)[0]).toBe(0)
      // a busy machine takes its time; what must not be waited for here takes ten seconds and more
      expect(performance.now() - begun).toBeLessThan(5000)
    }
  })

  it('serves metrics in the names of the gateway, and says whether it is ready', async () => {
    const { said } = await started(...from, '--to', test.url(), '--metrics', '127.0.0.1:0')
    const { metrics: url = '' } = await said('forwarder started')
    await said('the gateway serves')
    const { url: nodes = '' } = await said('nodes are heard')
    const node = new TestSensor({ gateway: nodes, tRetry: 1000 })
    onTestFinished(() => node.close())
    await node.connect()
    const text = await (await fetch(`${url}/metrics`)).text()
    for (const line of [
      'mqttsn_build_info{version="',
      'mqttsn_forwarder_gateway_up 1',
      'mqttsn_forwarder_nodes 1',
      'mqttsn_forwarder_messages_total{direction="received"} 1',
      'mqttsn_listener_send_errors_total{listener="udp://127.0.0.1:0"} 0',
      'process_cpu_seconds_total',
    ])
      expect(text).toContain(line)
    const ready = await fetch(`${url}/health/ready`)
    expect([ready.status, await ready.json()]).toEqual([200, { ready: true, reasons: [] }])
    expect((await run(['health', '--url', url])).status).toBe(0)
    expect((await run(['health', '--live', '--url', url])).status).toBe(0)
    expect((await fetch(`${url}/elsewhere`)).status).toBe(404)
    expect((await fetch(`${url}/metrics`, { method: 'POST' })).status).toBe(405)
  })

  it('is alive and not ready without a gateway', async () => {
    const free = await UdpPeer.open()
    await free.close()
    const { said } = await started(...from, '--to', free.url, '--metrics', '127.0.0.1:0')
    const { metrics: url = '' } = await said('forwarder started')
    expect((await run(['health', '--live', '--url', url])).status).toBe(0)
    const ready = await fetch(`${url}/health/ready`)
    expect([ready.status, await ready.json()]).toEqual([
      503,
      { ready: false, reasons: ['the gateway is unknown'] },
    ])
  })

  it('does not start where a port is taken, or an address for metrics, and says which', async () => {
    const taken = await UdpPeer.open()
    onTestFinished(() => taken.close())
    const port = await run(['forward', '--from', taken.url, '--to', test.url()])
    expect([port.status, port.stderr]).toEqual([
      1,
      expect.stringMatching(/^cannot start: cannot listen on udp:.*another program uses this port/),
    ])
    const metrics = await run([
      'forward',
      ...from,
      '--to',
      test.url(),
      '--metrics',
      'http://203.0.113.1:9100',
    ])
    expect([metrics.status, metrics.stderr]).toEqual([
      1,
      expect.stringMatching(/^cannot start: metrics: cannot listen .* --metrics/),
    ])
  })
})
