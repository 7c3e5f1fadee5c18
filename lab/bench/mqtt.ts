// The load's side at the broker: an MQTT 3.1.1 connection by hand, for publishing in batches and for counting what arrives.

import { once } from 'node:events'
import { createConnection, type Socket } from 'node:net'
import { type Endpoint, PAYLOAD } from './sensors.ts'

/** Clean session, no keep-alive. Rejects if the broker refuses. */
export async function openMqtt({ host, port }: Endpoint, clientId: string): Promise<Socket> {
  const stream = createConnection(port, host)
  stream.setNoDelay(true)
  await once(stream, 'connect')
  const body = Buffer.concat([text('MQTT'), Buffer.from([4, 2, 0, 0]), text(clientId)])
  stream.write(Buffer.concat([Buffer.from([0x10, body.length]), body]))
  const [connack] = await once(stream, 'data')
  if (connack[3] !== 0) throw new Error(`the broker refuses: ${connack[3]}`)
  stream.on('error', () => {}) // the broker is gone: nothing arrives any more, and that is what is counted
  return stream
}

/** Subscribes at QoS 0 and calls back with every payload. */
export async function openWitness(
  broker: Endpoint,
  filter: string,
  onPayload: (payload: Buffer) => void,
): Promise<Socket> {
  const stream = await openMqtt(broker, `witness-${process.pid}-${Math.random().toString(36).slice(2, 8)}`)
  const body = Buffer.concat([Buffer.from([0, 1]), text(filter), Buffer.from([0])])
  const subscribed = new Promise<void>((resolve) => readPackets(stream, onPayload, resolve))
  stream.write(Buffer.concat([Buffer.from([0x82, body.length]), body]))
  await subscribed
  return stream
}

/** PUBLISH of an empty payload of the usual size; at QoS 1 the packet identifier stands right before the payload. */
export function publication(topic: string, qos: 0 | 1): Buffer {
  const body = Buffer.concat([text(topic), Buffer.alloc(qos === 0 ? 0 : 2), Buffer.alloc(PAYLOAD)])
  return Buffer.concat([Buffer.from([qos === 0 ? 0x30 : 0x32, body.length]), body])
}

function text(value: string): Buffer {
  const octets = Buffer.from(value)
  return Buffer.concat([Buffer.from([octets.length >> 8, octets.length & 255]), octets])
}

/** Calls back with the payload of every PUBLISH of QoS 0, and for SUBACK; all packets here are shorter than 128 octets. */
function readPackets(stream: Socket, onPayload: (payload: Buffer) => void, onSuback: () => void): void {
  let rest: Buffer = Buffer.alloc(0)
  stream.on('data', (chunk: Buffer) => {
    const all = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    let at = 0
    while (at + 2 <= all.length) {
      const end = at + 2 + (all[at + 1] ?? 0)
      if (end > all.length) break
      const kind = (all[at] ?? 0) & 0xf0
      if (kind === 0x30) onPayload(all.subarray(end - PAYLOAD, end))
      else if (kind === 0x90) onSuback()
      at = end
    }
    rest = all.subarray(at)
  })
}
