// Which messages are acknowledged to a sensor, and which acknowledge: what was acknowledged must not be taken a second time after
// a crash, so that the link keeps the numbers of their records first. Looks at octets only, since it is asked for each message.

import { messageStart, peekMsgType } from '../../codec/envelope.ts'
import { MsgType, ReturnCode } from '../../codec/v1/messages.ts'

/** QoS among the flags of PUBLISH; -1 has both bits [5.3.4]. */
const QOS = 0x60
/** Octets before the flags: a length of one octet or of three, and the type [5.2.1]. */
const [SHORT_HEADER, LONG_HEADER] = [2, 4]

/** Whether this message will be acknowledged once for all. */
export function isPromised(bytes: Uint8Array): boolean {
  if (peekMsgType(bytes) !== MsgType.publish) return false
  const qos = (bytes[bodyStart(bytes)] ?? 0) & QOS
  return qos !== 0 && qos !== QOS
}

/** Octets between the header and the message id of each of them. */
const BEFORE_ID: ReadonlyMap<number | undefined, number> = new Map([
  [MsgType.publish, 3],
  [MsgType.puback, 2],
  [MsgType.pubrec, 0],
])

/** Between the header of PUBACK and its return code. */
const BEFORE_CODE = 4

/** Where what follows the header begins. */
function bodyStart(bytes: Uint8Array): number {
  const start = messageStart(bytes) ?? 0
  return start + (bytes[start] === 1 ? LONG_HEADER : SHORT_HEADER)
}

/** The message id of such a message, or of what acknowledges it. */
export function promiseId(bytes: Uint8Array): number {
  const at = bodyStart(bytes) + (BEFORE_ID.get(peekMsgType(bytes)) ?? 0)
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)
}

/** Whether this message acknowledges such a one. */
export function isPromise(bytes: Uint8Array): boolean {
  const type = peekMsgType(bytes)
  return type === MsgType.puback || type === MsgType.pubrec
}

/** Whether it says that nobody has taken the message, which may be one of QoS 0 [SN-PUB-4]. */
export function isRefusal(bytes: Uint8Array): boolean {
  if (peekMsgType(bytes) !== MsgType.puback) return false
  return (bytes[bodyStart(bytes) + BEFORE_CODE] ?? 0) !== ReturnCode.accepted
}
