// The window that asks for a message to a sensor.

import { useState } from 'preact/hooks'
import type { OutgoingMessage } from '../data/api.ts'
import { CancelButton, openDialog } from '../layers/dialog.tsx'
import { fromHex } from '../parts/format.ts'

const QOS = ['at most once', 'at least once', 'exactly once']

interface Draft {
  topic: string
  payload: string
  format: string
  qos: 0 | 1 | 2
  retain: boolean
}

const topicProblem = ({ topic }: Draft) =>
  /[#+\0]/.test(topic) ? 'A message has one topic: no # and no +' : ''
const payloadProblem = ({ format, payload }: Draft) =>
  format === 'hex' && !/^(\s*[0-9a-f]{2})*\s*$/i.test(payload)
    ? 'Pairs of the digits 0-9 and a-f, such as 01 ff'
    : ''

interface MessageFormProps {
  readonly clientId: string
  /** is written to as somebody writes */
  readonly draft: Draft
  /** those that are suggested */
  readonly topics: readonly string[]
}

function MessageForm({ clientId, draft, topics }: MessageFormProps) {
  const [, redraw] = useState({})
  const change = (changed: Partial<Draft>) => {
    Object.assign(draft, changed)
    redraw({})
  }
  return (
    <>
      <p class="muted">
        {`It goes to ${clientId} alone, as if the broker had sent it. If the sensor sleeps, it waits in its queue.`}
      </p>
      <label class="field">
        <span>Topic</span>
        <input
          name="topic"
          required
          autocomplete="off"
          spellcheck={false}
          list="known-topics"
          maxLength={65_535}
          data-first=""
          ref={(input) => input?.setCustomValidity(topicProblem(draft))}
          onInput={({ currentTarget }) => change({ topic: currentTarget.value })}
        />
      </label>
      <datalist id="known-topics">
        {topics.map((topic) => (
          <option key={topic} value={topic} />
        ))}
      </datalist>
      <label class="field">
        <span>Message</span>
        <textarea
          name="payload"
          rows={3}
          spellcheck={false}
          ref={(input) => input?.setCustomValidity(payloadProblem(draft))}
          onInput={({ currentTarget }) => change({ payload: currentTarget.value })}
        />
      </label>
      <div class="fields">
        <label class="field">
          <span>Written as</span>
          <select name="format" onChange={({ currentTarget }) => change({ format: currentTarget.value })}>
            <option value="text">Text</option>
            <option value="hex">Hexadecimal</option>
          </select>
        </label>
        <label class="field">
          <span>Quality of service</span>
          <select
            name="qos"
            onChange={({ currentTarget }) => change({ qos: Number(currentTarget.value) as 0 | 1 | 2 })}
          >
            {QOS.map((words, level) => (
              <option key={words} value={level} selected={level === draft.qos}>
                {`${level}: ${words}`}
              </option>
            ))}
          </select>
        </label>
      </div>
      <label class="check">
        <input
          type="checkbox"
          name="retain"
          onChange={({ currentTarget }) => change({ retain: currentTarget.checked })}
        />
        <span>Marked as retained</span>
      </label>
      <div class="buttons">
        <CancelButton />
        <button type="submit" value="yes" class="primary">
          Send
        </button>
      </div>
    </>
  )
}

/** Resolves with the message, or with undefined if there shall be none. */
export async function askMessage(
  clientId: string,
  topics: readonly string[],
): Promise<OutgoingMessage | undefined> {
  const draft: Draft = { topic: '', payload: '', format: 'text', qos: 1, retain: false }
  const answer = await openDialog(
    'Send a message to this sensor',
    <MessageForm clientId={clientId} draft={draft} topics={topics} />,
  )
  if (answer !== 'yes') return undefined
  const { topic, payload, format, qos, retain } = draft
  const octets = format === 'hex' ? fromHex(payload.replace(/\s/g, '')) : new TextEncoder().encode(payload)
  return { topic, payload: octets, qos, retain }
}
