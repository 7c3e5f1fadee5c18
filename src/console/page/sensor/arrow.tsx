// One message of a conversation: an arrow from one line of life to the other, with every field behind it.

import { Component } from 'preact'
import { fromHex, hexDump, plural, preciseTime, time } from '../parts/format.ts'
import { MESSAGES } from '../words/messages.ts'
import { TERMS } from '../words/terms.ts'
import { summarize } from './message-summary.ts'
import type { Message } from './transcript.ts'

/** `PUBLISH QoS 1, topicId 5` without the name, which stands before it already. */
const withoutType = (type: string, text: string) =>
  text.startsWith(type) ? text.slice(type.length).trim() : text

/** All that is known of one message. */
function Reading({ message }: { message: Message }) {
  const what = <p>{MESSAGES[message.type]}</p>
  if (!('bytes' in message)) {
    return (
      <div class="inside">
        {what}
        <p>{message.text}</p>
        <p class="muted">It was sent before this page was opened: its octets were not kept.</p>
      </div>
    )
  }
  const { topic, lines, bytes, address, port, listener } = message
  const octets = fromHex(bytes)
  return (
    <div class="inside">
      {what}
      {topic !== undefined && (
        <p>
          Topic: <code>{topic}</code>
        </p>
      )}
      {lines.length > 0 && <pre class="code">{lines.join('\n')}</pre>}
      <pre class="code" role="group" aria-label="Octets in hexadecimal">
        {hexDump(octets)}
      </pre>
      <p class="muted">
        {`${plural(octets.length, 'octet')}. The sensor is at ${address}:${port}, listener ${listener}.`}
      </p>
    </div>
  )
}

interface ArrowProps {
  readonly message: Message
}

/** A message never changes: hundreds of them are drawn once. */
export class Arrow extends Component<ArrowProps, { isOpen: boolean }> {
  override state = { isOpen: false }

  override shouldComponentUpdate({ message }: ArrowProps, { isOpen }: { isOpen: boolean }): boolean {
    return message !== this.props.message || isOpen !== this.state.isOpen
  }

  override render() {
    const { message } = this.props
    const { at, direction, type } = message
    const { isOpen } = this.state
    const isPast = !('bytes' in message)
    const isRepeated = !isPast && message.repeated
    const says = isPast
      ? withoutType(type, message.text)
      : summarize(type, fromHex(message.bytes), message.topic)
    const way = direction === 'received' ? 'Sensor to gateway' : 'Gateway to sensor'
    return (
      <li
        data-direction={direction}
        data-type={type}
        data-repeated={isRepeated ? 'true' : undefined}
        data-past={isPast ? 'true' : undefined}
      >
        <button
          type="button"
          class="arrow"
          aria-expanded={isOpen}
          aria-label={`${time(at)}, ${way}: ${type} ${says}${isRepeated ? ', sent again' : ''}`}
          onClick={() => this.setState({ isOpen: !isOpen })}
        >
          <time>{preciseTime(at)}</time>
          <span class="lane">
            <span class="label">
              <b>{type}</b>
              {says !== '' && <span>{says}</span>}
              {isRepeated && <em data-tip={TERMS.repeated}>again</em>}
            </span>
            <span class="line" />
          </span>
        </button>
        {isOpen && <Reading message={message} />}
      </li>
    )
  }
}
