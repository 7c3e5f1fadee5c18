// Why something was discarded on a listener with DTLS, in words, and what to do about it. Pure.

import type { RemedyWords } from './explained.ts'

export const DTLS_DROPS: Readonly<Record<string, RemedyWords>> = {
  'dtls-malformed': {
    label: 'DTLS: broken record',
    text: 'A datagram on a protected listener is no record of DTLS, or not one that fits its session.',
    next: 'Look for sensors that send in the clear to this port: theirs is a listener with udp://.',
  },
  'dtls-version': {
    label: 'DTLS: other version',
    text: 'A record of a version of DTLS that the gateway does not speak.',
    next: 'Let the sensor speak DTLS 1.2.',
  },
  'dtls-no-session': {
    label: 'DTLS: no session',
    text: 'A protected record belongs to no session that the gateway knows. The sensor has to open a new one.',
    next: 'Normal after a restart without a durable store. Behind a NAT let sensors use connection ids.',
  },
  'dtls-replay': {
    label: 'DTLS: again',
    text: 'A record came a second time, or far too late.',
    next: 'A few are normal, as networks repeat datagrams. Many mean that somebody sends what he recorded.',
  },
  'dtls-mac': {
    label: 'DTLS: forged or damaged',
    text: 'A record could not be opened with the key of its session.',
    next: 'A few are normal while a sensor begins anew. Many mean a wrong key, which the log names, or forgery.',
  },
  'dtls-unexpected': {
    label: 'DTLS: out of order',
    text: 'A record makes no sense at this point of a session.',
    next: 'See what software the sensor has: it strays from the protocol.',
  },
  'dtls-half-open': {
    label: 'DTLS: too many handshakes',
    text: 'More handshakes were under way at once than may be.',
    next: 'Find who begins so many. If these are your sensors, raise "dtls.handshakes" of the listener.',
  },
  'dtls-address-rate': {
    label: 'DTLS: too many of one address',
    text: 'One address began more handshakes per second than it may.',
    next: 'If many sensors share one address, raise "dtls.handshakesPerAddress". Otherwise find the source.',
  },
  'dtls-hello-flood': {
    label: 'DTLS: flood of hellos',
    text: 'So many strangers began handshakes at once that not all could be answered. Open sessions went first.',
    next: 'If your sensors all start at once, they come in with their next try. Otherwise find the source, and block it with "deny" or a firewall.',
  },
  'dtls-sessions': {
    label: 'DTLS: too many sessions',
    text: 'There were as many sessions as may be, and sensors used all of them.',
    next: 'Raise "dtls.sessions" of the listener, or "limits.sensors".',
  },
  'dtls-early': {
    label: 'DTLS: too early',
    text: 'More records than can wait came before their handshake was finished.',
    next: 'Nothing is wrong as long as handshakes succeed: the sensor sends them again.',
  },
  'dtls-address': {
    label: 'DTLS: not from there',
    text: 'A record came from an address where its sensor may not be.',
    next: 'Compare "allow", "deny" and the "from" of its rule with where the sensor really is.',
  },
  'dtls-unproven': {
    label: 'DTLS: address not proven',
    text: 'A sensor has a new address and has sent only once from there, so that it may not get so much yet.',
    next: 'Nothing is wrong: the next record of the sensor lifts the limit, and the message is repeated.',
  },
  'dtls-too-long': {
    label: 'DTLS: too long',
    text: 'A message does not fit into a record as short as the sensor wants them.',
    next: 'Send shorter messages to it, or let the sensor ask for longer records.',
  },
}
