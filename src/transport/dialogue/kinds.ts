// The dialogues there are, by the framing that an url names: plain framings have one peer at the other end, modems have many. Pure.

import type { CrcKind } from '../framing/crc.ts'
import { createFraming, FRAMING_NAMES, isFramingName } from '../framing/framing.ts'
import { AQUILA_LONGEST, type AquilaSettings, createAquila } from './aquila.ts'
import type { Dialogue, DialogueOptions, ModemOptions } from './dialogue.ts'
import { createLoralink, LORALINK_LONGEST } from './loralink.ts'
import { createWire } from './wire.ts'
import { createXbee, XBEE_COORDINATOR, XBEE_LONGEST, type XbeeMode } from './xbee/xbee.ts'

/** What an url says of the dialogue on its line. */
export interface DialogueSettings {
  /** one of `LINE_FRAMINGS` */
  readonly framing: string
  readonly crc?: CrcKind | undefined
  /** AP of an XBee module */
  readonly api?: XbeeMode | undefined
  /** of the network behind an Aquila bridge */
  readonly aquila?: AquilaSettings | undefined
}

/** A modem that has a dialogue of its own. */
interface Modem {
  /** octets of the longest message, unless told otherwise */
  readonly longest: number
  /** milliseconds that a frame waits for its confirmation, unless told otherwise */
  readonly confirm: number
  /** where a node finds its gateway, if a sensor may have such a modem */
  readonly gateway?: string
  create(settings: DialogueSettings, options: ModemOptions): Dialogue
}

const MODEMS: Readonly<Record<string, Modem>> = {
  xbee: {
    longest: XBEE_LONGEST,
    confirm: 5000,
    gateway: XBEE_COORDINATOR,
    create: ({ api = 2 }, options) => createXbee(api, options),
  },
  aquila: {
    longest: AQUILA_LONGEST,
    confirm: 5000,
    create: ({ aquila = { pan: 1, key: undefined } }, options) => createAquila(aquila, options),
  },
  loralink: {
    longest: LORALINK_LONGEST,
    confirm: 10_000,
    create: (_, options) => createLoralink(options),
  },
}

/** What may stand behind `framing=` in an url. */
export const LINE_FRAMINGS: readonly string[] = [...FRAMING_NAMES, ...Object.keys(MODEMS)]

const modemOf = (framing: string): Modem | undefined =>
  Object.hasOwn(MODEMS, framing) ? MODEMS[framing] : undefined

/** Milliseconds that a frame waits for its confirmation, unless told otherwise; undefined: nothing is confirmed. */
export const usualConfirm = (framing: string): number | undefined => modemOf(framing)?.confirm

/** The link address of the gateway for a sensor with such a modem; undefined for a wire, and for what only gateways have. */
export const gatewayBy = (framing: string): string | undefined => modemOf(framing)?.gateway

/** Frames that a modem is given at a time. */
const IN_FLIGHT = 1
/** Octets of the longest message where nothing else is said: what fits a datagram. */
const LONGEST = 1472

/** Octets of the longest message, unless told otherwise. */
export const usualLongest = (framing: string): number => modemOf(framing)?.longest ?? LONGEST

/** A dialogue at its start: `begin` comes first. Throws for a framing that is none of `LINE_FRAMINGS`. */
export function createDialogue(settings: DialogueSettings, options: DialogueOptions): Dialogue {
  const { framing, crc } = settings
  const { longest, inFlight = IN_FLIGHT } = options
  const modem = modemOf(framing)
  if (modem !== undefined)
    return modem.create(settings, { longest, inFlight, confirm: options.confirm ?? modem.confirm })
  if (!isFramingName(framing)) throw new Error(`there is no framing "${framing}"`)
  return createWire(createFraming(framing, { longest, crc }), longest)
}
