// Metrics of listeners with DTLS: sessions, handshakes, and the keys and certificates that they use.

import type { ListenerInfo, SecureInfo } from '../contract/gateway.ts'
import type { AddHistogram } from './counted-histogram.ts'
import { type Add, by, type Labels, type Values } from './listener-metrics.ts'

interface Registry {
  readonly counter: Add
  readonly gauge: Add
  readonly histogram: AddHistogram
}

/** Those that count from the first on: what only appears with its first value seems to have had it always. */
const RESULTS = {
  full: 0,
  resumed: 0,
  'wrong-key': 0,
  'unknown-identity': 0,
  certificate: 0,
  'no-suite': 0,
  timeout: 0,
  refused: 0,
  protocol: 0,
}
const FILE_STATES = ['current', 'changed', 'unreadable'] as const

/** Adds them; `listeners` is asked at each scrape. */
export function addSecureMetrics(
  { counter, gauge, histogram }: Registry,
  listeners: () => readonly ListenerInfo[],
): void {
  const every = <T>(read: (secure: SecureInfo) => Iterable<readonly [Labels, T]>): (readonly [Labels, T])[] =>
    listeners().flatMap(({ name, secure }) =>
      [...(secure === undefined ? [] : read(secure))].map(
        ([labels, value]) => [{ listener: name, ...labels }, value] as const,
      ),
    )
  const one = (read: (secure: SecureInfo) => number | undefined) => (): Values =>
    every((secure) => {
      const value = read(secure)
      return value === undefined ? [] : [[{}, value]]
    })

  gauge(
    'mqttsn_dtls_sessions',
    'DTLS sessions that are open.',
    ['listener'],
    one(({ sessions }) => sessions),
  )
  gauge(
    'mqttsn_dtls_sessions_limit',
    'DTLS sessions that there may be at once.',
    ['listener'],
    one(({ limits }) => limits.sessions),
  )
  gauge(
    'mqttsn_dtls_half_open',
    'DTLS handshakes under way.',
    ['listener'],
    one(({ halfOpen }) => halfOpen),
  )
  gauge(
    'mqttsn_dtls_half_open_limit',
    'DTLS handshakes that may be under way at once.',
    ['listener'],
    one(({ limits }) => limits.halfOpen),
  )
  const ended = 'DTLS handshakes by how they ended: full, resumed, or why they failed.'
  counter('mqttsn_dtls_handshakes_total', ended, ['listener', 'result'], () =>
    every(({ handshakes }) => by('result', { ...RESULTS, ...handshakes })),
  )
  const took =
    'From a DTLS hello with a valid cookie to the open session: full handshakes by what was proved (psk, certificate), and resumed ones.'
  histogram('mqttsn_dtls_handshake_seconds', took, ['listener', 'kind'], () =>
    every(({ handshakeTimes }) => Object.entries(handshakeTimes).map(([kind, times]) => [{ kind }, times])),
  )
  counter(
    'mqttsn_dtls_moves_total',
    'DTLS sessions that went to another address of their sensor.',
    ['listener'],
    one(({ moves }) => moves),
  )
  counter(
    'mqttsn_dtls_hello_verify_total',
    'DTLS hellos that were asked to show that their address is theirs.',
    ['listener'],
    one(({ helloVerifies }) => helloVerifies),
  )
  gauge(
    'mqttsn_dtls_key_log',
    '1 while the secrets of all DTLS sessions are written to a file.',
    ['listener'],
    one(({ keyLog }) => (keyLog ? 1 : 0)),
  )

  gauge(
    'mqttsn_dtls_identities',
    'Pre-shared keys of the configuration that are in use.',
    ['listener'],
    one(({ credentials }) => credentials.identities),
  )
  const file =
    '1 for what became of the file of keys since it was read: current, changed (a reload takes it over), unreadable.'
  gauge('mqttsn_dtls_psk_file', file, ['listener', 'state'], () =>
    every(({ credentials: { pskFile } }) =>
      pskFile === undefined ? [] : FILE_STATES.map((state) => [{ state }, state === pskFile ? 1 : 0]),
    ),
  )
  gauge(
    'mqttsn_dtls_reload_failed',
    '1 if the last reload could not use keys or certificates, so that those of before stay.',
    ['listener'],
    one(({ credentials }) => (credentials.trouble === undefined ? 0 : 1)),
  )
  const ends = 'When the first certificate in `cert` or `clientCa` of the listener ends, seconds since 1970.'
  gauge('mqttsn_dtls_certificate_end_timestamp_seconds', ends, ['listener', 'certificate'], () =>
    every(({ credentials }) =>
      Object.entries(credentials.certificates).map(([certificate, at]) => [{ certificate }, at / 1000]),
    ),
  )
}
