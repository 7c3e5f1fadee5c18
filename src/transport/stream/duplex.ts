// Node's sockets, terminals and other duplex streams as streams of a line.

import type { Duplex } from 'node:stream'
import type { ByteStream, StreamListener } from './stream.ts'

/** `release` is called once, when it has ended for whatever reason; `destroy` ends it. */
export function streamOf(
  duplex: Duplex,
  listener: StreamListener,
  release: () => void = () => {},
  destroy: () => void = () => duplex.destroy(),
): ByteStream {
  let open = true
  const end = (why: string): void => {
    if (!open) return
    open = false
    destroy()
    release()
    listener.onEnd(why)
  }
  const taken = (error?: Error | null): void => {
    if (open && !error) listener.onTaken()
  }
  duplex.on('data', (bytes) => {
    if (open) listener.onOctets(bytes)
  })
  duplex.on('end', () => end('the other side has gone'))
  duplex.on('close', (error: unknown) => end(error instanceof Error ? error.message : 'it was closed'))
  duplex.on('error', (error) => end(error.message))
  return {
    write(bytes) {
      if (open) duplex.write(bytes, taken)
    },
    get waiting() {
      return duplex.writableLength
    },
    close() {
      if (!open) return
      open = false
      destroy()
      release()
    },
  }
}
