// What the gateway asked of a sensor, while it waits for the answer. Pure types.

import type { Publish, Pubrel, Register, Willmsgreq, Willtopicreq } from '../../codec/v1/messages.ts'

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
