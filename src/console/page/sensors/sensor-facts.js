// The facts of a sensor's session, in words: name, value and explanation.

import { TERMS, upstreamWords } from '../data/words.js'
import { ago, duration, octets, time, until } from '../parts/format.js'
import { outstandingInWords } from './diagnosis.js'

const yesNo = (value) => (value ? 'yes' : 'no')

export function factsOf(sensor, now) {
  const { will } = sensor
  return [
    ['Address', sensor.address ?? 'none at the moment'],
    ['Listener', sensor.listener ?? '–', TERMS.listener],
    [
      'Last heard',
      sensor.heardAt === undefined
        ? 'not since the start'
        : `${time(sensor.heardAt, now)}, ${ago(sensor.heardAt, now)}`,
    ],
    [
      'Keep-alive',
      sensor.keepAlive === 0 ? 'not supervised' : `every ${duration(sensor.keepAlive)}`,
      TERMS.keepAlive,
    ],
    ['Lost if silent', sensor.lostAt === undefined ? '–' : until(sensor.lostAt, now), TERMS.keepAlive],
    [
      'Sleep',
      sensor.sleep === undefined ? 'not asleep' : `for ${duration(sensor.sleep)}`,
      'How long it said that it would sleep.',
    ],
    ['Clean session', yesNo(sensor.cleanSession), TERMS.cleanSession],
    ['Broker', upstreamWords(sensor.upstream).label, upstreamWords(sensor.upstream).text],
    ['Gateway waits for', outstandingInWords(sensor.outstanding), TERMS.outstanding],
    [
      'Will',
      will === undefined
        ? 'none'
        : `${will.topic}, QoS ${will.qos}${will.retain ? ', retained' : ''}, ${octets(will.octets)}`,
      TERMS.will,
    ],
  ]
}
