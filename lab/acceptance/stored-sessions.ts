// Sessions of sensors that nobody has to connect: put into the database of a cluster as its nodes would, and left there without an owner.

import type { Env } from '../../src/session/policy.ts'
import { createSession, type Session } from '../../src/session/session.ts'
import { slotOfName } from '../../src/sessions/slots.ts'
import { readEngineUrl } from '../../src/store/postgres/engine/url.ts'
import { openPostgresStore } from '../../src/store/postgres/postgres.ts'
import type { PostgresEngine } from '../postgres/engine.ts'

/** Sessions that are written at a time. */
const TOGETHER = 2000
/** none of it is stored */
const env = { policyFor: () => ({ pool: undefined }), random: Math.random } as unknown as Env

/** An active sensor with a will, a topic and a subscription, heard a moment ago at an address of its own. */
function sensorAt(index: number, listener: string): Session {
  const clientId = `stored-${index}`
  const session = createSession(clientId, env)
  const [address, port] = [`10.${index >> 16}.${(index >> 8) & 0xff}.${index & 0xff}`, 5000]
  session.state = 'active'
  session.established = true
  session.cleanSession = false
  session.keepAlive = 3600
  session.heardAt = performance.now()
  session.source = address
  session.will = {
    topic: { name: `will/${clientId}`, qos: 1, retain: false },
    message: new TextEncoder().encode('gone'),
  }
  const topic = `up/${clientId}`
  session.topics.byId.set(1, topic)
  session.topics.byName.set(topic, 1)
  session.topics.confirmed.add(1)
  session.subscriptions.set(`down/${clientId}`, { qos: 1, topicIdType: 'normal', topicId: 2 })
  session.peer = {
    ...{ key: index, address, port },
    listener: { name: listener, maxMessage: 65_507, roaming: 'port' },
  }
  return session
}

/** Nodes that are started afterwards take them up. */
export async function storeSessions(engine: PostgresEngine, count: number, listener: string): Promise<void> {
  const url = readEngineUrl(engine.url)
  if ('expected' in url) throw new Error(url.expected)
  const store = await openPostgresStore({ engine: url, slotOf: slotOfName })
  for (let index = 0; index < count; index += 1) {
    store.save(sensorAt(index, listener))
    if (index % TOGETHER === TOGETHER - 1)
      await new Promise<void>((resolve, reject) => {
        store.onDurable((error) => (error === undefined ? resolve() : reject(error)))
      })
  }
  await store.close()
  await engine.primary.sql(
    'UPDATE mqttsn_slot SET node = NULL, incarnation = NULL; DELETE FROM mqttsn_lane; DELETE FROM mqttsn_member; ANALYZE',
  )
}
