// What the console page says without a browser: every word explained, one message in a few words, diagnoses in sentences.

import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { encodeFrame } from '../../../src/codec/v1/frame.ts'
import { MsgType, type Packet } from '../../../src/codec/v1/messages.ts'
import type { SensorDetail } from '../../../src/console/contract/sensors.ts'
import { ago, duration, hexDump, octets } from '../../../src/console/page/parts/format.ts'
import { explainState, whyNoMessages } from '../../../src/console/page/sensor/diagnosis.ts'
import { summarize, summarizeRemembered } from '../../../src/console/page/sensor/message-summary.ts'
import { DROPS } from '../../../src/console/page/words/drops.ts'
import { MESSAGES } from '../../../src/console/page/words/messages.ts'
import { STATES, UPSTREAM } from '../../../src/console/page/words/states.ts'
import { STATES as SENSOR_STATES } from '../../../src/session/states.ts'
import { FakeView } from '../fake-view.ts'

/** The members of a union of texts, as they stand in the source. */
function unionOf(file: string, name: string): string[] {
  const source = readFileSync(file, 'utf8')
  const body = new RegExp(`export type ${name} =\\n((?: *\\|.*\\n)+)`).exec(source)?.[1] ?? ''
  return [...body.matchAll(/\| '([^']+)'/g)].map(([, member = '']) => member)
}

describe('the words of the console page', () => {
  it('explain every reason for a drop, and what to do about it', () => {
    const reasons = [
      ...unionOf('src/session/events.ts', 'DropReason'),
      ...unionOf('src/codec/v1/messages.ts', 'MalformedReason').map((reason) => `malformed: ${reason}`),
      ...unionOf('src/dtls/effects.ts', 'Discard').map((reason) => `dtls-${reason}`),
      'oversized',
      'stalled',
    ]
    expect(reasons.length).toBeGreaterThan(20)
    expect(Object.keys(DROPS).sort()).toEqual(reasons.sort())
    for (const words of Object.values(DROPS)) {
      expect(words).toEqual({
        label: expect.stringMatching(/\w/),
        text: expect.stringMatching(/\.$/),
        next: expect.stringMatching(/\.$/),
      })
    }
  })

  it('explain every state of a sensor and of its connection', () => {
    expect(Object.keys(STATES).sort()).toEqual([...SENSOR_STATES].sort())
    expect(Object.keys(UPSTREAM).sort()).toEqual(['closed', 'connecting', 'retrying', 'up'])
  })

  it('explain every message', () => {
    const names = Object.keys(MsgType).map((name) => name.toUpperCase())
    expect(Object.keys(MESSAGES).sort()).toEqual([...names, 'MALFORMED'].sort())
  })
})

describe('a message in a few words', () => {
  const say = (packet: Packet, topic?: string, nodeId?: Uint8Array) =>
    summarize(packet.type.toUpperCase(), encodeFrame(packet, nodeId), topic)
  const publish = {
    type: 'publish',
    dup: true,
    qos: -1,
    retain: true,
    topicIdType: 'short',
    topicId: 0x6162,
    msgId: 0,
    data: new Uint8Array([0, 1, 2]),
  } as const

  it('names what matters', () => {
    expect(
      say({ type: 'connect', will: true, cleanSession: true, protocolId: 1, duration: 300, clientId: 'a' }),
    ).toBe('a · keep-alive 300 s · clean session · with will')
    expect(say(publish)).toBe('ab · QoS -1 · retained · DUP · 3 octets')
    expect(say({ ...publish, data: Buffer.from('23.5 °C') }, 'hall')).toContain('hall · QoS -1')
    expect(say({ ...publish, data: Buffer.from('23.5 °C') })).toContain('“23.5 °C”')
    expect(say({ ...publish, topicIdType: 'predefined', topicId: 9 })).toContain('predefined topic 9')
    expect(
      say({ type: 'subscribe', dup: false, qos: 2, msgId: 1, topicIdType: 'normal', topicName: 'a/#' }),
    ).toBe('a/# · QoS 2')
    expect(say({ type: 'suback', qos: 1, topicId: 4, msgId: 1, returnCode: 0 }, 'a')).toBe(
      'a · granted QoS 1',
    )
    expect(say({ type: 'suback', qos: 1, topicId: 0, msgId: 1, returnCode: 1 })).toBe('congestion: try later')
    expect(say({ type: 'disconnect', duration: 600 })).toBe('sleeps for 600 s')
    expect(say({ type: 'pingreq', clientId: 'valve' })).toBe('valve is awake')
    expect(say({ type: 'register', topicId: 3, msgId: 1, topicName: 'a/b' })).toBe('a/b = 3')
    expect(say({ type: 'register', topicId: 0, msgId: 1, topicName: 'a/b' })).toBe('a/b')
    expect(say({ type: 'regack', topicId: 3, msgId: 1, returnCode: 0 }, 'a/b')).toBe('a/b = 3 · accepted')
    expect(say({ type: 'regack', topicId: 0, msgId: 1, returnCode: 1 })).toBe('congestion: try later')
  })

  it('is the same behind a forwarder, and with the 3-octet length', () => {
    expect(say(publish, undefined, new Uint8Array([7, 7]))).toBe(say(publish))
    const long = { ...publish, data: new Uint8Array(400) }
    expect(say(long)).toBe('ab · QoS -1 · retained · DUP · 400 octets')
  })

  it('is the same when it is only remembered, but for its contents', () => {
    expect(summarizeRemembered('PUBLISH', 'QoS 1 hall, with a comma/celsius, 4 octets')).toBe(
      'hall, with a comma/celsius · QoS 1 · 4 octets',
    )
    expect(summarizeRemembered('PUBLISH', 'QoS 0 a, 1 octet, again')).toBe('a · QoS 0 · DUP · 1 octet')
    expect(summarizeRemembered('PUBACK', 'a/b, rejected: invalid topic id')).toBe(
      'a/b · unknown topic number',
    )
    expect(summarizeRemembered('CONNACK', 'accepted')).toBe(say({ type: 'connack', returnCode: 0 }))
    expect(summarizeRemembered('SUBSCRIBE', 'a/#')).toBe('a/#')
  })

  it('never fails, however a message is cut off', () => {
    for (const [name, code] of Object.entries(MsgType)) {
      for (let length = 0; length < 16; length++) {
        const bytes = new Uint8Array(length).fill(0xff)
        bytes.set([length, code].slice(0, length))
        expect(typeof summarize(name.toUpperCase(), bytes)).toBe('string')
      }
    }
  })
})

describe('the diagnosis of a sensor', () => {
  const now = 1_700_000_000_000
  const { items } = new FakeView(200).sensors({ offset: 0, limit: 200 })
  const sensor: SensorDetail = {
    ...(new FakeView(1).sensor('meter-0000') as SensorDetail),
    state: 'active',
    upstream: 'up',
    heardAt: now - 5000,
    lostAt: now + 65_000,
    queued: 0,
    queuedOctets: 0,
    subscribed: [{ filter: 'a', qos: 1, topicIdType: 'normal', topicId: 1 }],
    held: undefined,
    outstanding: undefined,
    lastError: undefined,
    refusedTopics: [],
    deadLetters: [],
    dropped: {},
  }
  const why = (changed: object, healthy = true) => whyNoMessages({ ...sensor, ...changed }, { healthy, now })

  it('says when nothing is in the way', () => {
    expect(why({})).toEqual({
      tone: 'good',
      headline: 'Nothing is in the way: messages of its 1 subscription are delivered at once.',
      findings: [],
    })
  })

  it.each([
    [
      'sleep',
      { state: 'asleep', held: 'x', queued: 2, queuedOctets: 9 },
      /^Not now: it sleeps.*in 1 min 5 s\.$/,
    ],
    ['no subscription', { subscribed: [] }, /not subscribed/],
    ['a refused login', { state: 'disconnected', lastError: 'not authorized' }, /could not connect/],
    ['loss', { state: 'lost' }, /it is lost/],
    ['a lost connection to the broker', { upstream: 'retrying' }, /connection to the broker is away/],
    [
      'an answer that is missing',
      { held: 'It has not answered PUBLISH yet.', outstanding: { kind: 'PUBLISH', tries: 2 }, queued: 1 },
      /has to answer first/,
    ],
    ['refused topics', { refusedTopics: ['a/b'] }, /refuses 1 topic/],
    ['a full queue', { dropped: { 'queue-full': 3 } }, /did not reach/],
  ])('names %s', (_name, changed, headline) => {
    expect(why(changed).headline).toMatch(headline)
  })

  it('puts the most severe first, and tells of a broker that is away', () => {
    const { tone, headline, findings } = why({ dropped: { expired: 1 }, refusedTopics: ['x'] }, false)
    expect({ tone, headline }).toEqual({
      tone: 'bad',
      headline: 'It gets none: the broker cannot be reached.',
    })
    expect(findings.map((finding) => finding.tone)).toEqual(['bad', 'warn', 'warn'])
  })

  it('describes every state in a sentence', () => {
    for (const item of items) expect(explainState({ ...sensor, ...item }, now)).toMatch(/^It .*\.$/)
  })
})

describe('figures', () => {
  it('are written as people read them', () => {
    expect([0, 59, 60, 200, 3600, 7500, 100_000].map(duration)).toEqual([
      '0 s',
      '59 s',
      '1 min',
      '3 min 20 s',
      '1 h',
      '2 h 5 min',
      '1 d 3 h',
    ])
    expect([1, 1023, 1024, 425_984, 4_194_304].map(octets)).toEqual([
      '1 octet',
      '1,023 octets',
      '1 KiB',
      '416 KiB',
      '4 MiB',
    ])
    expect([ago(undefined, 0), ago(0, 999), ago(0, 61_000)]).toEqual(['never', 'just now', '1 min ago'])
    expect(hexDump(Buffer.from('hello, wide world'))).toBe(
      '0000  68 65 6c 6c 6f 2c 20 77 69 64 65 20 77 6f 72 6c  hello, wide worl\n0010  64                                               d',
    )
  })
})
