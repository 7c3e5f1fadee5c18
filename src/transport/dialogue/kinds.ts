// The dialogues there are, by the framing that an url names. Pure.

import type { CrcKind } from '../framing/crc.ts'
import { createFraming, type FramingName } from '../framing/framing.ts'
import type { Dialogue, DialogueOptions } from './dialogue.ts'
import { createWire } from './wire.ts'

/** What an url says of the dialogue on its line. */
export interface DialogueSettings {
  readonly framing: FramingName
  readonly crc: CrcKind | undefined
}

/** Octets of the longest message where nothing else is said: what fits a datagram. */
const LONGEST = 1472

/** Octets of the longest message, unless told otherwise. */
export const usualLongest = (_framing: FramingName): number => LONGEST

/** A dialogue at its start: `begin` comes first. */
export function createDialogue({ framing, crc }: DialogueSettings, { longest }: DialogueOptions): Dialogue {
  return createWire(createFraming(framing, { longest, crc }), longest)
}
