// Octets of a line for `mqttsn decode --framing`: the messages in them, as the gateway would find them.

import { createDialogue } from '../../transport/dialogue/kinds.ts'
import type { CrcKind } from '../../transport/framing/crc.ts'
import type { Decoded } from '../../transport/framing/decoded.ts'
import { createFraming, isFramingName } from '../../transport/framing/framing.ts'

/** How the octets were put onto the line. */
export interface LineForm {
  readonly framing: string
  /** as usual for the framing without */
  readonly crc?: CrcKind | undefined
  /** API mode of a XBee module */
  readonly api?: 1 | 2 | undefined
}

/** What octets of a line turn out to be. */
export type Found =
  | { readonly message: Uint8Array; readonly from?: string | undefined }
  | { readonly message?: undefined; readonly lost: string; readonly octets: Uint8Array }

/** Longer than any message that there is. */
const LONGEST = 65_535
const nothing = new Uint8Array()

/** What is in the octets, in its order: messages, and what is none. What is not complete at the end is none. */
export function readLine(octets: Uint8Array, { framing, crc, api }: LineForm): Found[] {
  if (isFramingName(framing)) {
    const plain = createFraming(framing, { longest: LONGEST, crc })
    return [...plain.push(octets), ...plain.reset()].map(foundIn)
  }
  const dialogue = createDialogue({ framing, api }, { longest: LONGEST })
  dialogue.begin(0)
  return dialogue.push(octets, 0).flatMap((one): Found[] => {
    if (one.type === 'message') return [{ message: one.bytes, from: one.from }]
    return one.type === 'lost' ? [{ lost: one.reason, octets: one.octets ?? nothing }] : []
  })
}

const foundIn = (one: Decoded): Found =>
  one.fault === undefined ? { message: one.frame } : { lost: one.fault, octets: one.octets }
