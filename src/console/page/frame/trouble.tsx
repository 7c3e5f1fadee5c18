// What is said on every page while the gateway is not heard, and what to do about it.

import { useEffect, useRef, useState } from 'preact/hooks'
import { type ApiError, api, missingNodes } from '../data/api.ts'
import { live } from '../data/live.ts'
import { useClock, useLive } from '../data/use-live.ts'
import { time } from '../parts/format.ts'

/** The gateway wants to know who looks; it answers the token with a cookie. */
function TokenForm() {
  const input = useRef<HTMLInputElement>(null)
  const [problem, setProblem] = useState('')
  useEffect(() => input.current?.focus(), [])
  async function signIn(): Promise<void> {
    try {
      await api.signIn(input.current?.value ?? '')
      live.retry()
    } catch (error) {
      setProblem((error as ApiError).message)
    }
  }
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        void signIn()
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
      {problem !== '' && <span class="bad">{problem}</span>}
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

/** What is shown of a cluster is without these. */
function Missing({ names }: { names: string }) {
  return (
    <span>
      {`Not here: what node ${names} has, since it does not answer. `}
      <a href="#/cluster">See the cluster</a>
    </span>
  )
}

export function Trouble() {
  const { status, problem, info } = useLive()
  const isAway = status === 'away'
  const { names } = missingNodes
  const isPartial = !isAway && info?.clusterNode !== undefined && names !== ''
  return (
    <div id="trouble" class="trouble" role="alert" hidden={!isAway && !isPartial}>
      {isAway && (problem?.status === 401 ? <TokenForm /> : <Away />)}
      {isPartial && <Missing names={names} />}
    </div>
  )
}
