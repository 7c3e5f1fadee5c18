// What a person may ask of a session from outside: end it, forget it, empty its queue, decide about its dead letters.

import { clearQueue } from '../downlink/queue.ts'
import { clearWithheld } from '../downlink/withhold.ts'
import type { Command } from '../events.ts'
import type { Session } from '../session.ts'
import { isEnded } from '../states.ts'
import { enter, type Turn } from '../turn.ts'
import { discardDeadLetter, resendDeadLetters } from '../uplink/dead-letters.ts'
import { clearSpool } from '../uplink/spool.ts'
import { giveUpSession } from './disconnect.ts'

/** See `Command`. Messages that are sent again may fail again, and are dead letters again then. */
export function onCommand(session: Session, command: Command, turn: Turn): void {
  const { dead } = session.uplink
  switch (command) {
    case 'clearQueue':
      clearWithheld(session, turn)
      return clearQueue(session, turn)
    case 'discardDeadLetters':
      session.uplink.resending = undefined
      for (const uplink of [...dead.values()]) discardDeadLetter(session, uplink, turn)
      return
    case 'resendDeadLetters':
      session.link.hangUps.blamed = []
      session.uplink.resending = undefined
      return resendDeadLetters(session, turn)
  }
  if (command === 'forget') {
    session.established = false
    session.forgotten = 'by hand'
    clearSpool(session, turn)
    for (const uplink of [...dead.values()]) discardDeadLetter(session, uplink, turn)
  }
  if (isEnded(session)) enter(session, 'disconnected', 'forgotten', turn)
  else giveUpSession(session, 'ended by hand', turn)
}
