// The section `listeners`: where sensors are heard, and how the gateway makes itself known [5.2, 6.1].

import { z } from 'zod'
import { group, listenerUrl, network, parseListenerUrl } from './addresses.ts'
import { dtls } from './dtls.ts'
import { duration, list, oneOf, size, text, whole } from './values.ts'

/** The group of a listener, and what is told there. */
export const discovery = z
  .strictObject({
    group: group()
      .optional()
      .describe(
        'Multicast group or IPv4 broadcast address for ADVERTISE, GWINFO and SEARCHGW [6.1]. Required on UDP; lines and radios have none.',
      )
      .meta({ examples: ['225.1.1.1', 'ff02::1:5'] }),
    port: whole(1, 65_535).optional().describe("UDP port of the group. Default: the listener's own port."),
    interface: text('the name or address of a network interface')
      .optional()
      .describe('Network interface for the group, by name or address. Default: the system chooses.')
      .meta({ examples: ['eth0'] }),
    hops: whole(1, 255)
      .optional()
      .describe('Hops a multicast message may travel, the largest radius [6.1]. Default: 1.'),
    advertise: duration({ min: 1000, max: 65_535_000, zero: 'off' })
      .prefault('20m')
      .describe(
        'T_ADV, time between two ADVERTISE messages; 0 = none. The specification asks for more than 15 min [7.2].',
      ),
    standbyFor: whole(0, 255)
      .optional()
      .describe(
        'GwId of a gateway to stand by for: advertise only while it is not heard [6.1]. Default: advertise always.',
      ),
    missed: whole(1, 255)
      .prefault(3)
      .describe(
        'N_ADV, how many ADVERTISE messages of that gateway must be missing before this one takes over [7.2].',
      ),
  })
  .describe(
    'Makes the gateway known to the whole network, or to whoever is on a line. Without it, a SEARCHGW is answered to its sender only.',
  )

const pace = z
  .strictObject({
    octetsPerSecond: whole(1, 100_000_000)
      .optional()
      .describe(
        'Octets per second, framing included. Default: nine tenths of what `baud` allows; over TCP no limit.',
      ),
    messages: whole(2, 100_000).prefault(32).describe('Messages that may wait for the line.'),
    octets: size({ min: 256, max: 1024 ** 3 })
      .prefault('8KiB')
      .describe(
        'Octets of these. What is above is dropped, QoS 0 first; what is not urgent waits in its queue for room.',
      ),
    inFlight: whole(1, 200)
      .optional()
      .describe(
        'Frames that may wait for the confirmation of a radio module. Default: 1. Lines without a module have no confirmations.',
      ),
    confirm: duration({ min: 100, max: 600_000 })
      .optional()
      .describe(
        'After this time without confirmation a frame counts as lost, and the next one goes. Default: 5 s, LoRaLink 10 s.',
      ),
  })
  .describe(
    'How fast messages leave on a serial or TCP line, and how many wait for it and for its radio module. UDP has no such limit.',
  )

/** One listener. */
export const listener = z.strictObject({
  name: text('a name of 1 to 64 characters', 1, 64)
    .optional()
    .describe('Name in logs and metrics, unique. Default: the url.')
    .meta({ examples: ['lab'] }),
  url: listenerUrl()
    .prefault('udp://127.0.0.1:1884')
    .describe(
      'Address and port to listen on, port 0 for any free one: udp:// in the clear, dtls:// for sensors with keys or certificates of their own (`dtls`). 0.0.0.0 stands for every IPv4 address of this machine; [::] for every address of both families, unless another listener has an IPv4 address with the same port. Or a line: a serial device, `serial:///dev/serial/by-id/NAME?baud=115200&framing=slip`, or a device server that is called, `tcp://10.0.0.9:4001?framing=hdlc`, or modems that call, `tcp-listen://0.0.0.0:6969?framing=slip`; framing is one of slip, cobs, hdlc and length. Or a radio module with many sensors: `xbee:///dev/serial/by-id/NAME?baud=9600&api=2`.',
    ),
  maxMessageSize: whole(16, 65_507)
    .optional()
    .describe(
      'Octets of the longest datagram, both ways; longer messages are not sent to sensors [5.2, 7.4]. Default: 1472; on radios what they carry: XBee 84, or less if the module says so.',
    )
    .meta({ examples: [1472] }),
  roaming: oneOf('off', 'port', 'any')
    .prefault('port')
    .describe(
      "How far a sensor's address may move while its session goes on: not, to another port, anywhere [6.14].",
    ),
  allow: list(network())
    .prefault([])
    .describe(
      'Who may send here: networks, and on radios, and of nodes behind forwarders, link addresses such as "0013a20012345678", "0013a2*" or "5". One of them must fit; an empty list means all. A network on TCP means who has called, or was called.',
    ),
  deny: list(network()).prefault([]).describe('Who may not, even if allowed above; the same.'),
  forwarders: list(network())
    .prefault([])
    .describe(
      'Networks of forwarders, or their link addresses on radios, which may speak for other nodes by encapsulated messages; empty = none [5.5]. On lines with node=encap all are.',
    ),
  receiveBuffer: size({ min: 4096, max: 1024 ** 3 })
    .prefault('4MiB')
    .describe('Receive buffer to ask of the system, octets. It may grant less (Linux: net.core.rmem_max).'),
  discovery: discovery.optional(),
  dtls: dtls.optional(),
  pace: pace.optional(),
})

/** Whether a listener on `[::]` hears IPv4 as well: where no other one of the gateway has its port there. */
export function servesBothFamilies(
  { url }: { readonly url: string },
  listeners: readonly { readonly url: string }[],
): boolean {
  const own = parseListenerUrl(url)
  if (own === undefined || !/^[0:]+$/.test(own.address)) return false
  return !listeners.some((other) => {
    const { version, port } = parseListenerUrl(other.url) ?? {}
    return version === 4 && port === own.port && port !== 0
  })
}
