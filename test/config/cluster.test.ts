// The section `cluster`: who shares a database, and what nodes need that each serve a share.

import { describe, expect, it } from 'vitest'
import { clusterOf, isShared, readLinkUrl } from '../../src/config/cluster/section.ts'
import { redacted } from '../../src/config/redact.ts'
import { load, problemsWith } from './files.ts'

const base = {
  store: { type: 'postgres', url: 'postgres://127.0.0.1/mqttsn' },
  listeners: [{ name: 'field', url: 'udp://127.0.0.1:1884' }],
}
const shared = { listen: 'tcp://127.0.0.1:1886' }
const problems = (cluster: object, more: object = {}) =>
  problemsWith({ ...base, cluster, ...more }).map(({ path, expected }) => ({ path, expected }))

describe('the section cluster', () => {
  it('means a pair without cluster.listen, and shares with it', () => {
    expect(isShared(load({ ...base, cluster: { node: 'gw-1' } }).config)).toBe(false)
    const { config } = load({ ...base, cluster: { node: 'gw-1', ...shared } })
    expect(isShared(config)).toBe(true)
    expect(clusterOf(config)).toMatchObject({
      ...{ node: 'gw-1', lease: 5000, listen: 'tcp://127.0.0.1:1886' },
      ...{ hold: 2000, settle: 10_000, drain: 20_000 },
    })
  })

  it('takes addresses of both families and names', () => {
    expect(readLinkUrl('tcp://10.0.0.11:1886')).toEqual({ host: '10.0.0.11', port: 1886 })
    expect(readLinkUrl('tcp://[fd00::1]:1886')).toEqual({ host: 'fd00::1', port: 1886 })
    expect(readLinkUrl('tcp://gw-1.gateways.svc:1886')).toEqual({ host: 'gw-1.gateways.svc', port: 1886 })
    for (const wrong of ['10.0.0.11:1886', 'udp://10.0.0.11:1886', 'tcp://10.0.0.11', 'tcp://x:65536'])
      expect(problems({ listen: wrong })[0]?.path).toBe('cluster.listen')
  })

  it('needs a secret off loopback, which is not shown', () => {
    expect(() => load({ ...base, cluster: shared })).not.toThrow()
    expect(problems({ listen: 'tcp://10.0.0.11:1886' })).toMatchObject([{ path: 'cluster.secret' }])
    const led = { ...shared, advertise: 'tcp://10.0.0.11:1886' } // by a proxy, as of containers
    expect(problems(led)).toMatchObject([{ path: 'cluster.secret' }])
    expect(() => load({ ...base, cluster: { ...shared, advertise: 'tcp://localhost:1887' } })).not.toThrow()
    expect(problems({ listen: 'tcp://0.0.0.0:1886', secret: 'short' })).toMatchObject([
      { path: 'cluster.secret', expected: 'a text of 8 to 1024 characters' },
    ])
    const secret = 'known to all nodes'
    const { config } = load({ ...base, cluster: { listen: 'tcp://0.0.0.0:1886', secret } })
    expect(JSON.stringify(redacted(config))).not.toContain(secret)
  })

  it('takes names of nodes for which there is room between nodes', () => {
    expect(() => load({ ...base, cluster: { node: 'Köln 1' } })).not.toThrow()
    for (const node of ['', 'x'.repeat(129), 'ö'.repeat(65), 'a\u0000b', 'a\nb'])
      expect(problems({ node })).toMatchObject([{ path: 'cluster.node' }])
  })

  it('warns where others would be told an address that leads nowhere from their machines', () => {
    const secret = 'known to all nodes'
    const warned = (cluster: object, url = base.store.url) =>
      load({ ...base, store: { type: 'postgres', url }, cluster: { secret, ...cluster } }).warnings.filter(
        (line) => line.startsWith('cluster.advertise'),
      )
    const everywhere = { listen: 'tcp://0.0.0.0:1886' }
    expect(warned(everywhere)).toHaveLength(1)
    expect(warned({ listen: 'tcp://[::]:1886' }, 'postgres:///mqttsn?host=/run/postgresql')).toHaveLength(1)
    expect(warned(everywhere, 'postgres://db1,db2/mqttsn')).toEqual([])
    expect(warned({ ...everywhere, advertise: 'tcp://10.0.0.11:1886' })).toEqual([])
    expect(warned({ ...everywhere, advertise: 'tcp://0.0.0.0:1886' })).toHaveLength(1)
    expect(warned({ listen: 'tcp://10.0.0.11:1886' })).toEqual([])
  })

  it('warns of messages that may be held until sensors have repeated them', () => {
    const warned = (tRetry: string, cluster: object = shared) =>
      load({ ...base, timers: { tRetry }, cluster }).warnings.some((line) => line.startsWith('cluster.hold'))
    expect([warned('2s'), warned('3s'), warned('2s', {})]).toEqual([true, false, false])
  })

  it('has no address to tell without one to listen at', () => {
    expect(problems({ advertise: 'tcp://10.0.0.11:1886' })).toMatchObject([{ path: 'cluster.advertise' }])
  })

  it('names no sensors like nodes at the broker', () => {
    const named = (clientId: string) => ({
      broker: { clientId: 'gate' },
      sensors: [{ match: '*', clientId }],
    })
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the gateway resolves it
    const [alike, other] = ['gate-${clientId}', 'sensor-${clientId}']
    expect(problems(shared, named(alike))).toMatchObject([{ path: 'sensors[0].clientId' }])
    for (const [cluster, names] of [
      [shared, named(other)],
      [{}, named(alike)],
    ])
      expect(() => load({ ...base, cluster, ...names })).not.toThrow()
  })

  it('shares nothing that belongs to one node: connections that sensors share', () => {
    const ofAll = { broker: { connections: { shared: 4 } } }
    expect(problems(shared, ofAll)).toMatchObject([{ path: 'broker.connections' }])
    const ofSome = { sensors: [{ match: 'a*', connections: { shared: 2 } }] }
    expect(problems(shared, ofSome)).toMatchObject([{ path: 'sensors[0].connections' }])
    expect(() => load({ ...base, cluster: {}, ...ofAll })).not.toThrow()
  })

  it('finds sessions of DTLS by connection ids, which are long enough for that, or by address without any', () => {
    const psk = { keys: { a: '00112233445566778899aabbccddeeff' } }
    const withIds = (connectionId: number) => ({
      listeners: [{ name: 'field', url: 'dtls://127.0.0.1:1885', dtls: { psk, connectionId } }],
    })
    const path = 'listeners[0].dtls.connectionId'
    for (const octets of [1, 3]) expect(problems(shared, withIds(octets))).toMatchObject([{ path }])
    for (const octets of [0, 4, 16])
      expect(() => load({ ...base, cluster: shared, ...withIds(octets) })).not.toThrow()
    expect(() => load({ ...base, cluster: {}, ...withIds(1) })).not.toThrow()
  })

  it('keeps sessions of DTLS for longer than it takes until is told that sensors of other nodes use them', () => {
    const psk = { keys: { a: '00112233445566778899aabbccddeeff' } }
    const withIdle = (idle: string) => ({
      listeners: [{ name: 'field', url: 'dtls://127.0.0.1:1885', dtls: { psk, idle } }],
    })
    expect(problems(shared, withIdle('179s'))).toMatchObject([{ path: 'listeners[0].dtls.idle' }])
    expect(() => load({ ...base, cluster: shared, ...withIdle('3m') })).not.toThrow()
    expect(() => load({ ...base, cluster: {}, ...withIdle('1s') })).not.toThrow()
  })
})
