// A stream through Telnet: what is around the data is put on and taken off, and the serial port of a device server is set.

import type { ComPortSettings } from '../telnet/com-port.ts'
import { createTelnet, type TelnetRead } from '../telnet/telnet.ts'
import type { ByteStream, StreamListener } from './stream.ts'

/** While the server holds on, so many octets seem to wait: nothing more is written, and after a while the line counts as stuck. */
const HELD = Number.POSITIVE_INFINITY

/** Opens a stream with Telnet on it; without a port, FF is doubled and nothing else. */
export async function openTelnet(
  port: ComPortSettings | undefined,
  listener: StreamListener,
  open: (listener: StreamListener) => Promise<ByteStream>,
): Promise<ByteStream> {
  const telnet = createTelnet(port)
  /** what came before the stream was there to answer */
  let early: Uint8Array | undefined
  let stream: ByteStream | undefined
  let isHeld = false

  function take({ data, reply, news }: TelnetRead): void {
    if (reply.length > 0 && stream === undefined) early = Buffer.concat([early ?? Buffer.alloc(0), reply])
    else if (reply.length > 0) stream?.write(reply)
    for (const one of news) {
      if (one.type === 'differs')
        listener.onNotice?.(
          `the device server has set ${one.name} ${one.got} instead of ${one.wanted}; is that what the device can, and does the server allow it?`,
        )
      else if (one.type === 'refused')
        listener.onNotice?.(
          'the device server does not take RFC 2217: its port stays as it is set there; use telnet=raw, or nothing, and set it there',
        )
      else isHeld = one.type === 'suspend'
    }
    if (data.length > 0) listener.onOctets(data)
    if (!isHeld && news.some(({ type }) => type === 'resume')) listener.onTaken()
  }

  stream = await open({ ...listener, onOctets: (bytes) => take(telnet.push(bytes)) })
  if (telnet.greeting.length > 0) stream.write(telnet.greeting)
  if (early !== undefined) stream.write(early)
  const inner = stream
  return {
    write: (bytes) => inner.write(telnet.encode(bytes)),
    get waiting() {
      return isHeld ? HELD : inner.waiting
    },
    close: () => inner.close(),
  }
}
