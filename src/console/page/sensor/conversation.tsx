// What sensor and gateway say to each other, drawn as in the specification: two lines of life, an arrow per message.

import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { api } from '../data/api.ts'
import { duration, plural } from '../parts/format.ts'
import { EmptyState } from '../parts/panel.tsx'
import { Arrow } from './arrow.tsx'
import type { Message, Transcript } from './transcript.ts'

/** Seconds of silence that are worth a line. */
const SILENCE = 3
/** Pixels from the end that still count as being there. */
const NEAR_END = 40

const isAtEnd = (box: HTMLElement | null) =>
  box === null || box.scrollHeight - box.scrollTop - box.clientHeight < NEAR_END

function Silence({ seconds }: { seconds: number }) {
  return (
    <li class="silence">
      <span />
      <div>
        <span>{`${duration(seconds)} of silence`}</span>
      </div>
    </li>
  )
}

/** The messages, with a line wherever nothing was said for a while. */
function Arrows({ messages, withPings }: { messages: readonly Message[]; withPings: boolean }) {
  return (
    <ol class={withPings ? 'arrows' : 'arrows no-pings'}>
      {messages.map((message, i) => {
        const gap = (message.at - (messages[i - 1]?.at ?? message.at)) / 1000
        const arrow = <Arrow key={message.key} message={message} />
        return gap < SILENCE ? arrow : [<Silence key={`before ${message.key}`} seconds={gap} />, arrow]
      })}
    </ol>
  )
}

/** From arrow to arrow. */
function move(box: HTMLElement | null, step: number): void {
  const arrows = [...(box?.querySelectorAll<HTMLElement>('.arrow') ?? [])]
  const visible = arrows.filter((arrow) => arrow.offsetParent !== null)
  const at = visible.findIndex((arrow) => arrow === document.activeElement)
  const next = at === -1 ? (step > 0 ? 0 : visible.length - 1) : at + step
  visible[Math.max(0, Math.min(visible.length - 1, next))]?.focus()
}

/** What the keys of the page do to a conversation. */
export function conversationKey(transcript: Transcript, { key }: KeyboardEvent): boolean {
  const box = document.querySelector<HTMLElement>('.conversation')
  if (key === 'p') transcript.pause(!transcript.isPaused)
  else if (key === 'j' || key === 'ArrowDown') move(box, 1)
  else if (key === 'k' || key === 'ArrowUp') move(box, -1)
  else return false
  return true
}

/** `drawn` grows whenever the transcript has changed; `arrived` is how many messages came with that. */
interface ConversationProps {
  readonly clientId: string
  readonly transcript: Transcript
  readonly drawn: number
  readonly arrived: number
}

export function Conversation({ clientId, transcript, drawn, arrived }: ConversationProps) {
  const { messages, isPaused, held } = transcript
  const box = useRef<HTMLElement>(null)
  const wasAtEnd = useRef(true)
  const [withPings, setWithPings] = useState(true)
  const [unseen, setUnseen] = useState(0)

  function toEnd(): void {
    box.current?.scrollTo(0, box.current.scrollHeight)
    setUnseen(0)
  }
  // Who reads something further up is not torn away from it.
  useLayoutEffect(() => {
    if (wasAtEnd.current) toEnd()
    else setUnseen((value) => value + arrived)
  }, [drawn])
  useEffect(() => {
    const place = box.current
    const scrolled = () => {
      wasAtEnd.current = isAtEnd(place)
      if (wasAtEnd.current) setUnseen(0)
    }
    place?.addEventListener('scroll', scrolled, { passive: true })
    return () => place?.removeEventListener('scroll', scrolled)
  }, [])

  return (
    <section class="panel talk" aria-labelledby="talk-title">
      <header>
        <h2 id="talk-title">Conversation</h2>
        <label class="check">
          <input
            type="checkbox"
            checked={withPings}
            onChange={({ currentTarget }) => setWithPings(currentTarget.checked)}
          />
          <span>PINGs</span>
        </label>
        <button
          type="button"
          aria-keyshortcuts="p"
          aria-pressed={isPaused}
          onClick={() => transcript.pause(!isPaused)}
        >
          {!isPaused ? 'Pause' : held.length === 0 ? 'Go on' : `Go on (${held.length} new)`}
        </button>
        <button type="button" onClick={() => transcript.clear()}>
          Clear
        </button>
        <a
          class="button"
          href={api.captureUrl(clientId)}
          download={`${clientId.replace(/[^\w.-]/g, '_')}.pcapng`}
          data-tip="Records this sensor from now on into a file for Wireshark, until the download is cancelled or an hour has passed."
        >
          Record
        </a>
      </header>
      <section ref={box} class="conversation" tabIndex={0} aria-label="Conversation of sensor and gateway">
        <div class="lives" aria-hidden="true">
          <span />
          <div>
            <b>Sensor</b>
            <b>Gateway</b>
          </div>
          <b>Broker</b>
        </div>
        <Arrows messages={messages} withPings={withPings} />
        {messages.length === 0 && (
          <EmptyState title="Nothing was said yet">
            The next message of the sensor, or to it, will appear here at once. A sleeping sensor says nothing
            until it wakes up.
          </EmptyState>
        )}
      </section>
      {unseen > 0 && (
        <button type="button" class="follow" onClick={toEnd}>
          {`↓ ${plural(unseen, 'new message')}`}
        </button>
      )}
      <p class="muted hint">
        Click an arrow to see every field. The same in a terminal:{' '}
        <code>{`mqttsn trace ${/^[\w.-]+$/.test(clientId) ? clientId : JSON.stringify(clientId)}`}</code>
      </p>
    </section>
  )
}
