// Until no messages come in any more: a balancer needs some seconds to learn that a node is about to end, and sends them here until then.

/** How often is looked, and for how long nothing must have come, milliseconds. */
const LOOK = 500
export const QUIET = 5000

/** Resolves when nothing was counted for a while. `isOver`: nobody waits any more. */
export async function untilQuiet(count: () => number, isOver: () => boolean): Promise<void> {
  let [last, quiet] = [count(), 0]
  while (quiet < QUIET && !isOver()) {
    await new Promise((resolve) => setTimeout(resolve, LOOK))
    const now = count()
    quiet = now === last ? quiet + LOOK : 0
    last = now
  }
}
