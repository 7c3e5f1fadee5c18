// Node's sockets and terminals as streams of a line.

import type { Socket } from 'node:net'
import type { ByteStream, StreamListener } from './stream.ts'

/** `release` is called once, when it has ended for whatever reason. */
export function streamOf(
  socket: Socket,
  listener: StreamListener,
  release: () => void = () => {},
): ByteStream {
  let open = true
  const end = (why: string): void => {
    if (!open) return
    open = false
    socket.destroy()
    release()
    listener.onEnd(why)
  }
  const taken = (error?: Error | null): void => {
    if (open && !error) listener.onTaken()
  }
  socket.on('data', (bytes) => {
    if (open) listener.onOctets(bytes)
  })
  socket.on('end', () => end('the other side has gone'))
  socket.on('close', () => end('it was closed'))
  socket.on('error', (error) => end(error.message))
  return {
    write(bytes) {
      if (open) socket.write(bytes, taken)
    },
    get waiting() {
      return socket.writableLength
    },
    close() {
      if (!open) return
      open = false
      socket.destroy()
      release()
    },
  }
}
