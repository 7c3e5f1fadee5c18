import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

/** What builds, packs and installs: one after another, and not while others are measured by their watches. */
const installing = 'test/install/**/*.test.ts'

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
    // one less than there are cores is what it takes by itself: with two cores that would be one
    maxWorkers: Math.max(2, availableParallelism() - 1),
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
          exclude: [installing],
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
      {
        extends: true,
        test: { name: 'install', include: [installing], fileParallelism: false, sequence: { groupOrder: 1 } },
      },
    ],
  },
})
