// `mqttsn discover` over real UDP on the loopback interface.

import { expect, it } from 'vitest'
import { discoverCommand } from '../../src/cli/discover.ts'
import { acceptingGateway, FakeTerminal, UdpPeer } from '../support/sensor.ts'

function discover(terminal: FakeTerminal, ...args: string[]): Promise<number | undefined> {
  return terminal.run(discoverCommand(terminal), ...args)
}

it('prints the gateways that answer', async () => {
  const gateway = await UdpPeer.open()
  gateway.script = acceptingGateway()
  const place = gateway.url.slice('udp://'.length)
  const text = new FakeTerminal()
  expect(await discover(text, '--unicast', place, '--timeout', '100ms')).toBe(0)
  expect(text.lines).toEqual([`gateway 1 at ${gateway.url} (gwinfo)`])
  const json = new FakeTerminal()
  expect(await discover(json, '--unicast', place, '--timeout', '100ms', '--json')).toBe(0)
  expect(JSON.parse(json.lines[0] ?? '')).toMatchObject({ gwId: 1, url: gateway.url, via: 'gwinfo' })
  await gateway.close()
})

it('asks one host by -h and -p, as the other commands do', async () => {
  const gateway = await UdpPeer.open()
  gateway.script = acceptingGateway()
  const terminal = new FakeTerminal()
  expect(await discover(terminal, '-h', '127.0.0.1', '-p', `${gateway.port}`, '--timeout', '100ms')).toBe(0)
  expect(terminal.lines).toEqual([`gateway 1 at ${gateway.url} (gwinfo)`])
  await gateway.close()
})

it('asks a group whose port a gateway on this machine has', async () => {
  const gateway = await UdpPeer.open('0.0.0.0')
  gateway.script = acceptingGateway()
  const terminal = new FakeTerminal()
  // the broadcast address of the loopback network
  const group = ['--group', '127.255.255.255', '-p', `${gateway.port}`, '--timeout', '200ms']
  expect([await discover(terminal, ...group), terminal.errors]).toEqual([0, []])
  expect(terminal.lines).toEqual([`gateway 1 at udp://127.0.0.1:${gateway.port} (gwinfo)`])
  await gateway.close()
})

it('ends with 3 when none answers, and with 2 on wrong usage', async () => {
  const silent = await UdpPeer.open()
  const place = silent.url.slice('udp://'.length)
  const terminal = new FakeTerminal()
  expect(await discover(terminal, '--unicast', place, '--timeout', '50ms')).toBe(3)
  expect(terminal.errors).toEqual(['no gateway answered'])
  expect(await discover(new FakeTerminal(), '--unicast', 'nowhere.invalid')).toBe(3)
  for (const args of [
    ['--unicast', 'mqtt://nowhere'],
    ['-h', 'no where'],
    ['-h', 'a', '--unicast', 'b'],
    ['-p', '0'],
  ])
    expect(await discover(new FakeTerminal(), ...args), args.join(' ')).toBe(2)
  expect(await discover(new FakeTerminal(), '--group', 'everybody')).toBe(2)
  await silent.close()
})
