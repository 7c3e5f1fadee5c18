// A component that shows what the gateway tells is drawn again whenever it tells something.

import { useEffect, useReducer, useState } from 'preact/hooks'
import { live } from './live.ts'

/** What is known of the gateway now; the component is drawn again with every update. */
export function useLive(): typeof live {
  const [, redraw] = useReducer((drawn: number) => drawn + 1, 0)
  useEffect(() => live.on('update', () => redraw(undefined)), [])
  return live
}

/** The time, once a second. */
export function useClock(): number {
  const [now, setNow] = useState(Date.now)
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000)
    return () => clearInterval(timer)
  }, [])
  return now
}
