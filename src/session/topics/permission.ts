// Which topics a sensor may publish to, and which it may subscribe: topic filters, with exceptions. Pure.

import { covers, matches, overlaps, sharedFilter } from '../../mqtt-topics.ts'

/** Topic filters: what one of `allowed` matches is permitted, unless one of `except` matches it too. */
export interface Permission {
  readonly allowed: readonly string[]
  readonly except: readonly string[]
}

/** Whether a message with this topic name is permitted; without a permission all are. */
export const permitsTopic = (permission: Permission | undefined, topic: string): boolean =>
  permission === undefined ||
  (permission.allowed.some((filter) => matches(filter, topic)) &&
    !permission.except.some((filter) => matches(filter, topic)))

/**
 * Whether a subscription is permitted: all that its filter could match must be. One that would bring a single topic which is
 * excepted is not.
 */
export function permitsFilter(permission: Permission | undefined, filter: string): boolean {
  if (permission === undefined) return true
  const wanted = sharedFilter(filter)
  return (
    permission.allowed.some((outer) => covers(outer, wanted)) &&
    !permission.except.some((outer) => overlaps(outer, wanted))
  )
}
