// A simulated modem on a real stream, in real time: behind TCP, or on a pseudo terminal where `socat` is there to make one.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import type { Readable, Writable } from 'node:stream'
import type { Air } from './air.ts'
import type { Uart } from './uart.ts'

/** A modem and the air around it. */
export interface SimulatedModem {
  readonly air: Air
  readonly uart: Uart
  write(octets: Uint8Array): void
}

/** A modem that runs. */
export interface RunningRadio {
  /** where a gateway finds it: `127.0.0.1:PORT`, or the path of a device */
  readonly place: string
  close(): Promise<void>
}

/** Lets the time of the air pass; returns how to end that. */
export function runAir(air: Air): () => void {
  let timer: NodeJS.Timeout | undefined
  const plan = (): void => {
    clearTimeout(timer)
    const { deadline } = air
    if (deadline === undefined) return
    timer = setTimeout(
      () => {
        air.advance()
        plan()
      },
      Math.max(0, deadline - air.now),
    )
  }
  air.onSooner = plan
  plan()
  return () => {
    clearTimeout(timer)
    air.onSooner = () => {}
  }
}

function join(modem: SimulatedModem, input: Readable, output: Writable): void {
  output.on('error', () => {}) // the gateway has gone: its next stream takes the place of this one
  input.on('error', () => {})
  input.on('data', (octets: Buffer) => modem.write(octets))
  modem.uart.toGateway = (octets) => void (output.writable && output.write(octets))
}

/** The modem behind a TCP port of this machine, any free one unless told otherwise; one gateway at a time. */
export async function serveRadio(modem: SimulatedModem, port = 0): Promise<RunningRadio> {
  const stop = runAir(modem.air)
  const sockets = new Set<Socket>()
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    join(modem, socket, socket)
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return {
    place: `127.0.0.1:${typeof address === 'object' ? address?.port : port}`,
    async close() {
      stop()
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** A modem that calls the gateway over TCP, as bridges with a network of their own do. */
export async function callGateway(modem: SimulatedModem, port: number): Promise<RunningRadio> {
  const stop = runAir(modem.air)
  const socket = connect({ host: '127.0.0.1', port, noDelay: true })
  await once(socket, 'connect')
  join(modem, socket, socket)
  return {
    place: `127.0.0.1:${port}`,
    async close() {
      stop()
      socket.destroy()
    },
  }
}

/** The modem on a pseudo terminal at this path; undefined where there is no `socat`. */
export async function serveRadioOnPty(
  modem: SimulatedModem,
  path: string,
): Promise<RunningRadio | undefined> {
  const socat = await startSocat(path)
  if (socat?.stdin === undefined || socat.stdin === null || socat.stdout === null) return undefined
  const stop = runAir(modem.air)
  join(modem, socat.stdout, socat.stdin)
  return {
    place: path,
    async close() {
      stop()
      const ended = once(socat, 'exit')
      if (!socat.kill()) return
      await ended
    },
  }
}

/** Resolves when the device is there. */
async function startSocat(path: string): Promise<ChildProcess | undefined> {
  const args = ['-d', '-d', `pty,raw,echo=0,link=${path}`, 'stdio']
  const socat = spawn('socat', args, { stdio: ['pipe', 'pipe', 'pipe'] })
  return new Promise((resolve) => {
    socat.once('error', () => resolve(undefined))
    socat.once('exit', () => resolve(undefined))
    let said = ''
    socat.stderr.on('data', (text: Buffer) => {
      said = `${said}${text}`.slice(-4096)
      if (said.includes('starting data transfer loop')) resolve(socat)
    })
  })
}
