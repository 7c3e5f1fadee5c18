import type { Scenario } from './scenarios.ts'
export const bareScenarios: readonly Scenario[] = []
