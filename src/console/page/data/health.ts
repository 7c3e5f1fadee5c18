// Is everything well? The checks of the overview, each with what was found and what to do next. Pure.

import type { BrokerInfo, GatewayInfo, ListenerInfo } from '../../contract/gateway.ts'
import { count, octets, plural } from '../parts/format.ts'
import { dropWords } from '../words/drops.ts'
import type { Tone } from '../words/explained.ts'

/** What was looked at, what was found, and what to do next. */
export interface Check {
  readonly id: string
  readonly title: string
  /** the page that tells more */
  readonly link: string
  readonly tone: Tone
  readonly value: string
  readonly text: string
  readonly next: string
}

/** What happened within the last minutes. */
export interface Recent {
  /** drops by reason and datagrams of the last minute */
  readonly drops: Readonly<Record<string, number>>
  readonly datagrams: number
  /** of the last five minutes */
  readonly lost: number
  readonly refused: number
  readonly kernelDrops: number
}

/** Everything that is looked at. */
export interface Condition {
  readonly info: GatewayInfo
  readonly broker: BrokerInfo
  readonly listeners: readonly ListenerInfo[]
  readonly recent: Recent
}

const SEVERITY: readonly Tone[] = ['good', 'note', 'warn', 'bad']
/** How bad it is, as a number that grows. */
export const severityOf = ({ tone }: { readonly tone: Tone }): number => SEVERITY.indexOf(tone)

/** All checks. */
export function checks({ info, broker, listeners, recent }: Condition): Check[] {
  return [
    ofBroker(broker, recent),
    ofListeners(listeners, recent),
    ofSensors(info, recent),
    ofDrops(recent),
    ofQueues(info),
    ofFaults(info),
  ]
}

/** The worst of them, as a headline. */
export function verdict(all: readonly Check[]): { tone: Tone; headline: string; next: string } {
  const worst = [...all].sort((a, b) => severityOf(b) - severityOf(a))[0]
  if (worst?.tone === 'bad') return { tone: 'bad', headline: worst.text, next: worst.next }
  const warned = all.filter(({ tone }) => tone === 'warn')
  const [first, ...others] = warned
  if (first !== undefined) {
    return {
      tone: 'warn',
      headline: others.length === 0 ? first.text : `It works, but ${warned.length} things need a look.`,
      next: others.length === 0 ? first.next : warned.map(({ text }) => text).join(' '),
    }
  }
  return { tone: 'good', headline: 'Everything works.', next: '' }
}

const total = (sensors: GatewayInfo['sensors']) =>
  Object.values(sensors).reduce((sum, value) => sum + value, 0)

function ofBroker(broker: BrokerInfo, recent: Recent): Check {
  const check = { id: 'broker', title: 'Broker', link: '#/connections' }
  if (!broker.healthy) {
    return {
      ...check,
      tone: 'bad',
      value: broker.trouble === undefined ? 'Away' : 'Refuses',
      text:
        broker.trouble === undefined
          ? 'The broker cannot be reached.'
          : `The broker does not accept the gateway: ${broker.trouble}.`,
      next: `See whether it runs at ${broker.url}, and whether the gateway may log in there. The gateway keeps trying; sensors keep their sessions for a while.`,
    }
  }
  if (recent.refused > 0) {
    return {
      ...check,
      tone: 'warn',
      value: 'Refuses some',
      text: `The broker refused ${plural(recent.refused, 'connection')} within five minutes.`,
      next: 'Compare the user names and passwords in "sensors" of the configuration with those of the broker.',
    }
  }
  const busy = broker.connecting + broker.waiting
  return {
    ...check,
    tone: 'good',
    value: 'Reachable',
    text: `${plural(broker.connected, 'connection')} up${busy === 0 ? '' : `, ${count(busy)} on the way`}.`,
    next: '',
  }
}

function ofListeners(listeners: readonly ListenerInfo[], recent: Recent): Check {
  const check = { id: 'listeners', title: 'Listeners', link: '#/connections', value: count(listeners.length) }
  if (listeners.length === 0) {
    return {
      ...check,
      tone: 'bad',
      text: 'The gateway listens nowhere: no sensor can reach it.',
      next: 'Look at "listeners" in the configuration, and at the start of the log.',
    }
  }
  const remedy = 'Raise net.core.rmem_max of the operating system, and "receiveBuffer" of the listener.'
  if (recent.kernelDrops > 0) {
    return {
      ...check,
      tone: 'bad',
      text: `The operating system lost ${plural(recent.kernelDrops, 'datagram')} within five minutes.`,
      next: remedy,
    }
  }
  const small = listeners.find(({ receiveBuffer, receiveBufferAsked }) => receiveBuffer < receiveBufferAsked)
  if (small !== undefined) {
    return {
      ...check,
      tone: 'note',
      text: `Bound; ${small.name} has a receive buffer of ${octets(small.receiveBuffer)} instead of ${octets(small.receiveBufferAsked)}.`,
      next: remedy,
    }
  }
  const urls = listeners.map(({ url }) => url).join(', ')
  if (listeners.every(({ url }) => LOOPBACK.test(url))) {
    return {
      ...check,
      tone: 'note',
      text: `${urls}: only this machine can reach it.`,
      next: 'For sensors elsewhere let "listeners" have the url udp://0.0.0.0:1884, with their network in "allow", and open that port in the firewall.',
    }
  }
  return { ...check, tone: 'good', text: urls, next: '' }
}

const LOOPBACK = /^udp:\/\/(127\.|\[::1\])/

function ofSensors({ sensors }: GatewayInfo, recent: Recent): Check {
  const all = total(sensors)
  const check = { id: 'sensors', title: 'Sensors', link: '#/sensors', value: count(all) }
  const setup = sensors.connecting + sensors.willtopic + sensors.willmsg
  const here = sensors.active + sensors.awake
  const text = `${count(here)} listening, ${count(sensors.asleep)} asleep${setup === 0 ? '' : `, ${count(setup)} connecting`}.`
  // One or two go missing now and then; many at once have a common cause.
  if (recent.lost >= Math.max(3, all * 0.02)) {
    return {
      ...check,
      tone: 'warn',
      text: `${plural(recent.lost, 'sensor')} lost within five minutes.`,
      next: 'If they are in one place, look at the network there.',
      link: '#/sensors?state=lost',
    }
  }
  return {
    ...check,
    tone: all === 0 ? 'note' : 'good',
    text: all === 0 ? 'None has connected yet.' : text,
    next: '',
  }
}

function ofDrops({ drops, datagrams }: Recent): Check {
  const check = { id: 'drops', title: 'Drops', link: '#/drops' }
  const [top, ...others] = Object.entries(drops).sort((a, b) => b[1] - a[1])
  if (top === undefined)
    return { ...check, tone: 'good', value: '0', text: 'None within a minute.', next: '' }
  const sum = others.reduce((value, [, times]) => value + times, top[1])
  const { label, next } = dropWords(top[0])
  return {
    ...check,
    // Some loss is the nature of radio: more than one in twenty is not.
    tone: sum > Math.max(10, datagrams * 0.05) ? 'warn' : 'note',
    value: count(sum),
    text: `Within a minute${others.length === 0 ? '' : ', most of them'}: ${label.toLowerCase()}.`,
    next,
  }
}

const ofQueues = ({ queuedMessages, queuedOctets }: GatewayInfo): Check => ({
  id: 'queues',
  title: 'Waiting messages',
  link: '#/sensors?sort=queued&descending=1',
  tone: 'good',
  value: count(queuedMessages),
  text:
    queuedMessages === 0
      ? 'No sensor has messages waiting.'
      : `${octets(queuedOctets)} for sensors that sleep or are busy.`,
  next: '',
})

function ofFaults({ counters: { faults, retransmissions } }: GatewayInfo): Check {
  const check = { id: 'faults', title: 'Internal errors', link: '#/messages', value: count(faults) }
  if (faults === 0) {
    return {
      ...check,
      tone: 'good',
      text: `None. ${plural(retransmissions, 'retransmission')} since the start.`,
      next: '',
    }
  }
  return {
    ...check,
    tone: 'bad',
    text: `${plural(faults, 'internal error')} since the start.`,
    next: 'Each one is a bug and ended the session of one sensor. Please report it with the stack from the log.',
  }
}
