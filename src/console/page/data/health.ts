// Is everything well? The checks of the overview, each with what was found and what to do next. Pure.

import type { ClusterInfo } from '../../contract/cluster.ts'
import type { BrokerInfo, GatewayInfo, ListenerInfo } from '../../contract/gateway.ts'
import { count, octets, plural } from '../parts/format.ts'
import { dropWords } from '../words/drops.ts'
import { ofCluster } from './cluster-health.ts'
import { doc, type Found } from './found.ts'
import type { Recent } from './lately.ts'
import { ofListeners } from './listener-health.ts'

/** What was looked at, what was found, and what to do next. */
export interface Check extends Found {
  readonly id: string
  readonly title: string
  /** the page that tells more */
  readonly link: string
  /** what to do, or nothing */
  readonly next: string
}

/** Everything that is looked at. */
export interface Condition {
  readonly info: GatewayInfo
  readonly broker: BrokerInfo
  readonly listeners: readonly ListenerInfo[]
  readonly recent: Recent
  /** undefined: there are no other nodes */
  readonly cluster?: ClusterInfo | undefined
}

const sum = (table: Readonly<Record<string, number>>) =>
  Object.values(table).reduce((total, value) => total + value, 0)

/** All checks. */
export function checks({ info, broker, listeners, recent, cluster }: Condition): Check[] {
  const of = (id: string, title: string, link: string, found: Found): Check => ({
    id,
    title,
    link,
    next: '',
    ...found,
  })
  return [
    of('broker', 'Broker', '#/connections', ofBroker(broker, recent)),
    of('listeners', 'Listeners', '#/connections', ofListeners(listeners, recent)),
    ...(cluster === undefined ? [] : [of('cluster', 'Cluster', '#/cluster', ofCluster(cluster))]),
    of('sensors', 'Sensors', '#/sensors', ofSensors(info, recent)),
    of('refusals', 'Refusals', '#/drops', ofRefusals(recent)),
    of('drops', 'Drops', '#/drops', ofDrops(recent)),
    of('queues', 'Waiting messages', '#/sensors?sort=queued&descending=1', ofQueues(info)),
    of('dead-letters', 'Dead letters', '#/dead-letters', ofDeadLetters(info)),
    of('faults', 'Internal errors', '#/messages', ofFaults(info)),
  ]
}

function ofBroker(broker: BrokerInfo, recent: Recent): Found {
  const { healthy, trouble, url, connecting, waiting, connected } = broker
  if (!healthy) {
    return {
      tone: 'bad',
      value: trouble === undefined ? 'Away' : 'Refuses',
      text:
        trouble === undefined
          ? 'The broker cannot be reached.'
          : `The broker does not accept the gateway: ${trouble}.`,
      next: `See whether it runs at ${url}, and whether the gateway may log in there. The gateway keeps trying; sensors keep their sessions for a while.`,
      ...doc(trouble === undefined ? 'broker-away' : 'broker-refuses'),
    }
  }
  if (recent.refused > 0) {
    return {
      tone: 'warn',
      value: 'Refuses some',
      text: `The broker refused ${plural(recent.refused, 'connection')} within five minutes.`,
      next: 'Compare the user names and passwords in "sensors" of the configuration with those of the broker.',
      link: '#/drops',
      ...doc('login-refused'),
    }
  }
  const busy = connecting + waiting
  return {
    tone: 'good',
    value: 'Reachable',
    text: `${plural(connected, 'connection')} up${busy === 0 ? '' : `, ${count(busy)} on the way`}.`,
  }
}

function ofSensors({ sensors, forgotten }: GatewayInfo, recent: Recent): Found {
  const all = sum(sensors)
  const value = count(all)
  const { lost } = sensors
  const next = 'If they are in one place, look at the network there.'
  // One or two go missing now and then; many at once have a common cause. Those that are not listed any more count as well.
  if (recent.lost >= Math.max(3, (all + forgotten) * 0.02)) {
    const text = `${plural(recent.lost, 'sensor')} lost within five minutes.`
    return { tone: 'warn', value, text, next, link: '#/events?kind=lost', ...doc('sensor-lost') }
  }
  if (lost >= Math.max(3, all * 0.1)) {
    const text = `${count(lost)} of ${plural(all, 'sensor')} are lost.`
    const tone = lost >= all / 2 ? 'bad' : 'warn'
    return { tone, value, text, next, link: '#/sensors?state=lost', ...doc('sensor-lost') }
  }
  if (recent.twins !== undefined) {
    const text = `Two devices have the ClientId ${recent.twins.clientId}.`
    const next = 'Give each device a ClientId of its own.'
    return { tone: 'warn', value, text, next, link: '#/events?kind=contested', ...doc('same-client-id') }
  }
  if (all === 0) return { tone: 'note', value, text: 'None has connected yet.' }
  const setup = sensors.connecting + sensors.willtopic + sensors.willmsg
  const parts = [
    `${count(sensors.active + sensors.awake)} listening`,
    `${count(sensors.asleep)} asleep`,
    ...(setup === 0 ? [] : [`${count(setup)} connecting`]),
    ...(lost === 0 ? [] : [`${count(lost)} lost`]),
  ]
  return { tone: lost === 0 ? 'good' : 'note', value, text: `${parts.join(', ')}.` }
}

function ofRefusals({ refusals, refusal }: Recent): Found {
  if (refusals === 0) return { tone: 'good', value: '0', text: 'Nobody was refused within five minutes.' }
  return {
    tone: 'warn',
    value: count(refusals),
    text: `Somebody was refused ${plural(refusals, 'time')} within five minutes.`,
    next: `${refusal === undefined ? '' : `The last one, ${refusal.clientId ?? refusal.address}: ${refusal.text.replace('Refused: ', '')} `}The page "Drops and refusals" lists them all, and what to do.`,
    ...(refusal?.docs === undefined ? doc('not-admitted') : { docs: refusal.docs }),
  }
}

function ofDrops({ drops, datagrams }: Recent): Found {
  const [top, ...others] = Object.entries(drops).sort((a, b) => b[1] - a[1])
  if (top === undefined) return { tone: 'good', value: '0', text: 'None within five minutes.' }
  const total = sum(drops)
  const { label, next, docs } = dropWords(top[0])
  return {
    // Some loss is the nature of radio: more than one in twenty is not.
    tone: total > Math.max(10, datagrams * 0.05) ? 'warn' : 'note',
    value: count(total),
    text: `${plural(total, 'message')} dropped within five minutes${others.length === 0 ? '' : ', most of them'}: ${label.toLowerCase()}.`,
    next,
    ...(docs === undefined ? {} : { docs }),
  }
}

function ofQueues({ queuedMessages, queuedOctets, queuesFull, spooledMessages }: GatewayInfo): Found {
  const value = count(queuedMessages + spooledMessages)
  if (queuesFull) {
    return {
      tone: 'warn',
      value,
      text: 'The limit for what waits for all sensors together was reached.',
      next: 'Sort the sensors by queue. Let them wake up more often, or raise "limits.totalQueuedMessages".',
      ...doc('queue-full'),
    }
  }
  const down = queuedMessages === 0 ? [] : [`${octets(queuedOctets)} for sensors that sleep or are busy`]
  const up = spooledMessages === 0 ? [] : [`${plural(spooledMessages, 'message')} for the broker`]
  const text = [...down, ...up].join('; ')
  return { tone: 'good', value, text: text === '' ? 'No sensor has messages waiting.' : `${text}.` }
}

function ofDeadLetters({ deadLetters }: GatewayInfo): Found {
  if (deadLetters === 0) return { tone: 'good', value: '0', text: 'The broker took everything.' }
  return {
    tone: 'warn',
    value: count(deadLetters),
    text: `The broker will not have ${plural(deadLetters, 'message')} that sensors were told had arrived.`,
    next: 'Let the broker permit their topics and send them again, or discard them.',
    ...doc('dead-letters'),
  }
}

function ofFaults({ counters: { faults, retransmissions } }: GatewayInfo): Found {
  const value = count(faults)
  if (faults === 0) {
    const text = `None. ${plural(retransmissions, 'retransmission')} since the start.`
    return { tone: 'good', value, text }
  }
  return {
    tone: 'bad',
    value,
    text: `${plural(faults, 'internal error')} since the start.`,
    next: 'Each one is a bug and ended the session of one sensor. Please report it with the stack from the log.',
    ...doc('internal-error'),
  }
}
