// What the gateway asked of a sensor, while it waits for the answer. Pure types.

import type { Publish, Pubrel, Register, Willmsgreq, Willtopicreq } from '../../codec/v1/messages.ts'
import type { QueuedMessage } from '../message.ts'

/** What the gateway asked of the sensor, and waits for; one thing at a time [SN-GPUB-4, -11]. */
export interface Outstanding {
  /** as it was sent; a repetition is the same but for DUP */
  readonly packet: Willtopicreq | Willmsgreq | Register | Publish | Pubrel
  /** the sensor may have had it before: in an earlier delivery, or since it was sent again */
  repeated: boolean
  /** when it was first sent in this delivery */
  readonly since: number
  /** repetitions so far */
  tries: number
  deadline: number
}

/**
 * A message of QoS 1 on its way to a sensor that listens: the broker has it still, since it is neither stored nor acknowledged.
 * Most are answered before `until`, and need no store.
 */
export interface OwedMessage {
  readonly message: QueuedMessage
  readonly ack: number
  /** when the gateway takes it over after all, monotonic milliseconds */
  readonly until: number
}
