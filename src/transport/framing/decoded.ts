// What every framing gives: whole messages, and what was no message with the reason. Pure.

/**
 * Why octets are no message: `noise` breaks the rules of the framing, `checksum` was garbled on its way, `oversized` is longer
 * than a message may be.
 */
export type FrameFault = 'noise' | 'checksum' | 'oversized'

/** A message, or octets that are none; `octets` of what is oversized are left out. */
export type Decoded =
  | { readonly frame: Uint8Array; readonly fault?: undefined }
  | { readonly fault: FrameFault; readonly octets: Uint8Array }

/** One direction of a stream is read by one such object; it keeps what is not complete yet, within a bound. */
export interface Framing {
  /** The message as it goes onto the line. */
  encode(message: Uint8Array): Uint8Array
  /** Takes what has come, in whatever pieces; gives what is complete now, in its order. Frames belong to the caller. */
  push(bytes: Uint8Array): Decoded[]
  /** Forgets what is not complete: the line fell silent for so long that its rest will not come, or was opened anew. */
  reset(): Decoded[]
  /** milliseconds of silence after which `reset` is due; undefined: silence means nothing, as the frames show their ends */
  readonly silence: number | undefined
}
