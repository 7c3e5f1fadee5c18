// The file of shared keys, `identity:hexkey` a line, as Mosquitto (psk_file) and GnuTLS (psktool) have it.

import { closeSync, fstatSync, openSync, readFileSync, writeSync } from 'node:fs'
import { keyOctets } from '../../sensor/security.ts'

/** A key and whose it is; the key is hex. */
export interface SharedKey {
  readonly identity: string
  readonly key: string
}

/** Why an identity cannot stand in the file; undefined if it can. */
export function faultOfIdentity(identity: string): string | undefined {
  if (identity.trim() !== identity || identity === '')
    return 'an identity neither begins nor ends with a blank'
  if (identity.startsWith('#')) return 'a line that begins with # is a comment'
  if (/\p{Cc}/u.test(identity)) return 'an identity has no control characters'
  return Buffer.byteLength(identity) > 128 ? 'an identity has at most 128 octets' : undefined
}

/** What `identity:hexkey` says; undefined if it is none. The key is behind the last colon: an identity may have some. */
export function parseSharedKey(text: string): SharedKey | undefined {
  const at = text.lastIndexOf(':')
  const [identity, key] = [text.slice(0, at).trim(), text.slice(at + 1).trim()]
  return at > 0 && faultOfIdentity(identity) === undefined && keyOctets(key) !== undefined
    ? { identity, key }
    : undefined
}

/** All keys of a file by identity; throws an error that names the line, never the key. */
export function readPskFile(path: string): Map<string, SharedKey> {
  const keys = new Map<string, SharedKey>()
  for (const [index, line] of readFileSync(path, 'utf8').split(/\r?\n/).entries()) {
    if (line.trim() === '' || line.trim().startsWith('#')) continue
    const found = parseSharedKey(line)
    if (found === undefined)
      throw new Error(`${path}, line ${index + 1}: expected identity:key with 8 to 64 octets in hex`)
    if (keys.has(found.identity))
      throw new Error(`${path}, line ${index + 1}: ${JSON.stringify(found.identity)} has a key already`)
    keys.set(found.identity, found)
  }
  return keys
}

/** Puts keys at the end of a file, which is made for its owner alone where there is none. */
export function appendToPskFile(path: string, added: readonly SharedKey[]): void {
  const file = openSync(path, 'a+', 0o600)
  try {
    const { size } = fstatSync(file)
    const isWhole = size === 0 || readFileSync(path).at(-1) === 0x0a
    const lines = added.map(({ identity, key }) => `${identity}:${key}\n`).join('')
    writeSync(file, `${isWhole ? '' : '\n'}${lines}`)
  } finally {
    closeSync(file)
  }
}
