// Counts of troubles by their kinds, and how they are told.

/** How often each was. */
export type Tally = { readonly [kind in string]?: number }

/** What has come between two tallies. */
export const troublesSince = (before: Tally, now: Tally): Tally =>
  Object.fromEntries(
    Object.entries(now).flatMap(([kind, count = 0]) => {
      const more = count - (before[kind] ?? 0)
      return more > 0 ? [[kind, more]] : []
    }),
  )

/** "restart 3, failover 2" */
export const describeTroubles = (tally: Tally): string =>
  Object.entries(tally)
    .map(([kind, count]) => `${kind} ${count}`)
    .join(', ')
