// How handshakes of DTLS end, and how long they take, in words. Pure.

import type { HistogramInfo } from '../../contract/gateway.ts'

const WORDS: Readonly<Record<string, string>> = {
  full: 'A session was opened with a key or a certificate.',
  resumed: 'A session was opened by a short handshake, since the sensor kept what is needed for that.',
  'wrong-key': 'The sensor has another key than the gateway has for its identity.',
  'unknown-identity': 'Nobody of this identity is in the file of keys, or in "dtls.psk.keys".',
  certificate: 'Its certificate is of no authority in "dtls.clientCa", over, revoked, or has no identity.',
  'no-suite': 'It offers no cipher suite of "dtls.ciphers" for which there is a key or a certificate.',
  timeout:
    'It was not finished in time: datagrams get lost, or it gave up. See "dtls.mtu" and "dtls.retransmit".',
  refused: 'There are as many sessions as there may be, and sensors use them all: "dtls.sessions".',
  protocol: 'What came is against the protocol.',
  alert: 'The sensor broke it off.',
  replaced: 'The sensor began anew from the same address.',
  fault: 'An error inside the gateway. Please report it with the log.',
}

export const handshakeWords = (result: string): string => WORDS[result] ?? 'Another way to end.'

const KINDS: Readonly<Record<string, string>> = {
  psk: 'with keys',
  certificate: 'with certificates',
  resumed: 'resumed',
}

/** `with keys: 0.1 s, 95 of 100 in 0.25 s`: the bounds within which they lie. */
export function timesInWords(kind: string, times: HistogramInfo): string {
  return `${KINDS[kind] ?? kind}: ${within(times, 0.5)}, 95 of 100 ${within(times, 0.95)}`
}

function within({ bounds, counts, count }: HistogramInfo, share: number): string {
  const bound = bounds.find((_, i) => (counts[i] ?? 0) >= count * share)
  if (bound === undefined) return `over ${seconds(bounds.at(-1) ?? 0)}`
  return `within ${seconds(bound)}`
}

const seconds = (value: number): string => (value < 1 ? `${value * 1000} ms` : `${value} s`)
