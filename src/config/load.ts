// Loads the configuration: defaults < file < environment < command line, references resolved, everything checked.

import { contradictions } from './contradictions/contradictions.ts'
import { completeConfig } from './reading/complete.ts'
import { type DocumentKind, type DocumentSource, readDocument } from './reading/document.ts'
import { GATEWAY_VARIABLES } from './reading/environment.ts'
import { warningsOf } from './reading/warnings.ts'
import { type Config, configSchema } from './schema.ts'

export { ConfigError } from './reading/problems.ts'

/** Where a configuration comes from. */
export type LoadOptions = DocumentSource

/** A configuration that can be used, and what is unwise about it. */
export interface Loaded {
  readonly config: Config
  readonly warnings: string[]
}

const CONFIGURATION: DocumentKind<typeof configSchema> = {
  schema: configSchema,
  variables: GATEWAY_VARIABLES,
  instead: {
    such: 'of which {} is a complete one; without -c the defaults hold, and flags set the rest (--help)',
    toWrite: 'mqttsn init writes one',
  },
  hints: true,
  contradictions: (parsed, written) => contradictions(completeConfig(parsed, written, [], '.')),
}

/** Loads and checks a configuration; throws `ConfigError` with everything that is wrong. Changes nothing anywhere. */
export function loadConfig(options: LoadOptions): Loaded {
  const { parsed, written, referenced, directory } = readDocument(CONFIGURATION, options)
  const config = completeConfig(parsed, written, referenced, directory)
  return { config, warnings: warningsOf(config) }
}
