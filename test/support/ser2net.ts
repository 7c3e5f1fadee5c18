// A real device server: ser2net, with one port behind it that is a pseudo terminal.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const PATH = `${process.env['PATH'] ?? ''}:/usr/sbin`

/** Whether ser2net is here; tests that need it are skipped by name without. */
export const hasSer2net = ((): boolean => {
  try {
    execFileSync('ser2net', ['-v'], { stdio: 'ignore', env: { ...process.env, PATH } })
    return true
  } catch {
    return false
  }
})()

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' ? (address?.port ?? 0) : 0
}

/** ser2net with this device behind a port, which `accepter` says how to speak to; `settings`, such as `115200n81`. */
export async function startSer2net(
  device: string,
  accepter: 'tcp' | 'telnet' | 'telnet(rfc2217)',
  settings = '9600n81',
) {
  const folder = mkdtempSync(join(tmpdir(), 'mqttsn-ser2net-'))
  const port = await freePort()
  const stack = accepter === 'tcp' ? 'tcp' : `${accepter},tcp`
  const lines = [
    '%YAML 1.1',
    '---',
    'connection: &one',
    `  accepter: ${stack},127.0.0.1,${port}`,
    '  enable: on',
    '  options:',
    '    kickolduser: true',
    `  connector: serialdev,${device},${settings},local`,
  ]
  const path = join(folder, 'ser2net.yaml')
  writeFileSync(path, `${lines.join('\n')}\n`)
  const child: ChildProcess = spawn('ser2net', ['-n', '-d', '-c', path], {
    stdio: 'ignore',
    env: { ...process.env, PATH },
  })
  const isThere = () =>
    new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1')
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
      socket.once('connect', () => socket.destroy())
    })
  for (let left = 200; !(await isThere()); left--) {
    if (left === 0) throw new Error('ser2net does not listen within 10 s')
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return {
    port,
    async close(): Promise<void> {
      const ended = once(child, 'exit')
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGKILL')
        await ended
      }
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
