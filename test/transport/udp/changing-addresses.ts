// Runs in a network namespace of its own: adds and removes addresses under a listener on all of them, and tells what a connected
// sensor hears at each.

import { execFileSync } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { openUdp } from '../../../src/transport/udp/udp.ts'

const ip = (...args: string[]) => execFileSync('ip', args)

/** The address that answers a sensor elsewhere on this machine, which the system would answer from its own address. */
async function ask(address: string, port: number): Promise<string | undefined> {
  const six = address.includes(':')
  const socket = createSocket(six ? 'udp6' : 'udp4')
  let from: string | undefined
  socket.on('message', (_, remote) => {
    from = remote.address
  })
  try {
    socket.bind(0, six ? '::1' : '127.0.0.1')
    await once(socket, 'listening')
    socket.connect(port, address)
    await once(socket, 'connect')
    socket.on('error', () => {})
    socket.send(Uint8Array.of(2, 0x16))
    await new Promise((done) => setTimeout(done, 100))
    return from
  } catch {
    return undefined // there is no way to it
  } finally {
    socket.close()
  }
}

/** Asks until the answer is there, or five seconds have passed: the listener looks for new addresses now and then. */
async function tell(when: string, address: string): Promise<void> {
  let from: string | undefined
  for (let tries = 0; tries < 50 && from === undefined; tries += 1) from = await ask(address, port)
  process.stdout.write(`${when}: ${address} ${from === undefined ? 'is silent' : `answers as ${from}`}\n`)
}

ip('link', 'set', 'lo', 'up')
ip('addr', 'add', '10.9.0.1/32', 'dev', 'lo')
const transport = await openUdp(
  { url: 'udp://[::]:0', bothFamilies: true, receiveBuffer: 65_536 },
  (bytes, remote) => transport.send(bytes, remote),
)
const port = Number(/\d+$/.exec(transport.url)?.[0])
await tell('before', '10.9.0.1')
ip('addr', 'add', '10.9.0.2/32', 'dev', 'lo')
await tell('added', '10.9.0.2')
ip('addr', 'add', 'fd09::2/128', 'dev', 'lo')
await tell('added', 'fd09::2')
await tell('before', '10.9.0.1')
ip('addr', 'del', '10.9.0.2/32', 'dev', 'lo')
await new Promise((done) => setTimeout(done, 2500))
process.stdout.write(`removed: 10.9.0.2 ${(await ask('10.9.0.2', port)) ?? 'is silent'}\n`)
ip('addr', 'add', '10.9.0.2/32', 'dev', 'lo')
await tell('again', '10.9.0.2')
await transport.close()
