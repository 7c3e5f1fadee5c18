// A configuration that the gateway can work with: loaded, checked, and its certificates and keys tried.

import { dtlsProblems, dtlsWarnings } from './dtls/usable.ts'
import { ConfigError, type Loaded, type LoadOptions, loadConfig } from './load.ts'
import { certificateProblems, certificateWarnings } from './reading/certificates.ts'

/** Loads a configuration; throws `ConfigError` with everything that is wrong, also with certificates and keys. */
export function loadUsableConfig(options: LoadOptions): Loaded {
  const loaded = loadConfig(options)
  const problems = [...certificateProblems(loaded.config), ...dtlsProblems(loaded.config)]
  if (problems.length > 0) throw new ConfigError(problems, options.file)
  const now = Date.now()
  const unwise = [...certificateWarnings(loaded.config, now), ...dtlsWarnings(loaded.config, now)]
  return { ...loaded, warnings: [...loaded.warnings, ...unwise] }
}
