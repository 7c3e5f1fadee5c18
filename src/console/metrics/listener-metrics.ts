// Metrics of listeners: sockets, and sessions of DTLS.

import type { ListenerInfo, SecureInfo } from '../contract/gateway.ts'

export type Labels = Readonly<Record<string, string>>
export type Values = Iterable<readonly [Labels, number]>

/** One value for each entry of a table, with its name as this label. */
export const by = (label: string, table: Readonly<Record<string, number>>): Values =>
  Object.entries(table).map(([name, value]) => [{ [label]: name }, value])

export type Add = (name: string, help: string, labelNames: readonly string[], read: () => Values) => void

/** Adds them; `listeners` is asked at each scrape. */
export function addListenerMetrics(
  { counter, gauge }: { readonly counter: Add; readonly gauge: Add },
  listeners: () => readonly ListenerInfo[],
): void {
  const perListener = (read: (listener: ListenerInfo) => number | undefined): Values =>
    listeners().flatMap((listener) => {
      const value = read(listener)
      return value === undefined ? [] : [[{ listener: listener.name }, value] as const]
    })
  const lost = 'Datagrams that the system dropped because the receive buffer was full, where it tells.'
  counter('mqttsn_listener_kernel_drops_total', lost, ['listener'], () =>
    perListener(({ kernelDrops }) => kernelDrops),
  )
  const failed = 'Datagrams that could not be sent, and other errors of the socket.'
  counter('mqttsn_listener_send_errors_total', failed, ['listener'], () =>
    perListener(({ sendErrors }) => sendErrors),
  )
  const granted = 'Receive buffer that the system granted.'
  gauge('mqttsn_listener_receive_buffer_bytes', granted, ['listener'], () =>
    perListener(({ link, receiveBuffer }) => (link ? undefined : receiveBuffer)),
  )
  const wanted = 'Receive buffer that was asked for.'
  gauge('mqttsn_listener_receive_buffer_asked_bytes', wanted, ['listener'], () =>
    perListener(({ link, receiveBufferAsked }) => (link ? undefined : receiveBufferAsked)),
  )

  const perSecure = (read: (secure: SecureInfo) => number): Values =>
    perListener(({ secure }) => secure && read(secure))
  gauge('mqttsn_dtls_sessions', 'DTLS sessions that are open.', ['listener'], () =>
    perSecure(({ sessions }) => sessions),
  )
  gauge('mqttsn_dtls_half_open', 'DTLS handshakes under way.', ['listener'], () =>
    perSecure(({ halfOpen }) => halfOpen),
  )
  const ended = 'DTLS handshakes by how they ended: full, resumed, or why they failed.'
  counter('mqttsn_dtls_handshakes_total', ended, ['listener', 'result'], () =>
    listeners().flatMap(({ name, secure }) =>
      [...by('result', secure?.handshakes ?? {})].map(
        ([labels, value]) => [{ listener: name, ...labels }, value] as const,
      ),
    ),
  )
  const moved = 'DTLS sessions that went to another address of their sensor.'
  counter('mqttsn_dtls_moves_total', moved, ['listener'], () => perSecure(({ moves }) => moves))
  const asked = 'DTLS hellos that were asked to show that their address is theirs.'
  counter('mqttsn_dtls_hello_verify_total', asked, ['listener'], () =>
    perSecure(({ helloVerifies }) => helloVerifies),
  )
  const logged = '1 while the secrets of all DTLS sessions are written to a file.'
  gauge('mqttsn_dtls_key_log', logged, ['listener'], () => perSecure(({ keyLog }) => (keyLog ? 1 : 0)))
}
