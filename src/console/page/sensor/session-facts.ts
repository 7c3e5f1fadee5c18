// The facts of a sensor's session, in words: name, value and explanation. Pure.

import type { SensorDetail } from '../../contract/sensors.ts'
import { ago, count, duration, octets, plural, time, until } from '../parts/format.ts'
import { upstreamWords } from '../words/states.ts'
import { TERMS } from '../words/terms.ts'
import { outstandingInWords } from './diagnosis.ts'

function willInWords(will: SensorDetail['will']): string {
  if (will === undefined) return 'none'
  return `${will.topic}, QoS ${will.qos}${will.retain ? ', retained' : ''}, ${octets(will.octets)}`
}

type Fact = [name: string, value: string, tip?: string]

/** Of its secure session; nothing for sensors that come without DTLS. */
function securityFacts({ secure }: SensorDetail, now: number): Fact[] {
  if (secure === undefined) return []
  const { identity, kind, open } = secure
  const by = kind === 'psk' ? 'by its key' : 'by its certificate'
  const who: Fact = ['Identity', `${identity}, ${by}`, TERMS.identity]
  if (open === undefined) return [who, ['Secure session', 'over: it needs a handshake', TERMS.secureSession]]
  const { suite, resumed, connectionId, openedAt, received, sent, moves, movedAt } = open
  const moved = movedAt === undefined ? '' : `, moved ${plural(moves, 'time')}, last ${ago(movedAt, now)}`
  return [
    who,
    [
      'Secure session',
      `since ${time(openedAt, now)}${resumed ? ', resumed' : ''}${moved}`,
      TERMS.secureSession,
    ],
    ['Cipher suite', suite, TERMS.suite],
    ['Connection id', connectionId ? 'yes' : 'no', TERMS.connectionId],
    ['Secure records', `${count(received)} in, ${count(sent)} out`, TERMS.secureRecords],
  ]
}

/** Where there are several nodes. */
const nodeFact = ({ node }: SensorDetail): Fact[] =>
  node === undefined ? [] : [['Node', node, 'The node of the cluster that serves it.']]

export function factsOf(sensor: SensorDetail, now: number): Fact[] {
  const { heardAt, lostAt, keepAlive, sleep } = sensor
  const { label, text } = upstreamWords(sensor.upstream)
  return [
    ...nodeFact(sensor),
    ['Address', sensor.address ?? 'none at the moment'],
    ['Listener', sensor.listener ?? '–', TERMS.listener],
    ...securityFacts(sensor, now),
    [
      'Last heard',
      heardAt === undefined ? 'not since the start' : `${time(heardAt, now)}, ${ago(heardAt, now)}`,
    ],
    ['Keep-alive', keepAlive === 0 ? 'not supervised' : `every ${duration(keepAlive)}`, TERMS.keepAlive],
    ['Lost if silent', lostAt === undefined ? '–' : until(lostAt, now), TERMS.keepAlive],
    [
      'Sleep',
      sleep === undefined ? 'not asleep' : `for ${duration(sleep)}`,
      'How long it said that it would sleep.',
    ],
    ['Clean session', sensor.cleanSession ? 'yes' : 'no', TERMS.cleanSession],
    ['Broker', label, text],
    ['Gateway waits for', outstandingInWords(sensor.outstanding), TERMS.outstanding],
    ['Will', willInWords(sensor.will), TERMS.will],
  ]
}
