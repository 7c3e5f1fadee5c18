// What is said on every page while the gateway is not heard, and what to do about it.

import { useEffect, useRef } from 'preact/hooks'
import { useClock, useLive } from '../data/use-live.ts'
import { time } from '../parts/format.ts'

/** The page may be asked for a token; the server turns `?token=` into a cookie. */
function TokenForm() {
  const input = useRef<HTMLInputElement>(null)
  useEffect(() => input.current?.focus(), [])
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        location.assign(`./?token=${encodeURIComponent(input.current?.value ?? '')}${location.hash}`)
      }}
    >
      <label>
        This console wants the token of its configuration (“console.token”).{' '}
        <input
          ref={input}
          type="password"
          name="token"
          required
          autocomplete="current-password"
          aria-label="Token"
        />
      </label>
      <button type="submit">Enter</button>
    </form>
  )
}

function Away() {
  const { problem, heardAt, retryAt = 0, retry } = useLive()
  const seconds = Math.max(0, Math.ceil((retryAt - useClock()) / 1000))
  const why = problem?.message ?? 'The stream of events from the gateway broke.'
  const last = heardAt === undefined ? '' : ` What you see is from ${time(heardAt)}.`
  const next = problem?.status === 0 ? ' See whether it runs: “mqttsn gateway” and its log.' : ''
  return (
    <>
      <span>{`${why}${last}${next}`}</span>
      {/* The countdown changes every second, which a screen reader shall not repeat. */}
      <span aria-hidden="true">{seconds > 0 ? `Next attempt in ${seconds} s.` : 'Trying again…'}</span>
      <button type="button" onClick={retry}>
        Try now
      </button>
    </>
  )
}

export function Trouble() {
  const { status, problem } = useLive()
  const isAway = status === 'away'
  return (
    <div id="trouble" class="trouble" role="alert" hidden={!isAway}>
      {isAway && (problem?.status === 401 ? <TokenForm /> : <Away />)}
    </div>
  )
}
