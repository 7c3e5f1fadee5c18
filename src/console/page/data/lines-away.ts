// What is said of lines that are away: serial devices and device servers on which nobody can be heard.

import type { ListenerInfo } from '../../contract/gateway.ts'

/** What it means, and what to do; undefined if every line is there. */
export function linesAway(listeners: readonly ListenerInfo[]): { text: string; next: string } | undefined {
  const away = listeners.filter(({ link }) => link?.up === false).map(({ name }) => name)
  if (away.length === 0) return undefined
  return {
    text: `Away: ${away.join(', ')}. Sensors there cannot be heard until it is back.`,
    next: 'Is the device plugged in, or the device server running? The log says why it cannot be opened.',
  }
}
