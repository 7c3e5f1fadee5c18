// What is known of a sensor's address: whether it has shown that it hears, and what may be sent before [SN-ROB-3]. Pure data.

/** See `validation.ts` for what changes it. */
export interface Validation {
  /** it has answered what could not be guessed */
  done: boolean
  /** octets, headers of IP and UDP included, that may be sent before the sensor says anything */
  credit: number
  /** when `credit` last grew, monotonic milliseconds */
  creditedAt: number
  /** a REGISTER that was sent for its answer alone */
  probe: { readonly topicId: number; readonly msgId: number; readonly sentAt: number } | undefined
  /** answers that fitted nothing: who guesses for long proves nothing any more */
  misses: number
}

/** Of an address that nothing is known of: its first message gives it what a minute may have. */
export const createValidation = (): Validation => ({
  done: false,
  credit: 0,
  creditedAt: Number.NEGATIVE_INFINITY,
  probe: undefined,
  misses: 0,
})
