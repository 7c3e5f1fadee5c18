// The configuration file as the console may check and load it: the same reading, and the same words, as at the start and at SIGHUP.

import { differences } from '../../config/differences.ts'
import { ConfigError, type LoadOptions } from '../../config/load.ts'
import { pathText } from '../../config/reading/path.ts'
import { problemText } from '../../config/reading/problems.ts'
import type { Config } from '../../config/schema.ts'
import { loadUsableConfig } from '../../config/usable.ts'
import type { CheckReport, SettingProblem } from '../../console/contract/settings.ts'
import { renewedConfig } from '../../gateway/rules/reload.ts'
import type { Log } from '../../log.ts'
import type { SettingsFile } from '../../monitor/open-console.ts'
import { noteFailedReload } from '../../monitor/reload-happenings.ts'
import { requireLocalAddresses } from '../../upstream/probe/local-addresses.ts'
import type { AnyGateway } from '../../workers/any-gateway.ts'

/** Sensors that are named in an answer. */
const MOST = 1000

/** `running`: the configuration in use. */
export function settingsFile(
  source: LoadOptions,
  running: Config,
  gateway: Pick<AnyGateway, 'reload' | 'happenings'>,
  log: Log,
): SettingsFile {
  function read(): { report: CheckReport; config?: Config } {
    const nothing = { applied: [], waiting: [] }
    try {
      const { config, warnings } = loadUsableConfig(source)
      const renewed = renewedConfig(running, config)
      const applied = differences(running, renewed).map(pathText)
      const waiting = differences(renewed, config).map(pathText)
      return { report: { valid: true, problems: [], warnings, applied, waiting }, config }
    } catch (error) {
      return { report: { valid: false, problems: problemsOf(error), warnings: [], ...nothing } }
    }
  }
  return {
    path: source.file,
    check: () => read().report,
    async reload() {
      const { report, config } = read()
      const refuse = (problems: readonly SettingProblem[]) => {
        const texts = problems.map(({ text }) => text)
        noteFailedReload(gateway.happenings, texts)
        log.error({ problems: texts }, 'the configuration cannot be used: the one before stays')
        return { ...report, valid: false, problems, applied: [], waiting: [], ended: [] }
      }
      if (config === undefined) return refuse(report.problems)
      try {
        await requireLocalAddresses(config.broker.localAddresses)
        const { applied, waiting, ended } = await gateway.reload(config)
        for (const warning of report.warnings) log.warn(warning)
        return { ...report, applied, waiting, ended: ended.slice(0, MOST) }
      } catch (error) {
        return refuse(problemsOf(error))
      }
    },
  }
}

function problemsOf(error: unknown): SettingProblem[] {
  if (!(error instanceof ConfigError)) return [{ path: '', line: undefined, text: String(error) }]
  return error.problems.map((problem) => {
    const line = /^line (\d+)/.exec(problem.source ?? '')?.[1]
    return {
      path: problem.path,
      line: line === undefined ? undefined : Number(line),
      text: problemText(problem),
    }
  })
}
