// Who is meant by a list of peers: networks, link addresses of radios, nodes behind forwarders and bridges.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ConfigError, loadConfig } from '../../src/config/load.ts'
import { isPeerEntry, peerBound, peerMatcher } from '../../src/config/sections/peers.ts'
import { admissionOf } from '../../src/gateway/datagrams/admission.ts'

const node = (hex: string) => Uint8Array.from(Buffer.from(hex, 'hex'))

describe('a list of peers', () => {
  it.each([
    ['10.0.0.0/8', '10.1.2.3', true],
    ['10.0.0.0/8', 'tcp/10.0.0.9:4001', true],
    ['10.0.0.0/8', 'tcp/11.0.0.9:4001', false],
    ['10.0.0.0/8', 'tcp/barn.example:4001', false],
    ['fd00::/8', 'tcp/fd00::1:4001', true],
    ['10.0.0.0/8', 'bridge/10.0.0.9', true],
    ['fd00::/8', 'bridge/fd00::9', true],
    ['10.0.0.0/8', 'xbee/0013a20012345678', false],
    ['0013a20012345678', 'xbee/0013a20012345678', true],
    ['0013A20012345678', 'xbee/0013a20012345678', true],
    ['0013a2*', 'xbee/0013a20012345678', true],
    ['0013a2*', 'xbee/0013a30012345678', false],
    ['0013a2*', '10.0.0.9', false],
    ['5', 'lora/5', true],
    ['5', 'lora/15', false],
    ['1?', 'lora/15', true],
    ['2', 'aquila/2', true],
    ['2', 'aquila/10.0.0.9/2', true],
    ['10.0.0.0/8', 'aquila/10.0.0.9/2', true],
    ['fd00::/8', 'aquila/fd00::9/2', true],
    ['9', 'aquila/10.0.0.9/2', false],
    ['9', 'bridge/10.0.0.9', false],
    ['9', 'tcp/10.0.0.9:4001', false],
    ['0*', '/dev/ttyS0', false],
  ])('%s and %s: %s [LINK-GW-3]', (entry, address, isMeant) => {
    expect(peerMatcher([entry])(address)).toBe(isMeant)
    expect(peerMatcher(['192.0.2.1', entry, 'ffff'])(address)).toBe(isMeant)
  })

  it.each([
    ['3031', '3031', true],
    ['30*', '3031', true],
    ['5', '05', true],
    ['5', '0500', false],
    ['05', '05', true],
    ['123', '0123', true],
    ['31', '3031', false],
  ])('%s and the node %s behind a forwarder: %s [LINK-GW-3]', (entry, id, isMeant) => {
    for (const address of ['192.0.2.1', 'bridge/192.0.2.1', '/dev/ttyS0', 'tcp/192.0.2.1:1'])
      expect(peerMatcher([entry])(address, node(id)), address).toBe(isMeant)
  })

  it('a network means the nodes behind its forwarders, too [LINK-GW-3, SN-FWD-9]', () => {
    expect(peerMatcher(['192.0.2.0/24', '99'])('192.0.2.1', node('3031'))).toBe(true)
  })

  it('of nobody is nobody, and as a bound everybody; a text is one or the other [LINK-GW-3]', () => {
    expect([peerMatcher([])('10.0.0.1'), peerBound([])('10.0.0.1')]).toEqual([false, true])
    for (const entry of ['', '*', '?', 'xbee/0013', '0013a2 0012', 'ttyS0', '0x13', '10.0.0.*'])
      expect(isPeerEntry(entry), entry).toBe(false)
    fc.assert(
      fc.property(fc.string(), fc.string(), (entry, address) => {
        if (isPeerEntry(entry)) expect(typeof peerMatcher([entry])(address)).toBe('boolean')
      }),
    )
  })
})

describe('who a listener takes messages from', () => {
  const listener = {
    url: 'tcp-listen://127.0.0.1:1?framing=slip&node=encap',
    allow: [],
    deny: [],
    forwarders: [],
  }
  const [of3031, of99] = [node('05fe003031' + '0216'), node('04fe0099' + '0216')]

  it('node by node, where link addresses are named [LINK-GW-3]', () => {
    const { admits, admitsHost } = admissionOf({ ...listener, allow: ['30*'], deny: ['10.9.0.0/16'] })
    expect([of3031, of99].map((bytes) => admits('bridge/10.0.0.1', bytes))).toEqual([true, false])
    expect(admits('bridge/10.9.0.1', of3031)).toBe(false)
    expect(admits('bridge/10.0.0.1')).toBe(false)
    expect(['10.0.0.1', '10.9.0.1'].map((host) => admitsHost?.(host))).toEqual([true, false])
  })

  it('host by host, where networks are [LINK-ST-6, LINK-GW-3]', () => {
    const { admits, admitsHost, isForwarder } = admissionOf({
      ...listener,
      allow: ['10.0.0.0/8'],
      deny: ['99'],
    })
    expect([of3031, of99].map((bytes) => admits('bridge/10.0.0.1', bytes))).toEqual([true, false])
    expect(['10.0.0.1', '11.0.0.1'].map((host) => admitsHost?.(host))).toEqual([true, false])
    expect(isForwarder('bridge/10.0.0.1')).toBe(true)
  })

  it('a radio speaks for other nodes only if it is named [LINK-GW-3]', () => {
    const { isForwarder } = admissionOf({ ...listener, url: 'xbee:///dev/ttyS9', forwarders: ['0013a2*'] })
    expect(['xbee/0013a20012345678', 'xbee/0013a30012345678'].map((one) => isForwarder(one))).toEqual([
      true,
      false,
    ])
  })
})

describe('lists that name nobody', () => {
  function told(listeners: object[], more: object = {}): string {
    try {
      return loadConfig({ env: {}, overrides: { listeners, ...more } }).warnings.join('\n')
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      return error.message
    }
  }

  it.each([
    [{ url: 'udp://127.0.0.1:1', allow: ['0013a2*'] }, ['listeners[0].allow', 'networks', 'has neither']],
    [
      { url: 'serial:///dev/ttyS1?framing=slip&node=encap', allow: ['10.0.0.0/8'] },
      ['listeners[0].allow', 'it has no IP'],
    ],
    [{ url: 'xbee:///dev/ttyS1', deny: ['10.0.0.1'] }, ['listeners[0].deny', 'it has no IP']],
    [{ url: 'tcp://10.0.0.9:1?framing=slip', allow: ['10.0.0.9'] }, ['listeners[0].allow', 'one peer']],
    [
      { url: 'tcp-listen://0.0.0.0:1?framing=slip&node=encap', forwarders: ['10.0.0.9'] },
      ['listeners[0].forwarders', 'node=encap'],
    ],
    [{ url: 'tcp-listen://0.0.0.0:1?framing=slip', allow: ['5'] }, ['listeners[0].allow', 'has neither']],
  ])('%j is told what to change [LINK-GW-8]', (listener, words) => {
    for (const word of words) expect(told([listener])).toContain(word)
  })

  it.each([
    { url: 'xbee:///dev/ttyS1', allow: ['0013a2*'], deny: ['0013a20012345678'], forwarders: ['0013a2ff*'] },
    { url: 'tcp-listen://0.0.0.0:1?framing=slip&node=encap', allow: ['10.0.0.0/8', '30*'] },
    { url: 'tcp-listen://0.0.0.0:1?framing=slip', allow: ['10.0.0.0/8'], forwarders: ['10.0.0.9'] },
    { url: 'serial:///dev/ttyS1?framing=slip&node=encap', allow: ['3031'] },
    { url: 'udp://127.0.0.1:1', forwarders: ['127.0.0.1'], deny: ['3031'] },
  ])('%j is right', (listener) => {
    expect(told([listener], { qosMinusOne: { enabled: false } })).not.toMatch(/allow|deny|forwarders/)
  })

  it('rules for nodes where there are none are warned of, and networks beside nodes are not [LINK-GW-8]', () => {
    const sensors = [{ match: 'a', from: ['0013a2*'] }]
    expect(told([{ url: 'udp://127.0.0.1:1' }], { sensors })).toContain('sensors[0].from[0]: fits nothing')
    const radio = { url: 'xbee:///dev/ttyS1', allow: ['0013a2*'] }
    expect(told([radio], { sensors })).not.toContain('fits nothing')
  })
})
