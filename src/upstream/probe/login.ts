// One login at a broker, for people who look for a mistake: CONNECT, CONNACK, DISCONNECT.

import { SensorConnection } from '../mqtt/connection.ts'
import { createShared } from '../mqtt/mqtt.ts'
import type { Identity, UpstreamOptions } from '../upstream.ts'
import type { Step } from './steps.ts'

/** How long the broker may take to close the connection afterwards, milliseconds. */
const FAREWELL = 1000

/**
 * Logs in once, with a clean session and without a will; takes two connect timeouts at most. The ClientId must be nobody
 * else's: the broker would end the other's connection.
 */
export async function tryLogin(options: UpstreamOptions, identity: Identity): Promise<Step> {
  const shared = createShared(options)
  const { clientId, username } = identity
  const who = `as "${clientId}"${username === undefined ? '' : ` with user name "${username}"`}`
  let connection: SensorConnection | undefined
  try {
    return await new Promise<Step>((resolve) => {
      connection = new SensorConnection(shared, (event) => {
        if (event.type === 'connected') {
          const version = shared.endpoints.current.versions.preferred === 5 ? '5' : '3.1.1'
          resolve({ step: 'login', ok: true, says: `${who}: accepted, MQTT ${version}` })
        } else if (event.type === 'refused' || event.type === 'closed') {
          resolve({ step: 'login', ok: false, says: `${who}: ${event.detail}` })
        }
      })
      connection.connect({ identity, clean: true, mend: false, will: undefined })
    })
  } finally {
    connection?.close(false, true)
    shared.pacing.close()
    await shared.endings.close(FAREWELL)
  }
}
