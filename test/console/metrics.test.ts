// The metrics: they say what the view says, as Prometheus wants it, and their number does not grow with the network.

import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { metricsDocument } from '../../lab/docs/metrics.ts'
import { createMetrics } from '../../src/console/metrics/metrics.ts'
import { havePromtool } from '../support/promtool.ts'
import { scriptedView } from './scripted-view.ts'

/** Series and values, such as `mqttsn_sensors{state="lost"}` and 1. */
const seriesOf = (text: string) =>
  new Map(
    [...text.matchAll(/^([a-z]\w*(?:\{.*\})?) (\S+)$/gm)].map(([, series = '', value]) => [
      series,
      Number(value),
    ]),
  )

const ours = (text: string) => [...seriesOf(text)].filter(([series]) => series.startsWith('mqttsn_'))

describe('the metrics', () => {
  it('say what the view says', async () => {
    const text = await createMetrics(scriptedView()).text()
    expect(Object.fromEntries(ours(text))).toEqual({
      'mqttsn_build_info{version="1.2.3",gateway_id="1"}': 1,
      'mqttsn_broker_info{url="mqtt://127.0.0.1:1883"}': 1,
      'mqttsn_datagrams_total{direction="received"}': 12,
      'mqttsn_datagrams_total{direction="sent"}': 9,
      'mqttsn_datagram_bytes_total{direction="received"}': 345,
      'mqttsn_datagram_bytes_total{direction="sent"}': 210,
      'mqttsn_messages_total{direction="received",type="CONNECT"}': 2,
      'mqttsn_messages_total{direction="received",type="PUBLISH"}': 6,
      'mqttsn_messages_total{direction="sent",type="CONNACK"}': 2,
      'mqttsn_messages_total{direction="sent",type="PUBLISH"}': 3,
      'mqttsn_drops_total{reason="malformed: bad-length"}': 1,
      'mqttsn_drops_total{reason="queue-full"}': 4,
      mqttsn_faults_total: 0,
      mqttsn_publishes_total: 5,
      mqttsn_deliveries_total: 3,
      'mqttsn_refusals_total{reason="client-id-too-long"}': 3,
      mqttsn_retransmissions_total: 2,
      'mqttsn_sensors{state="willtopic"}': 0,
      'mqttsn_sensors{state="willmsg"}': 0,
      'mqttsn_sensors{state="connecting"}': 0,
      'mqttsn_sensors{state="active"}': 0,
      'mqttsn_sensors{state="asleep"}': 1,
      'mqttsn_sensors{state="awake"}': 0,
      'mqttsn_sensors{state="disconnected"}': 0,
      'mqttsn_sensors{state="lost"}': 1,
      mqttsn_queued_messages: 1,
      mqttsn_queued_bytes: 27,
      mqttsn_queues_full: 0,
      mqttsn_spooled_messages: 2,
      mqttsn_dead_letters: 3,
      mqttsn_dead_letter_bytes: 12,
      mqttsn_spooled_bytes: 31,
      mqttsn_store_up: 1,
      mqttsn_store_writes_total: 40,
      mqttsn_store_write_seconds_total: 0.5,
      mqttsn_store_failures_total: 3,
      mqttsn_store_bytes: 65_536,
      mqttsn_store_held: 6,
      'mqttsn_engine_up{host="db1:5432"}': 1,
      'mqttsn_engine_replicated{host="db1:5432"}': 0,
      mqttsn_broker_up: 1,
      'mqttsn_upstream_connections{state="connected"}': 1,
      'mqttsn_upstream_connections{state="connecting"}': 2,
      'mqttsn_upstream_connections{state="waiting"}': 3,
      'mqttsn_sensors_lost_total{session="clean"}': 1,
      'mqttsn_sensors_lost_total{session="kept"}': 0,
      mqttsn_upstream_refused_total: 4,
      mqttsn_upstream_lost_total: 5,
      mqttsn_upstream_portless_total: 6,
      'mqttsn_publish_acknowledgement_seconds_bucket{le="0.01"}': 1,
      'mqttsn_publish_acknowledgement_seconds_bucket{le="0.1"}': 3,
      'mqttsn_publish_acknowledgement_seconds_bucket{le="1"}': 4,
      'mqttsn_publish_acknowledgement_seconds_bucket{le="+Inf"}': 5,
      mqttsn_publish_acknowledgement_seconds_sum: 2.5,
      mqttsn_publish_acknowledgement_seconds_count: 5,
      'mqttsn_listener_kernel_drops_total{listener="field"}': 7,
      'mqttsn_listener_send_errors_total{listener="field"}': 1,
      'mqttsn_listener_receive_buffer_bytes{listener="field"}': 425_984,
      'mqttsn_listener_receive_buffer_asked_bytes{listener="field"}': 4_194_304,
      'mqttsn_dtls_sessions{listener="field"}': 4,
      'mqttsn_dtls_half_open{listener="field"}': 1,
      'mqttsn_dtls_handshakes_total{listener="field",result="full"}': 5,
      'mqttsn_dtls_handshakes_total{listener="field",result="wrong-key"}': 1,
      'mqttsn_dtls_handshakes_total{listener="field",result="resumed"}': 0,
      'mqttsn_dtls_handshakes_total{listener="field",result="unknown-identity"}': 0,
      'mqttsn_dtls_handshakes_total{listener="field",result="certificate"}': 0,
      'mqttsn_dtls_handshakes_total{listener="field",result="no-suite"}': 0,
      'mqttsn_dtls_handshakes_total{listener="field",result="timeout"}': 0,
      'mqttsn_dtls_handshakes_total{listener="field",result="refused"}': 0,
      'mqttsn_dtls_handshakes_total{listener="field",result="protocol"}': 0,
      'mqttsn_dtls_handshake_seconds_bucket{listener="field",kind="psk",le="0.1"}': 3,
      'mqttsn_dtls_handshake_seconds_bucket{listener="field",kind="psk",le="1"}': 4,
      'mqttsn_dtls_handshake_seconds_bucket{listener="field",kind="psk",le="+Inf"}': 4,
      'mqttsn_dtls_handshake_seconds_sum{listener="field",kind="psk"}': 2.5,
      'mqttsn_dtls_handshake_seconds_count{listener="field",kind="psk"}': 4,
      'mqttsn_dtls_handshake_seconds_bucket{listener="field",kind="certificate",le="0.1"}': 0,
      'mqttsn_dtls_handshake_seconds_bucket{listener="field",kind="certificate",le="1"}': 1,
      'mqttsn_dtls_handshake_seconds_bucket{listener="field",kind="certificate",le="+Inf"}': 1,
      'mqttsn_dtls_handshake_seconds_sum{listener="field",kind="certificate"}': 0.5,
      'mqttsn_dtls_handshake_seconds_count{listener="field",kind="certificate"}': 1,
      'mqttsn_dtls_sessions_limit{listener="field"}': 12_500,
      'mqttsn_dtls_half_open_limit{listener="field"}': 1000,
      'mqttsn_dtls_identities{listener="field"}': 12,
      'mqttsn_dtls_psk_file{listener="field",state="current"}': 0,
      'mqttsn_dtls_psk_file{listener="field",state="changed"}': 1,
      'mqttsn_dtls_psk_file{listener="field",state="unreadable"}': 0,
      'mqttsn_dtls_reload_failed{listener="field"}': 0,
      'mqttsn_dtls_certificate_end_timestamp_seconds{listener="field",certificate="cert"}': 1_800_000_000,
      'mqttsn_dtls_moves_total{listener="field"}': 3,
      'mqttsn_dtls_hello_verify_total{listener="field"}': 9,
      'mqttsn_dtls_key_log{listener="field"}': 0,
      'mqttsn_listener_send_errors_total{listener="bench"}': 3,
      'mqttsn_link_up{listener="bench"}': 1,
      'mqttsn_link_bytes_total{listener="bench",direction="received"}': 1200,
      'mqttsn_link_bytes_total{listener="bench",direction="sent"}': 800,
      'mqttsn_link_frames_total{listener="bench",direction="received"}': 60,
      'mqttsn_link_frames_total{listener="bench",direction="sent"}': 40,
      'mqttsn_link_connections{listener="bench"}': 3,
      'mqttsn_link_connections_refused_total{listener="bench"}': 1,
      'mqttsn_link_errors_total{listener="bench",reason="noise"}': 2,
      'mqttsn_link_errors_total{listener="bench",reason="full"}': 3,
      'mqttsn_link_queued_messages{listener="bench"}': 1,
      'mqttsn_shared_connection_up{connection="gateway-s1"}': 1,
      'mqttsn_shared_connection_sensors{connection="gateway-s1"}': 3,
      'mqttsn_shared_connection_filters{connection="gateway-s1"}': 2,
      'mqttsn_shared_connection_waiting{connection="gateway-s1"}': 4,
      'mqttsn_shared_connection_under_way{connection="gateway-s1"}': 5,
      'mqttsn_shared_connection_handing_out{connection="gateway-s1"}': 1,
      'mqttsn_shared_connection_breaks_total{connection="gateway-s1"}': 2,
      'mqttsn_shared_connection_refused_total{connection="gateway-s1"}': 1,
      'mqttsn_link_unconfirmed_frames{listener="bench"}': 1,
      'mqttsn_link_unreachable_peers{listener="bench"}': 2,
      'mqttsn_link_rssi_dbm{listener="bench"}': -61,
    })
  })

  it('follow the view from scrape to scrape, and forget what is gone', async () => {
    const view = scriptedView()
    const metrics = createMetrics(view)
    await metrics.text()
    view.now.info = { ...view.now.info, counters: { ...view.now.info.counters, published: 6, dropped: {} } }
    view.now.broker = { ...view.now.broker, healthy: false }
    view.now.store = { ...view.now.store, error: 'the disk is full' }
    view.now.listeners = view.now.listeners.map((one) => ({ ...one, kernelDrops: undefined }))
    view.now.latency = { bounds: [1], counts: [8], sum: 4, count: 9 }
    view.now.listeners = view.now.listeners.map(({ secure, ...one }) => one)
    const series = seriesOf(await metrics.text())
    expect(series.get('mqttsn_publishes_total')).toBe(6)
    expect(series.get('mqttsn_broker_up')).toBe(0)
    expect(series.get('mqttsn_store_up')).toBe(0)
    expect(series.get('mqttsn_publish_acknowledgement_seconds_bucket{le="1"}')).toBe(8)
    const names = [...series.keys()].join('\n')
    expect(names).not.toContain('mqttsn_drops_total{')
    expect(names).not.toContain('mqttsn_listener_kernel_drops_total{')
    expect(names).not.toContain('le="0.1"')
    expect(names).not.toContain('mqttsn_dtls_')
  })

  it('look at the gateway once per scrape', async () => {
    const view = scriptedView()
    const metrics = createMetrics(view)
    let looks = 0
    const { info } = view
    view.info = () => {
      looks += 1
      return info()
    }
    await metrics.text()
    expect(looks).toBe(1)
  })

  it('have no label that names a sensor', async () => {
    const text = await createMetrics(scriptedView()).text()
    const labels = new Set([...text.matchAll(/[{,](\w+)="/g)].map(([, label]) => label))
    const known = [
      'url',
      'version',
      'gateway_id',
      'direction',
      'type',
      'reason',
      'state',
      'le',
      'listener',
      'session',
      'result',
      'certificate',
      'connection',
      'host',
    ]
    const ofProcess = ['major', 'minor', 'patch', 'space', 'kind']
    expect([...labels].filter((label = '') => ![...known, ...ofProcess].includes(label))).toEqual([])
    expect(text).not.toContain('meter-7')
  })

  it('escape what could break the format', async () => {
    const view = scriptedView()
    view.now.listeners = view.now.listeners.map((one) => ({ ...one, name: 'a"b\\c\nd' }))
    expect(await createMetrics(view).text()).toContain('{listener="a\\"b\\\\c\\nd"} 7\n')
  })

  it('include those of the process, once, however many gateways there are', async () => {
    const texts = [await createMetrics(scriptedView()).text(), await createMetrics(scriptedView()).text()]
    for (const text of texts) {
      const series = seriesOf(text)
      expect(series.get('process_resident_memory_bytes')).toBeGreaterThan(10_000_000)
      expect(series.has('nodejs_eventloop_lag_p99_seconds')).toBe(true)
      expect(text.match(/^# TYPE process_cpu_seconds_total /gm)).toHaveLength(1)
    }
  })

  it.skipIf(!havePromtool)('satisfy promtool', async () => {
    const metrics = createMetrics(scriptedView())
    await metrics.text() // so that the event loop has been measured
    const complaints = execFileSync('promtool', ['check', 'metrics'], { input: await metrics.text() })
    expect(complaints.toString()).toBe('')
    const wrong = '# TYPE some_seconds_total gauge\nsome_seconds_total 1\n'
    const options = { input: wrong, stdio: ['pipe', 'ignore', 'ignore'] as ('pipe' | 'ignore')[] }
    expect(() => execFileSync('promtool', ['check', 'metrics'], options)).toThrow()
  })
})

describe('docs/metrics.md', () => {
  const read = () => readFileSync(resolve(import.meta.dirname, '../../docs/metrics.md'), 'utf8')

  it('is what the metrics give', () => {
    expect(read(), 'run npx tsx lab/docs/metrics.ts').toBe(metricsDocument())
  })

  it('names every metric of the gateway, with its type and labels', async () => {
    const text = await createMetrics(scriptedView()).text()
    for (const [, name, type] of text.matchAll(/^# TYPE (mqttsn_\w+) (\w+)$/gm))
      expect(read()).toContain(`| \`${name}\` | ${type} |`)
    const histograms = [...text.matchAll(/^# TYPE (mqttsn_\w+) histogram$/gm)].map(([, name]) => name)
    for (const [, name, labels = ''] of text.matchAll(/^(mqttsn_\w+)\{(.*)\} /gm)) {
      // a histogram is one metric, whose buckets the library names
      const family = histograms.find((one) => name?.startsWith(`${one}_`)) ?? name
      const all = [...labels.matchAll(/(\w+)="/g)].map(([, label = '']) => label)
      const names = all.filter((label) => label !== 'le').map((label) => `\`${label}\``)
      if (names.length > 0)
        expect(read()).toMatch(new RegExp(`\\| \`${family}\` \\| \\w+ \\| ${names.join(', ')} \\|`))
    }
  })
})
