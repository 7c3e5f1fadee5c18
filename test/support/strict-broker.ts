// A broker as strict as a cloud's: it hangs up on whatever its rules do not permit, and records what happened.

import { createServer, type Socket } from 'node:net'
import { type Broker, listen } from './broker.ts'
import { StrictConnection, type StrictEvent, StrictState } from './strict-connection.ts'
import { type StrictRules, strictDefaults } from './strict-rules.ts'

export interface StrictOptions extends Partial<StrictRules> {
  /** MQTT 5, too: its clients are told the reason. Without it their CONNECT is refused with 0x84 or 1. */
  readonly mqtt5?: boolean
  /** MQTT 5: CONNACK tells Maximum QoS, Retain Available and Maximum Packet Size; true by default */
  readonly tellsLimits?: boolean
}

export interface StrictBroker extends Broker {
  readonly events: readonly StrictEvent[]
  /** The events of one type, of one client if it is given. */
  of<T extends StrictEvent['type']>(type: T, clientId?: string): Extract<StrictEvent, { type: T }>[]
  /** may be exchanged at any time */
  rules: StrictRules
}

/** Starts it on a free port of 127.0.0.1. It carries QoS 0 and 1, retained messages, wills and sessions. */
export async function startStrictBroker(options: StrictOptions = {}): Promise<StrictBroker> {
  const { mqtt5 = false, tellsLimits = true, ...rules } = options
  const state = new StrictState({ ...strictDefaults, ...rules }, mqtt5, tellsLimits)
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    new StrictConnection(state, socket)
  })
  const port = await listen(server)
  return {
    url: `mqtt://127.0.0.1:${port}`,
    port,
    events: state.events,
    get rules() {
      return state.rules
    },
    set rules(changed) {
      state.rules = changed
    },
    of: <T extends StrictEvent['type']>(type: T, clientId?: string) =>
      state.events.filter(
        (event): event is Extract<StrictEvent, { type: T }> =>
          event.type === type && (clientId === undefined || event.clientId === clientId),
      ),
    close: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
