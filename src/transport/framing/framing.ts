// How messages are told apart in a stream of octets: the contract of every framing, and which there are. Pure.

import { createCobs } from './cobs.ts'
import type { Framing } from './decoded.ts'
import { createHdlc } from './hdlc.ts'
import { createLength } from './length.ts'
import type { FramingOptions } from './options.ts'
import { createSlip } from './slip.ts'

const FRAMINGS = {
  slip: createSlip,
  cobs: createCobs,
  hdlc: createHdlc,
  length: createLength,
} as const satisfies Readonly<Record<string, (options: FramingOptions) => Framing>>

/** The framings there are. */
export type FramingName = keyof typeof FRAMINGS

/** Their names, for messages to people. */
export const FRAMING_NAMES: readonly string[] = Object.keys(FRAMINGS)

/** Whether there is a framing of this name. */
export const isFramingName = (name: string): name is FramingName => Object.hasOwn(FRAMINGS, name)

/** A framing at its start: nothing has been read. */
export const createFraming = (name: FramingName, options: FramingOptions): Framing => FRAMINGS[name](options)
