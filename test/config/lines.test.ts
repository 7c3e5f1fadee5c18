// Listeners that are lines: what is told of a wrong url, and of keys that make no sense on a line.

import { describe, expect, it } from 'vitest'
import { ConfigError, loadConfig } from '../../src/config/load.ts'

const load = (listeners: readonly object[], more: object = {}) =>
  loadConfig({ env: {}, overrides: { listeners, ...more } })

function problemsWith(...listeners: object[]): string {
  try {
    load(listeners)
    return ''
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.message
  }
}

const LINE = 'serial:///dev/serial/by-id/usb?framing=slip'

describe('a listener that is a line', () => {
  it('is taken, with a pace in octets', () => {
    const { config, warnings } = load([{ url: LINE, pace: { octetsPerSecond: 900, octets: '4KiB' } }])
    expect(config.listeners[0]).toMatchObject({
      url: LINE,
      pace: { octetsPerSecond: 900, messages: 32, octets: 4096 },
    })
    expect(warnings.filter((one) => one.includes('listeners'))).toEqual([])
  })

  it.each([
    [{ url: 'serial:///dev/ttyS1' }, ['listeners[0].url', 'framing=slip or cobs']],
    [{ url: `${LINE}&baude=9600` }, ['no parameters but baud', 'did you mean "baud"?']],
    [
      { url: 'zigbee:///dev/ttyS1' },
      ['serial:///dev/serial/by-id/', 'udp://address:port', 'dtls://address:port'],
    ],
    [{ url: '/dev/ttyS1' }, ['"serial:///dev/ttyS1?framing=slip"']],
    [{ url: LINE, allow: ['10.0.0.0/8'] }, ['listeners[0].allow', 'a line has one peer']],
    [{ url: LINE, forwarders: ['10.0.0.1'] }, ['listeners[0].forwarders', 'node=encap']],
    [{ url: LINE, discovery: { group: '225.1.1.1' } }, ['listeners[0].discovery.group', 'no group']],
    [{ url: LINE, dtls: { psk: { keys: {} } } }, ['listeners[0].dtls', 'the url is not dtls://']],
    [{ url: 'dtls://127.0.0.1:8883', dtls: { psk: { keys: {} } }, pace: {} }, ['listeners[0].pace']],
    [{ url: 'udp://127.0.0.1:1884', pace: {} }, ['listeners[0].pace', 'serial://, xbee:// and tcp://']],
  ])('%j is told what to change [LINK-GW-8]', (listener, words) => {
    const told = problemsWith(listener)
    for (const word of words) expect(told).toContain(word)
  })

  it('a radio module has messages of its own length, a pace with confirmations, and ADVERTISE without a group', () => {
    const url = 'xbee:///dev/serial/by-id/usb?api=1'
    const pace = { inFlight: 3, confirm: '2s' }
    const { config, warnings } = load([{ url, pace, discovery: { advertise: '20m' } }])
    expect(config.listeners[0]).toMatchObject({ maxMessageSize: 84, pace: { inFlight: 3, confirm: 2000 } })
    expect(config.listeners[0]?.discovery?.group).toBeUndefined()
    expect(warnings.filter((one) => one.includes('listeners'))).toEqual([])
    expect(load([{ url, maxMessageSize: 60 }]).config.listeners[0]?.maxMessageSize).toBe(60)
    expect(load([{ url: LINE }]).config.listeners[0]?.maxMessageSize).toBe(1472)
    expect(problemsWith({ url: 'udp://127.0.0.1:1884', discovery: {} })).toContain('no group')
  })

  it('what a line and its confirmations take longer than timers.tRetry is warned of [LINK-GW-8]', () => {
    const warned = (url: string, pace?: object, tRetry = '10s') =>
      load([{ url, pace }], { timers: { tRetry } }).warnings.join('\n').includes('so slow that')
    expect(warned('serial:///dev/ttyS1?framing=slip&baud=9600')).toBe(false)
    expect(warned('serial:///dev/ttyS1?framing=slip&baud=2400')).toBe(true)
    expect(warned('xbee:///dev/ttyS1')).toBe(false)
    expect(warned('xbee:///dev/ttyS1', {}, '5s')).toBe(true)
    expect(warned('xbee:///dev/ttyS1', { confirm: '15s' })).toBe(true)
  })

  it('two listeners on one line are an error, whatever their parameters [LINK-GW-8]', () => {
    expect(problemsWith({ url: LINE }, { url: LINE.replace('slip', 'cobs') })).toContain('a line of its own')
  })

  it('a name that moves at a replug is warned of on every kind of serial line [LINK-GW-8]', () => {
    for (const url of ['xbee:///dev/ttyUSB0', 'serial:///dev/ttyACM1?framing=cobs'])
      expect(load([{ url }]).warnings.join('\n')).toContain('the one in /dev/serial/by-id stays')
    expect(load([{ url: 'serial:///dev/ttyS0?framing=cobs' }]).warnings.join('\n')).not.toContain('by-id')
  })

  it('a name that moves at a replug, and a pace that is too slow, are warned of [LINK-GW-8]', () => {
    const url = 'serial:///dev/ttyUSB0?framing=slip'
    const { warnings } = load([{ url, pace: { octetsPerSecond: 10 } }])
    expect(warnings.join('\n')).toContain('the one in /dev/serial/by-id stays')
    expect(warnings.join('\n')).toContain('so slow that messages are repeated')
  })
})
