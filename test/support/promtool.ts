// Prometheus' own opinion on metrics and rules.

import { spawnSync } from 'node:child_process'

/** whether promtool is installed here; tests that need it are skipped where it is not */
export const havePromtool = spawnSync('promtool', ['--version']).status === 0
