// A message as it is on its sensor's line, for `mqttsn trace --frames`: made anew by the framing that the url of its listener names.

import { hex } from '../../codec/v1/describe.ts'
import { createFraming, isFramingName } from '../../transport/framing/framing.ts'
import { lineIn } from '../../transport/line/url.ts'
import { askJson, type LiveFlags } from '../running/api.ts'

/** The octets of a message on the line of a listener, as text; undefined where there is none, as on UDP. */
export type FrameOf = (listener: string, message: Uint8Array) => string | undefined

const LONGEST = 65_535

/** Asks the gateway for its listeners once. */
export async function createFrames(flags: LiveFlags, signal: AbortSignal): Promise<FrameOf> {
  const listeners = await askJson<readonly { readonly name: string; readonly url: string }[]>(
    flags,
    '/api/listeners',
    signal,
  )
  return framesOf(listeners)
}

/** The same for listeners that are known. */
export function framesOf(listeners: readonly { readonly name: string; readonly url: string }[]): FrameOf {
  const lines = new Map(
    listeners.flatMap(({ name, url }) => {
      const line = lineIn(url)
      return line === undefined ? [] : [[name, line] as const]
    }),
  )
  return (listener, message) => {
    const line = lines.get(listener)
    if (line === undefined) return undefined
    const { framing, crc } = line
    if (!isFramingName(framing)) return 'in a frame of the radio module, which is not kept'
    return `on the line ${hex(createFraming(framing, { longest: LONGEST, crc }).encode(message))}`
  }
}
