// The file of pre-shared keys, as Mosquitto and GnuTLS write it: `identity:hexkey` in each line. No text here quotes a key.

import { accessSync, constants, statSync } from 'node:fs'
import { readText } from '../reading/references.ts'
import type { ListenerConfig } from '../schema.ts'

/** Octets of the largest file: some hundred thousand keys. */
const LARGEST = 32 * 1024 * 1024
const LONGEST_IDENTITY = 128

export type PskConfig = NonNullable<NonNullable<ListenerConfig['dtls']>['psk']>

/** What a file, or the configuration, has. */
export interface ReadKeys {
  readonly keys: ReadonlyMap<string, Uint8Array>
  /** what is wrong, each with its line; what is right counts all the same */
  readonly problems: readonly string[]
}

/** Tells whether a file is still the one that was read; undefined: it cannot be read. */
export function markOf(file: string): string | undefined {
  try {
    accessSync(file, constants.R_OK)
    const { ino, size, mtimeMs } = statSync(file)
    return `${ino} ${size} ${mtimeMs}`
  } catch {
    return undefined
  }
}

/** All keys in a text. */
export function parsePskFile(source: string): ReadKeys {
  const keys = new Map<string, Uint8Array>()
  const problems: string[] = []
  for (const [i, written] of source.split(/\r?\n/).entries()) {
    const line = written.trim()
    if (line === '' || line.startsWith('#')) continue
    const at = `line ${i + 1}: `
    // identities may hold colons, keys do not
    const colon = line.lastIndexOf(':')
    const [identity, key] = [line.slice(0, colon).trim(), line.slice(colon + 1).trim()]
    const octets = new TextEncoder().encode(identity).length
    if (colon < 1 || octets === 0) problems.push(`${at}no "identity:hexkey"`)
    else if (octets > LONGEST_IDENTITY) problems.push(`${at}an identity of more than 128 octets`)
    else if (/\p{Cc}/u.test(identity)) problems.push(`${at}an identity with control characters`)
    else if (!/^(?:[0-9a-f]{2}){8,64}$/i.test(key))
      problems.push(`${at}a key that is not 8 to 64 octets in hexadecimal digits`)
    else if (keys.has(identity)) problems.push(`${at}an identity that was there before`)
    else keys.set(identity, Uint8Array.from(Buffer.from(key, 'hex')))
  }
  return { keys, problems }
}

/** The keys of a listener, from its file and the configuration. Throws an Error if the file cannot be read. */
export function readPskKeys({ file, keys: written = {} }: PskConfig): ReadKeys {
  const { keys, problems } =
    file === undefined ? { keys: new Map(), problems: [] } : parsePskFile(readText(file, LARGEST))
  const all = new Map<string, Uint8Array>(keys)
  const again: string[] = []
  for (const [identity, key] of Object.entries(written)) {
    if (all.has(identity)) again.push('an identity that stands in psk.keys, too')
    all.set(identity, Uint8Array.from(Buffer.from(key, 'hex')))
  }
  return { keys: all, problems: [...problems, ...again] }
}

/** Whether others than its owner and its group may read a file; false where that cannot be told. */
export function isReadableByAll(file: string): boolean {
  if (process.platform === 'win32') return false
  return ((statSync(file, { throwIfNoEntry: false })?.mode ?? 0) & 0o004) !== 0
}
