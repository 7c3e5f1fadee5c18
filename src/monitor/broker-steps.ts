// What passes between the gateway and the broker for one sensor: the broker's lane of its conversation.

import type { BrokerStep } from '../console/contract/live.ts'
import type { Gateway } from '../gateway/gateway.ts'
import type { Effect, UpstreamEvent } from '../session/events.ts'
import { reasonText } from '../upstream/reason-names.ts'

type Told = Pick<BrokerStep, 'direction' | 'type' | 'text' | 'refused'>

/** Calls back for every step of this sensor until the returned function is called. */
export function watchBrokerSteps(
  gateway: Pick<Gateway, 'observe'>,
  clientId: string,
  listener: (step: BrokerStep) => void,
): () => void {
  const tell = (told: Told | undefined) => {
    if (told !== undefined) listener({ at: Date.now(), clientId, ...told })
  }
  return gateway.observe({
    effect(effect) {
      if ('session' in effect && effect.session?.clientId === clientId) tell(stepTo(effect))
    },
    heard(session, event) {
      if (session.clientId === clientId) tell(stepFrom(event))
    },
  })
}

const to = (type: string, text: string): Told => ({ direction: 'toBroker', type, text, refused: false })

const size = ({ length }: Uint8Array): string => (length === 1 ? '1 octet' : `${length} octets`)

function stepTo(effect: Effect): Told | undefined {
  switch (effect.type) {
    case 'connect':
      return to(
        'connect',
        `${effect.clean ? 'clean session' : 'kept session'}${effect.will ? ', with a will' : ''}`,
      )
    case 'close':
      return to('close', effect.publishWill ? 'without DISCONNECT: the will is published' : 'DISCONNECT')
    case 'publish': {
      const again = effect.repeated ? ', again' : ''
      return to('publish', `QoS ${effect.qos} ${effect.topic}, ${size(effect.payload)}${again}`)
    }
    case 'subscribe':
      return to('subscribe', `${effect.filter}, QoS ${effect.qos}`)
    case 'unsubscribe':
      return to('unsubscribe', effect.filter)
    case 'release':
      return to('release', 'PUBREL')
    case 'acknowledge':
      return to('acknowledge', 'a message of the broker')
    default:
      return undefined
  }
}

const from = (type: string, text: string, refused = false): Told => ({
  direction: 'fromBroker',
  type,
  text,
  refused,
})

function stepFrom(event: UpstreamEvent): Told | undefined {
  switch (event.type) {
    case 'connected':
      return from('connected', event.sessionPresent ? 'it has the session' : 'a new session')
    case 'refused':
      return from('refused', event.detail, true)
    case 'closed':
      return from('closed', event.detail, event.why === 'forbidden')
    case 'published':
      return from(
        'published',
        event.outcome === 0 ? 'accepted' : refusalText(event.reason),
        event.outcome !== 0,
      )
    case 'subscribed':
      return event.outcome === 0
        ? from('subscribed', `granted QoS ${event.qos}`)
        : from('subscribed', 'refused', true)
    case 'unsubscribed':
      return from('unsubscribed', '')
    case 'subscriptionEnded':
      return from('subscriptionEnded', event.filter, true)
    case 'received':
      return from('received', 'PUBREC')
    case 'message': {
      const { topic, qos, payload } = event.message
      return from('message', `QoS ${qos} ${topic}, ${size(payload)}`)
    }
    case 'releasing':
      return from('releasing', 'PUBREL')
    case 'congestion':
      return from('congestion', event.on ? 'the connection is full' : 'it drains again')
  }
}

const refusalText = (reason: number | undefined): string =>
  reason === undefined ? 'refused' : `refused: ${reasonText(reason)}`
