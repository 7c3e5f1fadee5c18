// The answer to one request, asked for when a component appears, again after a while, and on demand.

import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import type { ApiError } from './api.ts'

export interface Answer<T> {
  /** the latest that came; undefined until then */
  readonly value: T | undefined
  /** why there is none; old answers are better than none, so `value` may be there as well */
  readonly error: ApiError | undefined
  /** Asks again now. */
  reload(): void
}

/** `ask` is called at first, and every `interval` milliseconds while the page can be seen, if there is an interval. */
export function useAnswer<T>(ask: () => Promise<T>, interval?: number): Answer<T> {
  const [answer, setAnswer] = useState<Pick<Answer<T>, 'value' | 'error'>>({
    value: undefined,
    error: undefined,
  })
  const latest = useRef(ask)
  const asked = useRef(0)
  latest.current = ask
  const reload = useCallback(() => {
    asked.current += 1
    const mine = asked.current
    latest.current().then(
      (value) => mine === asked.current && setAnswer({ value, error: undefined }),
      (error: ApiError) => mine === asked.current && setAnswer(({ value }) => ({ value, error })),
    )
  }, [])
  useEffect(() => {
    reload()
    const timer =
      interval === undefined ? undefined : setInterval(() => document.hidden || reload(), interval)
    return () => {
      clearInterval(timer)
      asked.current += 1 // what comes after the end is of no use
    }
  }, [interval, reload])
  return { ...answer, reload }
}
