// The broker inside the gateway, for trials: Aedes with MQTT 3.1.1. It listens on this machine only and keeps nothing on disk.

import { type AddressInfo, createServer, type Socket } from 'node:net'

/** A running embedded broker. */
export interface EmbeddedBroker {
  /** `mqtt://127.0.0.1:` and the port */
  readonly url: string
  /** Cuts all connections and frees the port. */
  close(): Promise<void>
}

/** Starts it on 127.0.0.1; `port` 0 takes a free one. Rejects if the port is taken. */
export async function startEmbeddedBroker(port = 0): Promise<EmbeddedBroker> {
  // loaded here, since most gateways have a broker of their own
  const { Aedes } = await import('aedes')
  const broker = await Aedes.createBroker()
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket.setNoDelay(true))
    socket.on('close', () => sockets.delete(socket))
    broker.handle(socket)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  }).catch(async (error: unknown) => {
    await new Promise<void>((resolve) => broker.close(() => resolve()))
    throw error
  })
  return {
    url: `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise<void>((resolve) => broker.close(() => resolve()))
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
