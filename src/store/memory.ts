// The store that forgets at the end of the process: nothing to wait for, nothing to damage.

import type { Store, StoredSession } from './store.ts'

/** Sessions in memory. A gateway that is stopped and started again in the same process finds them. */
export function createMemoryStore(): Store {
  const records = new Map<
    string,
    { session: StoredSession['session']; messages: Map<number, QueuedMessage> }
  >()
  return {
    load: async () =>
      [...records.values()].map(({ session, messages }) => ({ session, messages: [...messages.values()] })),
    save(session) {
      const record = records.get(session.clientId)
      if (record === undefined) records.set(session.clientId, { session, messages: new Map() })
      else record.session = session
    },
    forget: (clientId) => void records.delete(clientId),
    keepMessage: (clientId, message) => void records.get(clientId)?.messages.set(message.id, message),
    dropMessage: (clientId, id) => void records.get(clientId)?.messages.delete(id),
    durable: true,
    flushed: async () => {},
    close: async () => {},
  }
}

type QueuedMessage = StoredSession['messages'][number]
