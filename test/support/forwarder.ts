// A forwarder for tests: several nodes behind one UDP address, each with a transport for its Sensor [5.5].

import type { SensorTransport } from '../../src/sensor/sensor.ts'
import { openUdp } from '../../src/sensor/udp.ts'

/** Opens one socket to the gateway and a transport for each node; a Sensor passes over what is for another node. */
export async function openForwarder(
  url: string,
  nodes: number,
): Promise<{ transports: SensorTransport[]; close(): void }> {
  const shared = await openUdp(url)
  const transports = Array.from(
    { length: nodes },
    (): SensorTransport => ({
      send: (bytes) => shared.send(bytes),
      onReceive: () => {},
      onError: () => {},
      close: () => {},
    }),
  )
  shared.onReceive = (bytes) => {
    for (const transport of transports) transport.onReceive(bytes)
  }
  return { transports, close: () => shared.close() }
}
