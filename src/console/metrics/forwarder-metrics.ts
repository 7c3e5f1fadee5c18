// Metrics of `mqttsn forward`, in the names that the gateway has for the same things.

import { Registry } from 'prom-client'
import type { ListenerInfo } from '../contract/gateway.ts'
import { registerLinkMetrics } from './link-metrics.ts'
import { addListenerMetrics, by, type Values } from './listener-metrics.ts'
import { adders, processMetrics } from './registering.ts'

/** What the numbers are taken from. */
export interface ForwarderView {
  readonly version: string
  /** the gateway answers, and takes what nodes say */
  isServed(): boolean
  gwId(): number | undefined
  nodes(): number
  /** from nodes and to nodes */
  passed(): Readonly<Record<'received' | 'sent', { readonly messages: number; readonly octets: number }>>
  dropped(): Readonly<Record<string, number>>
  searches(): number
  /** messages that are held, by the name of their link */
  held(): Readonly<Record<string, number>>
  /** sessions of DTLS with the gateway, by how their handshake went */
  handshakes(): Readonly<Record<string, number>>
  listeners(): readonly ListenerInfo[]
}

const one = (value: number): Values => [[{}, value]]

/** Makes the metrics of what `view` shows; `text` gives them in the text format 0.0.4. */
export function createForwarderMetrics(view: ForwarderView): {
  readonly registry: Registry
  text(): Promise<string>
} {
  const registry = new Registry()
  const { counter, gauge } = adders(registry)
  let listeners: readonly ListenerInfo[] = []

  gauge('mqttsn_build_info', 'Always 1; its labels tell what runs.', ['version', 'gateway_id'], () => [
    [{ version: view.version, gateway_id: String(view.gwId() ?? '') }, 1],
  ])
  const served = '1 while the gateway answers, and takes what nodes of this forwarder say.'
  gauge('mqttsn_forwarder_gateway_up', served, [], () => one(view.isServed() ? 1 : 0))
  gauge('mqttsn_forwarder_nodes', 'Nodes that were heard and are remembered.', [], () => one(view.nodes()))
  const messages = 'Messages from and to nodes.'
  counter('mqttsn_forwarder_messages_total', messages, ['direction'], () => {
    const { received, sent } = view.passed()
    return by('direction', { received: received.messages, sent: sent.messages })
  })
  counter('mqttsn_forwarder_bytes_total', 'Octets of these, without encapsulation.', ['direction'], () => {
    const { received, sent } = view.passed()
    return by('direction', { received: received.octets, sent: sent.octets })
  })
  counter('mqttsn_drops_total', 'Datagrams and messages that were discarded, by reason.', ['reason'], () =>
    by('reason', view.dropped()),
  )
  const searches = 'SEARCHGW of nodes that were answered by the forwarder.'
  counter('mqttsn_forwarder_searches_total', searches, [], () => one(view.searches()))
  const held = 'Messages that nobody repeats, which wait for a link that is full.'
  gauge('mqttsn_forwarder_held_messages', held, ['listener'], () => by('listener', view.held()))
  const handshakes = 'DTLS handshakes with the gateway by how they ended: full, resumed or failed.'
  counter('mqttsn_forwarder_handshakes_total', handshakes, ['result'], () => by('result', view.handshakes()))
  addListenerMetrics({ counter, gauge }, () => listeners)
  registerLinkMetrics({ counter, gauge }, () => listeners)

  return {
    registry,
    async text() {
      // one look per scrape: it asks the system
      listeners = view.listeners()
      return Registry.merge([registry, processMetrics()]).metrics()
    },
  }
}
