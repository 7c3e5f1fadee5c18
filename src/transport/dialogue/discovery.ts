// Which messages may be sent to all: those by which gateways are found [6.1]. Pure.

import { MsgType } from '../../codec/v1/messages.ts'

const DISCOVERY: ReadonlySet<number | undefined> = new Set([
  MsgType.advertise,
  MsgType.searchgw,
  MsgType.gwinfo,
])

/** Whether a message is ADVERTISE, SEARCHGW or GWINFO. */
export const isDiscovery = (message: Uint8Array): boolean => DISCOVERY.has(message[message[0] === 1 ? 3 : 1])
