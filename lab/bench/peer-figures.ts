// Figures of Eclipse Paho's C++ gateway and of this one, measured in one run: same machine, same load, in turns.

/** One figure of both gateways. */
export interface PeerFigure {
  readonly what: string
  readonly peer: number
  readonly own: number
  /** which of two values is the better one */
  readonly better: 'more' | 'less'
}

/** One kind of load. */
export interface PeerRow {
  readonly load: string
  readonly figures: readonly PeerFigure[]
}

const rate = (peer: number, own: number): PeerFigure => ({ what: 'per second', peer, own, better: 'more' })
const less = (what: string, peer: number, own: number): PeerFigure => ({ what, peer, own, better: 'less' })
const cpu = (peer: number, own: number) => less('processor time each, µs', peer, own)
const p50 = (peer: number, own: number) => less('p50, ms', peer, own)
const p99 = (peer: number, own: number) => less('p99, ms', peer, own)
const repeated = (peer: number, own: number) => less('repeated', peer, own)

/** Under which conditions the figures were taken. */
export const peerConditions = `Measured on 2026-11-28 on 2 × AMD EPYC (virtual), 24 GiB, Linux 6.18, with Node.js 20.20.2 and Mosquitto 2.0.11; broker, gateway and
load share the two cores, and nothing else ran (load average below 1). Paho's MQTT-SN gateway is its master at 07a9512, built with \`-O2\`,
with \`MaxNumberOfClients=6000\` and its log switched off. This gateway is commit 89f7e3c: one thread, durable store (LMDB), console off.
The load is a generator in C that belongs to neither project: 32 octets per message, 5 s for each measurement, fresh processes, and what is
not answered within 2 s is repeated. The two gateways took turns, three times; the figures are medians.`

export const peerRows: readonly PeerRow[] = [
  {
    load: 'QoS 1, 1 sensor',
    figures: [rate(6839, 7139), cpu(82.8, 62.5), p50(0.144, 0.13), p99(0.257, 0.375)],
  },
  {
    load: 'QoS 1, 500 sensors, closed loop',
    figures: [
      rate(40_878, 38_860),
      cpu(31.8, 25.7),
      p50(5.3, 12.5),
      p99(10.7, 18.5),
      less('p99.9, ms', 2038, 22.7),
      repeated(883, 0),
    ],
  },
  {
    load: 'QoS 1, 5,000 sensors, closed loop',
    figures: [rate(23_654, 28_075), cpu(62.6, 36.7), p50(11.3, 175), p99(2072, 259), repeated(15_952, 0)],
  },
  {
    load: 'QoS 0, 500 sensors, 7,000 per second, to the subscriber',
    figures: [cpu(47.4, 40.9), p50(0.086, 0.084), p99(0.387, 0.807)],
  },
  {
    load: 'QoS 0, 1 sensor, 20 per second, to the subscriber',
    figures: [p50(0.449, 0.832), p99(0.889, 1.647)],
  },
  {
    load: 'QoS 1 to 500 sensors (Paho keeps nothing on disk, this gateway does)',
    figures: [rate(30_190, 16_350), cpu(35.6, 50)],
  },
  {
    load: 'connects, 2,000 sensors, 50 at a time',
    figures: [rate(102, 3565), p50(505, 11.9)],
  },
  { load: '500 sensors', figures: [less('resident memory, MiB', 9.4, 119)] },
]

/** Whether this gateway is at or ahead of the other one. */
export const isAhead = ({ peer, own, better }: PeerFigure): boolean =>
  better === 'more' ? own >= peer : own <= peer
