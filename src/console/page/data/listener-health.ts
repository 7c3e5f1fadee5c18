// Is everything well with the listeners? Pure.

import type { ListenerInfo } from '../../contract/gateway.ts'
import { count, octets, plural } from '../parts/format.ts'
import { doc, type Found } from './found.ts'
import { linesAway } from './lines-away.ts'
import { secureTrouble } from './secure-health.ts'

/** Whether sensors can reach it, and what they send is read; `recent` is of the last five minutes, `now` a wall time. */
export function ofListeners(
  listeners: readonly ListenerInfo[],
  recent: { readonly kernelDrops: number },
  now = Date.now(),
): Found {
  const value = count(listeners.length)
  if (listeners.length === 0) {
    return {
      tone: 'bad',
      value,
      text: 'The gateway listens nowhere: no sensor can reach it.',
      next: 'Look at "listeners" in the configuration, and at the start of the log.',
    }
  }
  const away = linesAway(listeners)
  if (away !== undefined) return { tone: 'bad', value, ...away }
  const remedy = 'Raise net.core.rmem_max of the operating system, and "receiveBuffer" of the listener.'
  if (recent.kernelDrops > 0) {
    return {
      tone: 'bad',
      value,
      text: `The operating system lost ${plural(recent.kernelDrops, 'datagram')} within five minutes.`,
      next: remedy,
      ...doc('datagrams-lost'),
    }
  }
  const trouble = secureTrouble(listeners, now)
  if (trouble !== undefined) return { value, ...trouble }
  const small = listeners.find(({ receiveBuffer, receiveBufferAsked }) => receiveBuffer < receiveBufferAsked)
  if (small !== undefined) {
    return {
      tone: 'note',
      value,
      text: `Bound; ${small.name} has a receive buffer of ${octets(small.receiveBuffer)} instead of ${octets(small.receiveBufferAsked)}.`,
      next: remedy,
    }
  }
  const urls = listeners.map(placeOf).join(', ')
  if (listeners.every(({ url }) => LOOPBACK.test(url))) {
    return {
      tone: 'note',
      value,
      text: `${urls}: only this machine can reach it.`,
      next: 'For sensors elsewhere let "listeners" have the url udp://0.0.0.0:1884, with their network in "allow", and open that port in the firewall.',
    }
  }
  return { tone: 'good', value, text: urls }
}

const placeOf = ({ url, secure }: ListenerInfo): string =>
  secure === undefined ? url : `${url} (${plural(secure.sessions, 'session')})`

const LOOPBACK = /^(?:udp|dtls):\/\/(127\.|\[::1\])/
