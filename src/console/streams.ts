// Responses that go on: how many there may be, and what happens to readers that do not keep up.

import type { FastifyReply } from 'fastify'

/** Bounds of the console; all have defaults. */
export interface Limits {
  /** responses that go on, at once */
  readonly streams: number
  /** octets that may wait for a slow reader before it is cut off */
  readonly backlog: number
  /** octets and milliseconds of one capture */
  readonly captureOctets: number
  readonly captureTime: number
  /** milliseconds that a request may take to arrive; its headers get half of them */
  readonly requestTime: number
  /** milliseconds between two summaries of the gateway */
  readonly summaryInterval: number
  /** TCP connections at once, and of one address */
  readonly connections: number
  readonly connectionsPerAddress: number
}

export const defaultLimits: Limits = {
  streams: 50,
  backlog: 1024 * 1024,
  captureOctets: 64 * 1024 * 1024,
  captureTime: 3_600_000,
  requestTime: 10_000,
  summaryInterval: 1000,
  connections: 250,
  connectionsPerAddress: 125,
}

/** One response that goes on. */
export interface Stream {
  /** Sends, or cuts the reader off if too much waits for it already; does nothing after the end. */
  write(chunk: string | Uint8Array): void
  /** Ends it in good order. */
  end(): void
}

export interface Streams {
  /**
   * Takes a reply over and begins a response of this type; undefined, with nothing sent, if there are too many already.
   * `onEnd` is called once, whoever ends it.
   */
  open(reply: FastifyReply, type: string, onEnd: () => void): Stream | undefined
  /** Ends all of them. */
  close(): void
}

export function createStreams({ streams: most, backlog }: Limits): Streams {
  const open = new Set<Stream>()
  return {
    open(reply, type, onEnd) {
      if (open.size >= most) return undefined
      reply.hijack()
      const { raw } = reply
      const { socket } = reply.request.raw
      raw.writeHead(200, { ...(reply.getHeaders() as Record<string, string>), 'content-type': type })
      raw.flushHeaders()
      const stream: Stream = {
        write(chunk) {
          if (raw.destroyed || raw.writableEnded) return
          raw.write(chunk)
          if (raw.writableLength > backlog) socket.destroy()
        },
        end: () => raw.end(),
      }
      open.add(stream)
      // Both: a response that waits behind another one on its connection never hears of the connection's end.
      const ended = () => {
        socket.off('close', ended)
        if (open.delete(stream)) onEnd()
      }
      raw.once('close', ended)
      socket.once('close', ended)
      // A reader that goes away while something is written to it is no error of ours.
      raw.on('error', () => socket.destroy())
      return stream
    },
    close() {
      for (const stream of open) stream.end()
    },
  }
}
