// What a person may ask of a session from outside: end it, forget it, empty its queue.

import { endSession, giveUp } from './broker/link.ts'
import { deliverNext } from './downlink/deliver.ts'
import { clearQueue } from './downlink/queue.ts'
import type { Turn } from './policy.ts'
import type { Session } from './session.ts'
import { clearSpool } from './uplink/spool.ts'

export type Command = 'disconnect' | 'forget' | 'clearQueue'

/** `disconnect` tells the sensor, so that it connects again; `forget` also deletes what is stored of it. */
export function onCommand(session: Session, command: Command, turn: Turn): void {
  if (command === 'clearQueue') {
    clearQueue(session, turn)
    return deliverNext(session, turn) // an awake sensor waits for its PINGRESP
  }
  if (command === 'forget') {
    session.established = false
    clearSpool(session, turn)
  }
  if (session.state === 'disconnected' || session.state === 'lost') endSession(session, 'forgotten', turn)
  else giveUp(session, 'ended by hand', turn)
}
