import type { Scenario } from './scenarios.ts'
export const overloadScenarios: readonly Scenario[] = []
