// Flights and alerts on their way out.

import type { Turn } from '../effects.ts'
import { type AlertName, alertOctets } from '../failure.ts'
import { type FlightLimits, type FlightPart, packFlight } from '../handshake/flight.ts'
import { ALERT } from '../record/record.ts'
import type { Association } from './association.ts'
import { sendDatagram } from './context.ts'

/** Sends a flight, or sends it again: the same messages in new records. */
export function sendFlight(
  association: Association,
  parts: readonly FlightPart[],
  limits: FlightLimits,
  turn: Turn,
): void {
  for (const datagram of packFlight(parts, association.channel, limits)) {
    sendDatagram(association, datagram, turn)
  }
}

/** Protected as soon as we have announced it by our own ChangeCipherSpec. */
export function sendAlert(association: Association, level: number, alert: AlertName, turn: Turn): void {
  const { state, channel } = association
  const epoch = state === 'open' || state === 'resumed' ? 1 : 0
  sendDatagram(association, channel.write(epoch, ALERT, alertOctets(level, alert)), turn)
}
