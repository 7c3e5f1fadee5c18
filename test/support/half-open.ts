// A TCP connection whose other side falls silent without a word, in a network of this process alone: its one interface is taken
// away. Says what becomes of the connection; run by `half-open.test.ts`.

import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { watchHalfOpen } from '../../src/transport/stream/half-open.ts'

const lo = (state: 'up' | 'down') => execFileSync('ip', ['link', 'set', 'lo', state])

lo('up')
const server = createServer((socket) => socket.resume().on('error', () => {})).listen(0, '127.0.0.1')
await once(server, 'listening')
const address = server.address()
const socket = connect(typeof address === 'object' ? (address?.port ?? 0) : 0, '127.0.0.1')
await once(socket, 'connect')
watchHalfOpen(socket, { every: 100, most: 500 })
socket.write('heard')
await new Promise((resolve) => setTimeout(resolve, 800))
console.log(socket.destroyed ? 'ended too early' : 'as long as all is acknowledged: open')
lo('down')
socket.write('not heard')
const [error] = (await once(socket, 'error')) as [Error]
console.log(error.message)
process.exit(0)
