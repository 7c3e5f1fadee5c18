// What stands for the token in a browser: a cookie of chance for each sign-in, void when it signs out, is idle for long, or the
// gateway stops; and how often one may try.

import { createHash, randomBytes } from 'node:crypto'

/** Sign-ins that hold at once; the one that was idle for longest gives way. */
const MOST = 1000

/** Milliseconds without a request after which one ends. */
const IDLE = 7 * 86_400_000

/** Wrong tokens from one address within so many milliseconds, and addresses that are remembered. */
const ATTEMPTS = 10
const ATTEMPT_TIME = 60_000
const MOST_ADDRESSES = 1000

export interface Passes {
  /** Begins a sign-in; the cookie for it, as in Set-Cookie. */
  open(encrypted: boolean): string
  /** Whether a request carries one that holds. */
  hold(cookies: string | undefined): boolean
  /** Ends the one that a request carries; what its browser is told. */
  close(cookies: string | undefined): string
  /** whether this address has given too many wrong tokens lately */
  mayTry(address: string): boolean
  noteWrong(address: string): void
}

const digest = (text: string) => createHash('sha256').update(text).digest('base64')

/** Nobody is signed in. Cookies do not tell ports apart, so that the name does. `now`: milliseconds. */
export function createPasses(port: number, now: () => number = () => performance.now()): Passes {
  const name = `mqttsn_console_${port}`
  /** when each was last used, by its digest: what is in memory is worth nothing to who reads it */
  const used = new Map<string, number>()
  const wrong = new Map<string, { since: number; times: number }>()

  const passIn = (cookies: string | undefined): string | undefined => {
    const all = (cookies ?? '').split(';').map((one) => one.trim())
    return all.find((one) => one.startsWith(`${name}=`))?.slice(name.length + 1)
  }

  return {
    open(encrypted) {
      const pass = randomBytes(32).toString('base64url')
      for (const oldest of used.keys()) {
        if (used.size < MOST) break
        used.delete(oldest)
      }
      used.set(digest(pass), now())
      return `${name}=${pass}; Path=/; HttpOnly; SameSite=Strict${encrypted ? '; Secure' : ''}`
    },
    hold(cookies) {
      const pass = passIn(cookies)
      const key = pass === undefined ? '' : digest(pass)
      const at = used.get(key)
      if (at === undefined) return false
      used.delete(key)
      if (now() - at > IDLE) return false
      used.set(key, now()) // the latest come last
      return true
    },
    close(cookies) {
      const pass = passIn(cookies)
      if (pass !== undefined) used.delete(digest(pass))
      return `${name}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0`
    },
    mayTry(address) {
      const tried = wrong.get(address)
      return tried === undefined || now() - tried.since >= ATTEMPT_TIME || tried.times < ATTEMPTS
    },
    noteWrong(address) {
      const tried = wrong.get(address)
      if (tried !== undefined && now() - tried.since < ATTEMPT_TIME) {
        tried.times += 1
        return
      }
      if (wrong.size >= MOST_ADDRESSES) wrong.clear()
      wrong.set(address, { since: now(), times: 1 })
    },
  }
}
