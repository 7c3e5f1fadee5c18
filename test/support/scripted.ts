// A small MQTT broker that does what a test tells it: real TCP, for behaviour that no real broker can be made to show.

import { createServer, type Socket } from 'node:net'
import { generate, type Packet, parser } from 'mqtt-packet'
import { listen } from './broker.ts'

/** One connection to the scripted broker. */
export interface ScriptedPeer {
  readonly socket: Socket
  /** of its CONNECT; '' before */
  readonly clientId: string
  readonly version: 4 | 5
  /** everything it sent, in order */
  readonly packets: Packet[]
  send(packet: Packet): void
  sendBytes(...bytes: number[]): void
  /** Cuts the connection. */
  cut(): void
  /** Leaves this side of the connection open when the other has ended. */
  hold(): void
}

/** Sees each packet before the broker answers it; `true` = handled, no answer by default. */
export type Script = (peer: ScriptedPeer, packet: Packet) => boolean | undefined

/** The running broker. `script` may be exchanged at any time. */
export interface ScriptedBroker {
  readonly url: string
  readonly port: number
  /** all connections, the oldest first, also ended ones */
  readonly peers: ScriptedPeer[]
  script: Script
  /** Resolves with the peer and packet when one that fits arrives, or has arrived already. */
  saw(fits: (packet: Packet, peer: ScriptedPeer) => boolean): Promise<{ packet: Packet; peer: ScriptedPeer }>
  close(): Promise<void>
}

/** Starts it on a free port (or the given one) of 127.0.0.1. Without a script every request is accepted; nothing is routed. */
export async function startScriptedBroker(
  script: Script = () => undefined,
  port = 0,
): Promise<ScriptedBroker> {
  const peers: ScriptedPeer[] = []
  const watchers = new Set<(packet: Packet, peer: ScriptedPeer) => void>()
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const settings: { protocolVersion: 4 | 5 } = { protocolVersion: 4 }
    let clientId = ''
    let held = false
    const packets: Packet[] = []
    const peer: ScriptedPeer = {
      socket,
      packets,
      get clientId() {
        return clientId
      },
      get version() {
        return settings.protocolVersion
      },
      send: (packet) => socket.write(generate(packet, settings)),
      sendBytes: (...bytes) => socket.write(Buffer.from(bytes)),
      cut: () => socket.destroy(),
      hold: () => {
        held = true
      },
    }
    peers.push(peer)
    const parse = parser(settings)
    parse.on('packet', (packet) => {
      if (packet.cmd === 'connect') {
        clientId = packet.clientId
        settings.protocolVersion = packet.protocolVersion === 5 ? 5 : 4
      }
      packets.push(packet)
      if (broker.script(peer, packet) !== true) answer(peer, packet)
      for (const watcher of [...watchers]) watcher(packet, peer)
    })
    parse.on('error', () => socket.destroy())
    socket.on('data', (chunk: Buffer) => parse.parse(chunk))
    socket.on('end', () => {
      if (!held) socket.end()
    })
    socket.on('error', () => undefined)
  })
  const listening = await listen(server, port)
  const broker: ScriptedBroker = {
    url: `mqtt://127.0.0.1:${listening}`,
    port: listening,
    peers,
    script,
    saw: (fits) =>
      new Promise((resolve) => {
        for (const peer of peers) {
          const packet = peer.packets.find((each) => fits(each, peer))
          if (packet !== undefined) return resolve({ packet, peer })
        }
        const watcher = (packet: Packet, peer: ScriptedPeer): void => {
          if (!fits(packet, peer)) return
          watchers.delete(watcher)
          resolve({ packet, peer })
        }
        watchers.add(watcher)
      }),
    close: async () => {
      for (const peer of peers) peer.socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return broker
}

function answer(peer: ScriptedPeer, packet: Packet): void {
  const { messageId } = packet
  const reasonCode = 0
  if (packet.cmd === 'connect') {
    peer.send({ cmd: 'connack', sessionPresent: false, returnCode: 0, reasonCode })
  } else if (packet.cmd === 'pingreq') {
    peer.send({ cmd: 'pingresp' })
  } else if (packet.cmd === 'disconnect') {
    peer.socket.end()
  } else if (messageId !== undefined) {
    if (packet.cmd === 'publish' && packet.qos === 1) peer.send({ cmd: 'puback', messageId, reasonCode })
    if (packet.cmd === 'publish' && packet.qos === 2) peer.send({ cmd: 'pubrec', messageId, reasonCode })
    if (packet.cmd === 'pubrec') peer.send({ cmd: 'pubrel', messageId, reasonCode })
    if (packet.cmd === 'pubrel') peer.send({ cmd: 'pubcomp', messageId, reasonCode })
    if (packet.cmd === 'subscribe') {
      peer.send({ cmd: 'suback', messageId, granted: packet.subscriptions.map((each) => each.qos) })
    }
    if (packet.cmd === 'unsubscribe') {
      peer.send({ cmd: 'unsuback', messageId, granted: packet.unsubscriptions.map(() => 0) })
    }
  }
}
