// The list of sensors that may connect, as text: a ClientId or a pattern on each line, and perhaps the rule that holds for it.

import { globToMatcher } from '../../config/sections/glob.ts'

/** A sensor that may connect. `rule`: the `match` of the rule that holds for it, if not the first that fits. */
export interface Allowed {
  readonly rule: string | undefined
}

/** Finds a sensor in the list; undefined if it is not there. */
export type AllowedSensors = (clientId: string) => Allowed | undefined

/**
 * Reads the list. Lines that are just a ClientId are found at once, however many there are; patterns are tried in order, after
 * them. A `#` at the beginning of a line, or after white space, begins a comment.
 */
export function readAllowedSensors(text: string): AllowedSensors {
  const exact = new Map<string, Allowed>()
  const patterns: { readonly fits: (clientId: string) => boolean; readonly allowed: Allowed }[] = []
  for (const line of text.split(/\r?\n/)) {
    const [pattern, rule] = line
      .replace(/(^|\s)#.*$/, '')
      .trim()
      .split(/\s+/)
    if (pattern === undefined || pattern === '') continue
    if (/[*?]/.test(pattern)) patterns.push({ fits: globToMatcher(pattern), allowed: { rule } })
    else exact.set(pattern, { rule })
  }
  return (clientId) => exact.get(clientId) ?? patterns.find(({ fits }) => fits(clientId))?.allowed
}
