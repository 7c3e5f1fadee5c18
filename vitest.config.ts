import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

// one less than there are cores is what it takes by itself: with two cores that would be one
const workers = Math.max(2, availableParallelism() - 1)

/** What builds, packs and installs: not while others are measured by their watches. */
const installing = 'test/install/**/*.test.ts'

/** What decides by itself, without processes, sockets or a clock: its files may follow each other in one process, which saves starting one for each. */
const pure = [
  'cluster/*',
  'cluster/{asking,judging,shares}/*',
  'codec/*',
  'config/*',
  'gateway/{datagrams,dtls,effects}/*',
  'monitor/**/*',
  'session/**/*',
  'sessions/**/*',
  'transport/{dialogue,dtls,framing}/*',
].map((files) => `test/${files}.test.ts`)

/**
 * What waits more than it works, for leases, brokers and other programs: so more of it at once than there are cores. The longest
 * are first, so that none is left over for the end.
 */
const waiting = [
  'lab/chaos-cluster',
  'cluster/stories/engine',
  'cluster/stories/shares',
  'upstream/brokers',
  'dtls/peers-bad-network',
  'cli/forward/secure',
  'cli/radio',
  'cluster/stories/forwarding',
  'cluster/stories/freeze',
  'cluster/stories/kernel-balancer',
  'upstream/broker-abilities',
  'cluster/links/links',
  'cli/forward/stories',
  'upstream/failover',
  'transport/udp/addresses',
  'store/postgres/outage',
  'cluster/stories/death',
  'cluster/stories/threads',
].map((file) => `test/${file}.test.ts`)

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification) => {
      const index = waiting.findIndex((file) => moduleId.endsWith(`/${file}`))
      return index < 0 ? waiting.length : index
    }
    return (await super.sort(files)).sort((one, other) => place(one) - place(other))
  }
}

/** Stories about sensors that hold in the same way where they share connections; others are about connections themselves. */
const storiesOfShared = [
  'messages',
  'sessions',
  'restart',
  'outage',
  'dead-letters',
  'nodes',
  'attacks',
  'limited-brokers',
  'full-disk',
  'qos-minus-one',
]

export default defineConfig({
  test: {
    globalSetup: ['test/support/built-page.ts'],
    // hundreds of gateways are started: what a rehearsal is for has a test of its own
    env: { MQTTSN_GATEWAY__WARM_UP: '0s' },
    maxWorkers: workers,
    sequence: { sequencer: LongestFirst },
    testTimeout: 30_000,
    hookTimeout: 30_000,
    benchmark: { include: ['test/**/*.bench.ts'] },
    // The report is what docs/conformance.md is made from, and where .ci/run takes its numbers.
    reporters: ['default', ['json', { outputFile: '.test-results/vitest.json' }]],
    projects: [
      {
        extends: true,
        test: {
          name: 'all',
          include: ['test/**/*.test.ts'],
          exclude: [installing, ...pure, ...waiting],
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          // the main stories again, with sensors that share connections to the broker
          name: 'shared',
          include: storiesOfShared.map((name) => `test/gateway/${name}.test.ts`),
          env: { MQTTSN_TEST_SHARED: '2' },
          sequence: { groupOrder: 0 },
        },
      },
      { extends: true, test: { name: 'pure', include: pure, isolate: false, sequence: { groupOrder: 1 } } },
      {
        extends: true,
        test: { name: 'waiting', include: waiting, maxWorkers: 2 * workers, sequence: { groupOrder: 2 } },
      },
      { extends: true, test: { name: 'install', include: [installing], sequence: { groupOrder: 3 } } },
    ],
  },
})
