// The facts of a sensor's session, in words: name, value and explanation. Pure.

import type { SensorDetail } from '../../contract/sensors.ts'
import { ago, duration, octets, time, until } from '../parts/format.ts'
import { upstreamWords } from '../words/states.ts'
import { TERMS } from '../words/terms.ts'
import { outstandingInWords } from './diagnosis.ts'

function willInWords(will: SensorDetail['will']): string {
  if (will === undefined) return 'none'
  return `${will.topic}, QoS ${will.qos}${will.retain ? ', retained' : ''}, ${octets(will.octets)}`
}

export function factsOf(sensor: SensorDetail, now: number): [name: string, value: string, tip?: string][] {
  const { heardAt, lostAt, keepAlive, sleep } = sensor
  const { label, text } = upstreamWords(sensor.upstream)
  return [
    ['Address', sensor.address ?? 'none at the moment'],
    ['Listener', sensor.listener ?? '–', TERMS.listener],
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
