import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/built-page.ts'],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    benchmark: { include: ['test/**/*.bench.ts'] },
    // The report is what docs/conformance.md is made from, and where .ci/run takes its numbers.
    reporters: ['default', ['json', { outputFile: '.test-results/vitest.json' }]],
  },
})
