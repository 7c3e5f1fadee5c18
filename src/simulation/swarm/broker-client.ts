// The swarm's own connection to the broker: sends messages for the sensors, and sees what comes from them.

import type { IClientOptions } from 'mqtt'

/** The swarm's client of the broker. */
export interface BrokerClient {
  /** how many messages may be unacknowledged at once; 0 while the broker is away */
  readonly window: number
  /** QoS 2 messages left out because the broker itself sent them again, after it had released them */
  readonly repeated: number
  /** Resolves when the broker has taken the message over, rejects if it refused to. */
  publish(topic: string, payload: string, qos: 1 | 2): Promise<void>
  /** Calls back for each message whose topic fits `filter`. */
  listen(filter: string, onMessage: (topic: string, payload: string) => void): Promise<void>
  /** Ends the connection and its session. */
  close(): Promise<void>
}

/**
 * Mosquitto's limit for one client. Above it, with unfinished QoS 2 messages, Mosquitto 2.0.11 drops a QoS 1 message with
 * reason 0x97, which a PUBACK of MQTT 3.1.1 cannot carry: the message looks acknowledged, and is gone.
 */
const WINDOW = 20
/** Seconds that the session outlives a swarm that was killed. */
const EXPIRY = 3600

/**
 * Connects as `clientId`, in a session that outlives lost connections: the books must not miss anything. Speaks MQTT 5,
 * because only there a refused message can be told from an accepted one, and 3.1.1 where the broker knows no better.
 * Rejects if the broker cannot be reached; `note` gets what goes wrong later.
 */
export async function openBrokerClient(
  url: string,
  clientId: string,
  note: (text: string) => void,
): Promise<BrokerClient> {
  const { connectAsync } = await import('mqtt')
  const lasting = { clientId, clean: false, reconnectPeriod: 500 }
  const five: IClientOptions = { protocolVersion: 5, properties: { sessionExpiryInterval: EXPIRY } }
  const client = await connectAsync(url, { ...lasting, ...five }).catch(() => connectAsync(url, lasting))
  const { protocolVersion = 4 } = client.options
  // Not `client.connected`: that is true while MQTT.js still sends again what the last connection left unfinished, and
  // what is published meanwhile is kept, then sent all at once.
  let window = roomAt(client.serverProperties?.receiveMaximum)
  let repeated = 0
  client.on('connect', (connack) => {
    window = roomAt(connack.properties?.receiveMaximum)
  })
  client.on('close', () => {
    window = 0
  })
  client.on('error', ({ message }) => note(message))

  /** by packet identifier: the last QoS 2 message that was released under it */
  const released = new Map<number, string>()
  /**
   * Mosquitto 2.0.11 now and then has more than its 20 QoS 2 messages in flight to one client. Those above 20 it restores
   * after a restart as if never sent: it repeats the PUBLISH, though PUBREL went out before, and the receiver, who had to
   * forget the identifier at PUBREL, cannot know it. The broker made that duplicate on its way to us, so it says nothing
   * about a gateway; it has DUP and the identifier of the first. A message that a gateway published twice has neither.
   */
  const isRepeated = (id: number, dup: boolean, message: string): boolean => {
    const again = dup && released.get(id) === message
    released.set(id, message)
    return again
  }

  return {
    get window() {
      return window
    },
    get repeated() {
      return repeated
    },
    async publish(topic, payload, qos) {
      await client.publishAsync(topic, payload, { qos })
    },
    async listen(filter, onMessage) {
      client.on('message', (topic, payload, { qos, dup, messageId = 0 }) => {
        if (qos === 2 && isRepeated(messageId, dup, `${topic} ${payload}`)) repeated += 1
        else onMessage(topic, payload.toString())
      })
      await client.subscribeAsync(filter, { qos: 2 })
    },
    async close() {
      await client.endAsync(true)
      const last = await connectAsync(url, { clientId, clean: true, protocolVersion })
      await last.endAsync()
    },
  }
}

const roomAt = (receiveMaximum = WINDOW): number => Math.min(WINDOW, receiveMaximum)
