// What SIGINT, SIGTERM and SIGHUP mean to a gateway, from its first moment on: before the rest of the program is loaded.

const early: { signal: NodeJS.Signals | undefined } = { signal: undefined }
let heard: ((signal: NodeJS.Signals) => void) | undefined
let isHeld = false

/**
 * From now on no signal ends the process by itself: the first SIGINT or SIGTERM is a wish to stop cleanly, a second one ends the
 * process at once, and SIGHUP before there is a configuration to load again is passed over.
 */
export function holdSignals(): void {
  if (isHeld) return
  isHeld = true
  process.on('SIGHUP', () => {})
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    process.on(signal, () => {
      if (early.signal !== undefined) process.exit(code)
      early.signal = signal
      heard?.(signal)
    })
  }
}

/** The signal that has asked for a stop already. */
export const stopRequest = (): NodeJS.Signals | undefined => early.signal

/** Resolves at the first SIGINT or SIGTERM, also if it was before this call. */
export function stopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    if (early.signal !== undefined) resolve(early.signal)
    else heard = resolve
  })
}
