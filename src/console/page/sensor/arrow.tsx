// One message of a conversation: an arrow from one line of life to the other, with every field behind it.

import { Component } from 'preact'
import type { BrokerStep } from '../../contract/live.ts'
import type { RecentEntry } from '../../contract/sensors.ts'
import type { PacketEvent } from '../data/live.ts'
import { fromHex, hexDump, plural, preciseTime } from '../parts/format.ts'
import { MESSAGES } from '../words/messages.ts'
import { TERMS } from '../words/terms.ts'
import { summarize, summarizeRemembered } from './message-summary.ts'
import { isStep, type Message } from './transcript.ts'

type Datagram = PacketEvent | RecentEntry

/** All that is known of one datagram. */
function Reading({ message }: { message: Datagram }) {
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

/** What a datagram says: the same whether it is remembered or comes live, but for its contents, which are not remembered. */
const wordsOf = (message: Datagram): string =>
  'bytes' in message
    ? summarize(message.type, fromHex(message.bytes), message.topic)
    : summarizeRemembered(message.type, message.text)

/** What passes between the gateway and the broker, in the lane on the right. */
function Step({ step: { at, direction, type, text, refused } }: { step: BrokerStep }) {
  const way = direction === 'toBroker' ? 'Gateway to broker' : 'Broker to gateway'
  return (
    <li class="step" data-direction={direction} data-type={type} data-refused={refused ? 'true' : undefined}>
      <div class="arrow">
        <time>{preciseTime(at)}</time>
        <span class="lane" />
        <span class="broker-lane">
          <span class="label">
            <span class="unseen">{`${way}: `}</span>
            <b>{type}</b>
            <span>{summarizeRemembered('', text)}</span>
          </span>
          <span class="line" />
        </span>
      </div>
    </li>
  )
}

/** A message never changes: hundreds of them are drawn once. */
export class Arrow extends Component<ArrowProps, { isOpen: boolean }> {
  override state = { isOpen: false }

  override shouldComponentUpdate({ message }: ArrowProps, { isOpen }: { isOpen: boolean }): boolean {
    return message !== this.props.message || isOpen !== this.state.isOpen
  }

  override render() {
    const { message } = this.props
    if (isStep(message)) return <Step step={message} />
    const { at, direction, type } = message
    const { isOpen } = this.state
    const isPast = !('bytes' in message)
    const isRepeated = !isPast && message.repeated
    const says = wordsOf(message)
    const way = direction === 'received' ? 'Sensor to gateway' : 'Gateway to sensor'
    return (
      <li
        data-direction={direction}
        data-type={type}
        data-repeated={isRepeated ? 'true' : undefined}
        data-past={isPast ? 'true' : undefined}
        data-refused={message.refused === undefined ? undefined : 'true'}
      >
        <button
          type="button"
          class="arrow"
          aria-expanded={isOpen}
          onClick={() => this.setState({ isOpen: !isOpen })}
        >
          <time>{preciseTime(at)}</time>
          <span class="lane">
            <span class="unseen">{`${way}: `}</span>
            <span class="label">
              <b>{type}</b>
              {says !== '' && <span>{says}</span>}
              {isRepeated && <em data-tip={TERMS.repeated}>again</em>}
            </span>
            <span class="line" />
          </span>
          <span class="broker-lane" />
        </button>
        {isOpen && <Reading message={message} />}
      </li>
    )
  }
}
