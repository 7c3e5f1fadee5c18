// Two serial devices as one line: the first receives, the second sends, and may say something as well.

import { TransportError } from '../error.ts'
import type { SerialSettings } from '../line/url.ts'
import { openSerial } from './serial.ts'
import type { ByteStream, OpenStream, StreamListener } from './stream.ts'

/** Opens both; when one goes, the other goes along. */
export const openSerialPair: OpenStream<SerialSettings & { readonly tx: string }> = async (
  settings,
  listener,
) => {
  const opened: ByteStream[] = []
  let isGone = false
  const end: StreamListener['onEnd'] = (why) => {
    isGone = true
    for (const each of opened) each.close()
    listener.onEnd(why)
  }
  opened.push(
    await openSerial(settings, { ...listener, onOctets: (bytes) => listener.onOctets(bytes), onEnd: end }),
  )
  try {
    const second = await openSerial(
      { ...settings, device: settings.tx },
      { ...listener, onOctets: (bytes) => listener.onOctets(bytes, true), onEnd: end },
    )
    opened.push(second)
    if (isGone)
      throw new TransportError('failed', `${settings.device}: it went while ${settings.tx} was opened`)
    return {
      write: (bytes) => second.write(bytes),
      get waiting() {
        return second.waiting
      },
      close() {
        for (const each of opened) each.close()
      },
    }
  } catch (error) {
    for (const each of opened) each.close()
    throw error
  }
}
