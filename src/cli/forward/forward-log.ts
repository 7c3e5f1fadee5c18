// What a forwarder says: one line for each change, and once a minute what was lost.

import type { ForwardConfig } from '../../config/forward/load.ts'
import type { ForwardBooks, ForwardDrop } from '../../forwarder/books.ts'
import type { Standing } from '../../forwarder/effects.ts'
import type { Log } from '../../log.ts'
import { isSecure, type SecuredSession } from '../../sensor/security.ts'

/** Milliseconds between two lines about what was lost. */
const MINUTE = 60_000

/** What to change where a gateway takes nothing from nodes. */
export function refusalHint({ to }: Pick<ForwardConfig, 'to'>): string {
  if (!isSecure(to.url))
    return 'it must have the address of this machine in "forwarders" of its listener (listeners[].forwarders)'
  const identity = to.psk === undefined ? 'that of its certificate' : JSON.stringify(to.psk.identity)
  return `it must have the identity of this forwarder, ${identity}, in "dtls.forwarders" of its listener`
}

/** What to look at where nobody answers. */
export const silenceHint = ({ to }: Pick<ForwardConfig, 'to'>): string =>
  isSecure(to.url)
    ? 'is "to" right, is there a gateway, and does it take datagrams from here?'
    : 'is "to" right, is there a gateway, and may this machine send to it ("allow" of its listener)?'

/** Tells what is known of the gateway, as it changes. `reason`: the last error of the socket, if there was one. */
export function logStanding(
  log: Log,
  config: Pick<ForwardConfig, 'to'>,
  standing: Standing,
  gwId: number | undefined,
  reason: string | undefined,
): void {
  const to = config.to.url
  const why = reason === undefined ? {} : { reason }
  switch (standing) {
    case 'serving':
      return log.info({ to, gwId }, 'the gateway serves')
    case 'refusing':
      return log.error(
        { to, hint: refusalHint(config) },
        'the gateway takes nothing from nodes of this forwarder',
      )
    case 'not-serving':
      return log.warn({ to, hint: 'can it reach its broker?' }, 'the gateway is there, and serves nobody')
    case 'silent':
      return log.warn({ to, ...why, hint: silenceHint(config) }, 'no gateway answers')
    case 'away':
    case 'unknown':
      return // what led to it was told
  }
}

/** Tells of a session of dtls://. */
export function logSession(
  log: Log,
  { url }: ForwardConfig['to'],
  session: SecuredSession | undefined,
): void {
  if (session === undefined) return
  const { identity, kind, suite, resumed } = session
  log.info({ to: url, identity, kind, suite, resumed }, 'secure session')
}

/** Logs what was dropped since the last line, if anything was, until the returned function is called. */
export function reportDrops(log: Log, { dropped }: ForwardBooks, interval = MINUTE): () => void {
  let before: Partial<Record<ForwardDrop, number>> = {}
  const report = (): void => {
    const lost = (Object.keys(dropped) as ForwardDrop[])
      .map((reason) => [reason, (dropped[reason] ?? 0) - (before[reason] ?? 0)] as const)
      .filter(([, times]) => times > 0)
    before = { ...dropped }
    if (lost.length > 0) log.warn({ lost: Object.fromEntries(lost) }, 'messages were dropped')
  }
  const timer = setInterval(report, interval)
  return () => {
    clearInterval(timer)
    report()
  }
}
