// What is said on a stream of octets: who sent a message, to whom one goes, and when the next may leave. The contract between a
// framing below and a line above. Pure: time is an argument, monotonic milliseconds.

import type { LinkError, Signal } from '../transport.ts'

/** What octets that came turn out to be. */
export type Heard =
  | {
      readonly type: 'message'
      /** belongs to whoever takes it */
      readonly bytes: Uint8Array
      /** link address of its sender, such as `xbee/0013a20012345678`; undefined: whoever is at the other end */
      readonly from?: string | undefined
      /** it was sent to all, of which only discovery is taken [6.1] */
      readonly isBroadcast?: boolean | undefined
      readonly signal?: Signal | undefined
    }
  /** octets that are no message, or a message that was lost on its way out */
  | { readonly type: 'lost'; readonly reason: LinkError; readonly octets?: Uint8Array | undefined }
  /** something that a person should know of a modem, and what to change if something is wrong with it */
  | { readonly type: 'notice'; readonly level: 'info' | 'warn'; readonly text: string }

/** What a dialogue is made with, of whatever kind. */
export interface DialogueOptions {
  /** octets of the longest message */
  readonly longest: number
  /** frames that may wait for the modem's confirmation; where none is given, the kind's own */
  readonly inFlight?: number | undefined
  /** milliseconds after which a frame without confirmation counts as lost, and the next one goes */
  readonly confirm?: number | undefined
}

/** The same for a modem, all filled in. */
export interface ModemOptions {
  readonly longest: number
  readonly inFlight: number
  readonly confirm: number
}

/** One stream is spoken on by one such object; all that it keeps is bounded. */
export interface Dialogue {
  /** The stream was opened, perhaps again: what was before is forgotten. */
  begin(now: number): void
  /** Takes octets in whatever pieces, from the second device where a line has two; gives what is complete now, in its order. */
  push(bytes: Uint8Array, now: number, fromSecond?: boolean): readonly Heard[]
  /** Does what is due at `deadline`; may be called too early. */
  expire(now: number): readonly Heard[]
  /** when `expire` is to be called; undefined: time alone changes nothing */
  readonly deadline: number | undefined
  /**
   * A frame with the message, which may wait; or why there is none, as a reason to count. `to`: an address that was heard, or that
   * of the line; undefined: everybody within so many hops, 0 = as far as it goes.
   */
  encode(message: Uint8Array, to: string | undefined, radius: number): Uint8Array | LinkError
  /** Whether a frame of `encode` may leave now. */
  readonly isReady: boolean
  /** The frame as it leaves now, which it does. */
  seal(frame: Uint8Array, now: number): Uint8Array
  /** A frame of its own that leaves before all others, such as a question to the modem; undefined if there is none now. */
  ownFrame(now: number): Uint8Array | undefined
  /** frames that were sealed and are neither confirmed nor given up */
  readonly unconfirmed: number
  /** Octets that the longest frame may have. */
  readonly longestFrame: number
  /** octets of the longest message, where the modem has told; may be less than what was asked for */
  readonly longest: number | undefined
  /** addresses that have not been reached several times in a row */
  readonly unreachable: readonly string[]
}
