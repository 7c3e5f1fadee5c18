// The file that lets Wireshark read what is protected: whoever has it can do the same.

import { closeSync, openSync, writeSync } from 'node:fs'
import { TransportError } from '../error.ts'

export interface KeyLog {
  write(line: string): void
  close(): void
}

/** Opens the file to append to; only its owner may read it. Throws TransportError. */
export function openKeyLog(file: string): KeyLog {
  let handle: number | undefined
  try {
    handle = openSync(file, 'a', 0o600)
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new TransportError(
      'failed',
      `the key log cannot be written (listeners[].dtls.keyLog): ${why}`,
      cause,
    )
  }
  return {
    write(line) {
      try {
        if (handle !== undefined) writeSync(handle, `${line}\n`)
      } catch {
        // a full disk must not disturb the sensors
      }
    },
    close() {
      if (handle !== undefined) closeSync(handle)
      handle = undefined
    },
  }
}
