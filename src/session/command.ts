// What a person may ask of a session from outside: end it, forget it, empty its queue.

import { clearQueue } from './downlink/queue.ts'
import type { Command } from './events.ts'
import type { Session } from './session.ts'
import { giveUpSession } from './setup/disconnect.ts'
import { isEnded } from './states.ts'
import { enter, type Turn } from './turn.ts'
import { clearSpool } from './uplink/spool.ts'

/** `disconnect` tells the sensor, so that it connects again; `forget` also deletes what is stored of it. */
export function onCommand(session: Session, command: Command, turn: Turn): void {
  if (command === 'clearQueue') return clearQueue(session, turn)
  if (command === 'forget') {
    session.established = false
    clearSpool(session, turn)
  }
  if (isEnded(session)) enter(session, 'disconnected', 'forgotten', turn)
  else giveUpSession(session, 'ended by hand', turn)
}
