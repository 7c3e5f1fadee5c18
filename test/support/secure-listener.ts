// A listener at dtls:// for tests, where the gateway of this build has such.

import { loadConfig } from '../../src/config/load.ts'

/** Settings of a listener with these keys, hex by identity. */
export const secureListeners = (keys: Readonly<Record<string, string>>): { listeners: object[] } => ({
  listeners: [{ url: 'dtls://127.0.0.1:0', dtls: { psk: { keys } } }],
})

/** Whether the configuration knows it. */
export const hasSecureListeners: boolean = (() => {
  try {
    loadConfig({ env: {}, overrides: { broker: 'embedded', ...secureListeners({ a: '00'.repeat(16) }) } })
    return true
  } catch {
    return false
  }
})()
