// Is everything well with listeners that have DTLS: their limits, their keys and certificates? Pure.

import type { ListenerInfo, SecureInfo } from '../../contract/gateway.ts'
import { count, plural } from '../parts/format.ts'
import { doc, type Found } from './found.ts'

const DAY = 86_400_000
/** Certificates that end sooner than this should be replaced. */
const SOON = 30 * DAY
/** Share of the sessions that there may be from which on there are too many. */
const NEARLY = 0.9

type Trouble = Omit<Found, 'value'>

/** The worst that is found; undefined: all is well. `now` is a wall time. */
export function secureTrouble(listeners: readonly ListenerInfo[], now: number): Trouble | undefined {
  const found = listeners.flatMap(({ name, secure }) =>
    secure === undefined ? [] : [...troublesOf(name, secure, now)],
  )
  return found.find(({ tone }) => tone === 'bad') ?? found[0]
}

function* troublesOf(name: string, secure: SecureInfo, now: number): Generator<Trouble> {
  const { keyLog, sessions, halfOpen, limits, credentials } = secure
  if (keyLog)
    yield {
      tone: 'bad',
      text: `${name} writes the secrets of all its sessions to a file: whoever has it reads and forges everything.`,
      next: 'Remove "dtls.keyLog" of this listener from the configuration, start the gateway again, and delete the file.',
      ...doc('dtls-key-log'),
    }
  for (const [key, end] of Object.entries(credentials.certificates))
    yield* certificateTrouble(name, key, end - now)
  if (credentials.trouble !== undefined)
    yield {
      tone: 'bad',
      text: `${name} could not take over keys and certificates at the last reload: ${credentials.trouble}.`,
      next: 'Those of before stay in use. mqttsn check says what is wrong; then reload once more.',
      ...doc('dtls-keys'),
    }
  if (credentials.pskFile === 'unreadable')
    yield {
      tone: 'bad',
      text: `${name}: the file of keys cannot be read any more. The keys of before stay in use until the next start, which fails.`,
      next: 'See whether the file of "dtls.psk.file" is there, and whether the gateway may read it.',
      ...doc('dtls-keys'),
    }
  if (halfOpen >= limits.halfOpen)
    yield {
      tone: 'warn',
      text: `${name}: ${plural(halfOpen, 'handshake')} under way, which is as many as there may be.`,
      next: 'Sensors come all at once, or somebody begins handshakes and never ends them. "dtls.handshakes" bounds them all, "dtls.handshakesPerAddress" those of one address.',
      ...doc('dtls-limits'),
    }
  if (sessions > limits.sessions * NEARLY)
    yield {
      tone: 'warn',
      text: `${name}: ${count(sessions)} of ${count(limits.sessions)} sessions are open.`,
      next: 'Raise "dtls.sessions", or let unused ones end sooner with "dtls.idle". Above the limit the oldest that no sensor uses makes room.',
      ...doc('dtls-limits'),
    }
  if (credentials.pskFile === 'changed')
    yield {
      tone: 'note',
      text: `${name}: the file of keys has changed since it was read.`,
      next: 'Reload the configuration to take the new keys over.',
      ...doc('dtls-keys'),
    }
}

function* certificateTrouble(name: string, key: string, left: number): Generator<Trouble> {
  if (left > SOON) return
  const ends = left <= 0 ? 'has ended' : `ends within ${plural(Math.ceil(left / DAY), 'day')}`
  yield {
    tone: left <= 0 ? 'bad' : 'warn',
    text: `${name}: a certificate of "dtls.${key}" ${ends}.`,
    next: 'Replace its file and reload the configuration. It counts for new handshakes.',
    ...doc('certificate-ends'),
  }
}
