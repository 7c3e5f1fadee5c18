// A gateway with a DTLS listener at a broker in this process, its log, and sensors with keys.

import { onTestFinished } from 'vitest'
import type { Packet } from '../../src/codec/v1/messages.ts'
import { createLog } from '../../src/log.ts'
import { startAedes } from './broker.ts'
import { DtlsPeer, type DtlsPeerOptions } from './dtls-peer.ts'
import { Office, TestGateway, type TestParts } from './gateway.ts'

/** Keys of the sensors `meter-1` to `meter-9`, `fw-1`, and a long name. */
export const keyOf = (n: number): string => `0f1e2d3c4b5a69788796a5b4c3d2e1${n.toString(16).padStart(2, '0')}`

export const KEYS: Readonly<Record<string, string>> = Object.fromEntries([
  ...Array.from({ length: 9 }, (_, i) => [`meter-${i + 1}`, keyOf(i + 1)]),
  ['fw-1', keyOf(100)],
])

export interface SecureScene {
  readonly test: TestGateway
  readonly office: Office
  /** lines of the log so far */
  readonly lines: Record<string, unknown>[]
  /** opens a session with the key of this identity */
  peer(identity: string, options?: DtlsPeerOptions): Promise<DtlsPeer>
}

/** Everything is closed at the end of the test. */
export async function secureScene(
  overrides: Record<string, unknown> & { dtls?: object } = {},
  parts: TestParts = {},
): Promise<SecureScene> {
  const { dtls, ...rest } = overrides
  const broker = await startAedes()
  onTestFinished(() => broker.close())
  const lines: Record<string, unknown>[] = []
  const log = createLog(
    { level: 'debug', format: 'json', payloads: false },
    { isTTY: false, hasColors: () => false, write: (line: string) => lines.push(JSON.parse(line)) > 0 },
  )
  const listeners = [{ url: 'dtls://127.0.0.1:0', dtls: { psk: { keys: KEYS }, ...dtls } }]
  const test = await TestGateway.start(broker, { listeners, ...rest }, { log, ...parts })
  onTestFinished(() => test.stop())
  const office = await Office.at(broker, '#')
  onTestFinished(() => office.close())
  return {
    test,
    office,
    lines,
    async peer(identity, options = {}) {
      const peer = await DtlsPeer.open(test.url(), { psk: [identity, KEYS[identity] ?? ''], ...options })
      onTestFinished(() => peer.close())
      return peer
    },
  }
}

export const connect = (clientId: string, cleanSession = true): Packet => ({
  type: 'connect',
  will: false,
  cleanSession,
  protocolId: 1,
  duration: 60,
  clientId,
})

/** PUBLISH to a short topic name of two characters. */
export const publish = (topic: string, text: string, qos: -1 | 0 | 1 = 1, msgId = 1): Packet => ({
  type: 'publish',
  dup: false,
  qos,
  retain: false,
  topicIdType: 'short',
  topicId: topic.charCodeAt(0) * 256 + topic.charCodeAt(1),
  msgId: qos > 0 ? msgId : 0,
  data: Buffer.from(text),
})

/** SUBSCRIBE to a short topic name of two characters. */
export const subscribe = (topic: string, qos: 0 | 1 = 1): Packet => ({
  type: 'subscribe',
  dup: false,
  qos,
  msgId: 1,
  topicIdType: 'short',
  topicId: topic.charCodeAt(0) * 256 + topic.charCodeAt(1),
})
