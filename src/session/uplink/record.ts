// A publish of a sensor as it is stored: plain data, times as wall time; and what memory needs of it meanwhile. Pure.

import type { DeadLetter, SpooledPosition, Uplink } from '../message.ts'
import type { ToMonotonic, ToWall } from '../record.ts'

/** A publish of the sensor as it is stored: what both sides still need of it. */
export interface UplinkRecord {
  readonly msgId: number
  readonly qos: 0 | 1 | 2
  readonly topicIdType: Uplink['topicIdType']
  readonly topicId: number
  readonly topic: string
  readonly retain: boolean
  readonly data: Uint8Array
  /** wall time */
  readonly at: number
  readonly stored: boolean
  readonly stage: Uplink['broker']
  readonly why?: Uplink['why']
  readonly repeated: boolean
  /** QoS 2: what the sensor was last told or has said */
  readonly answer: 'none' | 'pubrec' | 'pubrel'
}

export function uplinkRecord(uplink: Uplink, toWall: ToWall): UplinkRecord {
  const { sensor, why, qos } = uplink
  const answer = sensor === 'released' ? 'pubrel' : sensor === 'answered' ? 'pubrec' : 'none'
  // written field by field: copies by `...` are slow, and so is packing objects of changing shapes
  const record = {
    msgId: uplink.msgId,
    qos,
    topicIdType: uplink.topicIdType,
    topicId: uplink.topicId,
    topic: uplink.topic,
    retain: uplink.retain,
    data: uplink.data,
    at: toWall(uplink.at),
    stored: uplink.stored,
    stage: uplink.broker,
    repeated: uplink.repeated,
    answer: qos === 2 ? answer : 'none',
  } as const
  return why === undefined ? record : { ...record, why }
}

/**
 * The publish that a record tells of. No connection of before is left: what was given to one is given again, and nobody waits
 * for an answer.
 */
export function uplinkFromRecord(token: number, record: UplinkRecord, toMonotonic: ToMonotonic): Uplink {
  const { stage, answer, at, ...rest } = record
  const wasSent = stage === 'sent'
  return {
    ...rest,
    token,
    at: toMonotonic(at),
    repeated: rest.repeated || wasSent,
    broker: wasSent ? 'waiting' : stage,
    sensor: sensorSide(record),
    deadline: Number.POSITIVE_INFINITY,
    retryAt: 0,
  }
}

/** What a publish counts against the limits on octets while it waits. */
export const uplinkSize = ({ data, topic }: Uplink): number => data.length + topic.length

/** Where a publish is that may wait in the store alone: nobody but the broker needs it, and no connection has had it. */
export function spooledPosition(uplink: Uplink): SpooledPosition | undefined {
  const { token, at, stored, broker, repeated, qos, sensor } = uplink
  const waits = stored && broker === 'waiting' && !repeated && (qos !== 2 || sensor === 'released')
  return waits ? { token, at, octets: uplinkSize(uplink) } : undefined
}

/** What memory knows of a dead letter. */
export const deadLetterOf = ({ token, topic, qos, retain, at, data, why = 'refused' }: Uplink): DeadLetter => ({
  token, topic, qos, retain, at, octets: data.length, why,
}) // biome-ignore format: one line reads better

/** What a dead letter counts against the limits on octets: as when it waited. */
export const deadLetterSize = ({ topic, octets }: DeadLetter): number => octets + topic.length

/** What memory needs of a publish that is in the store; undefined: all of it. */
export function partInMemory(uplink: Uplink): SpooledPosition | DeadLetter | undefined {
  // the repetition of a QoS 2 publish is recognised by its contents
  if (uplink.broker === 'dead')
    return uplink.qos === 2 && uplink.sensor !== 'released' ? undefined : deadLetterOf(uplink)
  return spooledPosition(uplink)
}

const sameTime = (time: number): number => time

/** A publish that was kept in memory, as it continues after a restart of the gateway within its process. */
export const restoredUplink = (uplink: Uplink): Uplink =>
  uplinkFromRecord(uplink.token, uplinkRecord(uplink, sameTime), sameTime)

function sensorSide({ qos, stored, answer }: UplinkRecord): Uplink['sensor'] {
  if (qos === 0) return 'released'
  if (qos === 1) return stored ? 'answered' : 'told'
  return answer === 'pubrel' ? 'released' : answer === 'pubrec' ? 'answered' : 'told'
}
