// Ends what the broker keeps of a session that the gateway forgets: by a connection with a clean session, which is closed again.
// Otherwise the broker would queue messages for a sensor that nobody remembers.

import type { Who } from '../../session/policy.ts'
import type { Upstream, UpstreamConnection } from '../../upstream/upstream.ts'
import type { SensorRules } from '../rules/sensor-rules.ts'

/** Sessions that may wait for that. What is above is left to the broker, which lets sessions expire by itself. */
const MOST_WAITING = 2000

export interface SessionEndings {
  /**
   * Ends it as soon as the pace of connections allows. `expired`: it was not seen for `timers.keepSessions`; an MQTT 5 broker
   * knows by itself when sessions expire, and the sensor may be at another gateway by now, so it is left alone there.
   */
  end(who: Who, expired: boolean): void
  /** The sensor is back: its own connection decides what the broker keeps. */
  cancel(clientId: string): void
}

/** One object for the life of a gateway. */
export function createSessionEndings(
  upstream: Upstream,
  rules: Pick<SensorRules, 'identityOf'>,
): SessionEndings {
  const waiting = new Map<string, UpstreamConnection>()

  function cancel(clientId: string): void {
    if (waiting.size === 0) return
    waiting.get(clientId)?.close(false, true)
    waiting.delete(clientId)
  }

  return {
    cancel,
    end(who, expired) {
      const { clientId } = who
      cancel(clientId)
      if (waiting.size >= MOST_WAITING || (expired && upstream.stats().version === '5')) return
      const connection = upstream.connection(() => {
        // connected: it is clean from now on; refused or closed: there is nothing more that can be done
        if (waiting.get(clientId) === connection) cancel(clientId)
        else connection.close(false, true)
      })
      waiting.set(clientId, connection)
      connection.connect({ identity: rules.identityOf(who), clean: true, mend: false, will: undefined })
    },
  }
}
