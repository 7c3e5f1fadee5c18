// What is shown when something could not be loaded: what happened, what it means, and a way on.

import type { ApiError } from '../data/api.ts'

const ADVICE: Readonly<Record<number, string>> = {
  0: 'See whether the gateway runs, and whether this computer still reaches it.',
  401: 'The console wants its token: open it with the token once more.',
  403: 'The gateway refuses this address: open the console with the address in its configuration.',
  503: 'The gateway is busy or starting: try again in a moment.',
}

/** `retry` is called by the button. */
export function Failure({ title, error, retry }: { title: string; error: ApiError; retry: () => void }) {
  return (
    <div class="empty" role="alert">
      <h3>{title}</h3>
      <p>{error.message}</p>
      <p class="muted">{ADVICE[error.status] ?? 'If it happens again, look into the log of the gateway.'}</p>
      <button type="button" onClick={retry}>
        Try again
      </button>
    </div>
  )
}
