// Metrics of listeners: their sockets.

import type { ListenerInfo } from '../contract/gateway.ts'

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
}
