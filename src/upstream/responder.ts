// A broker that answers every packet and remembers nothing: for the rehearsal of a gateway, on this machine only.

import { type AddressInfo, createServer, type Socket } from 'node:net'
import { generate, type IPacket, type Packet, parser } from 'mqtt-packet'

/** A running responder. */
export interface Responder {
  /** `mqtt://127.0.0.1:` and the port */
  readonly url: string
  /** Cuts all connections and frees the port. */
  close(): Promise<void>
}

/** Starts it on a free port of 127.0.0.1. What is published on a connection that has subscribed comes back on it. */
export async function startResponder(): Promise<Responder> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket.setNoDelay(true))
    socket.on('error', () => socket.destroy()).on('close', () => sockets.delete(socket))
    serve(socket)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  return {
    url: `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function serve(socket: Socket): void {
  let protocolVersion = 4
  let isSubscribed = false
  let echoes = 0
  const incoming = parser()
  const send = (packet: Packet): void => {
    socket.write(generate(packet, { protocolVersion }))
  }
  const echo = (topic: string, payload: string | Buffer, qos: 0 | 1 | 2): void => {
    echoes = (echoes % 0xffff) + 1
    send({ cmd: 'publish', topic, payload, qos, retain: false, dup: false, messageId: echoes })
  }
  incoming.on('error', () => socket.destroy())
  incoming.on('packet', (packet: Packet & IPacket) => {
    const messageId = packet.messageId ?? 0
    switch (packet.cmd) {
      case 'connect':
        protocolVersion = packet.protocolVersion ?? 4
        return send({ cmd: 'connack', sessionPresent: false, returnCode: 0, reasonCode: 0 })
      case 'subscribe':
        isSubscribed = true
        return send({ cmd: 'suback', messageId, granted: packet.subscriptions.map(({ qos }) => qos) })
      case 'unsubscribe':
        return send({ cmd: 'unsuback', messageId, granted: packet.unsubscriptions.map(() => 0) })
      case 'publish':
        if (packet.qos > 0) send({ cmd: packet.qos === 1 ? 'puback' : 'pubrec', messageId } as const)
        return isSubscribed ? echo(packet.topic, packet.payload, packet.qos) : undefined
      case 'pubrec':
        return send({ cmd: 'pubrel', messageId })
      case 'pubrel':
        return send({ cmd: 'pubcomp', messageId })
      case 'pingreq':
        return send({ cmd: 'pingresp' })
    }
  })
  socket.on('data', (chunk) => incoming.parse(chunk))
}
