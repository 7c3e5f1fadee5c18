// The configuration key by key: what is in use, what the default is, what the key means, and whether a change needs a restart.

import { loadConfig } from '../config/load.ts'
import { configModel, type Node, nodesAt } from '../config/model.ts'
import { isObject, type Path, pathText, valueAt } from '../config/reading/path.ts'
import { redacted } from '../config/redact.ts'
import type { Config } from '../config/schema.ts'
import type { Setting, SettingsReport } from '../console/contract/settings.ts'
import { needsRestart } from '../gateway/rules/reload.ts'

/** Keys that are listed: a configuration may have ten thousand rules. */
const MOST = 5000

/** What of the configuration can be said; `file`: where it comes from, if from a file. */
export function settingsReport(config: Config, file: string | undefined): SettingsReport {
  const model = configModel()
  // an entry of each list that has entries, so that their keys have defaults
  const plain = loadConfig({ env: {}, overrides: { sensors: [{}], queues: [{}] } }).config
  const defaults = redacted(plain)
  const shown = redacted(config)
  const settings = leaves(shown, [], model)
    .slice(0, MOST)
    .map((path) => settingAt(path, valueAt(shown, path), model, defaults))
  return { file, reloadable: file !== undefined, settings }
}

/** Every key that holds a value of its own; what the file lacks is there with its default, or with none. */
function leaves(value: unknown, path: Path, model: Node): Path[] {
  if (Array.isArray(value) && value.length > 0 && value.every(isObject))
    return value.flatMap((one, i) => leaves(one, [...path, i], model))
  const keys = new Set(nodesAt(model, path).flatMap(({ properties = {} }) => Object.keys(properties)))
  keys.delete('$schema')
  if (!isObject(value) || keys.size === 0) return path.length === 0 ? [] : [path]
  return [...keys].flatMap((key) => leaves(value[key], [...path, key], model))
}

function settingAt(path: Path, value: unknown, model: Node, defaults: unknown): Setting {
  const first = path.map((part) => (typeof part === 'number' ? 0 : part))
  const usual = valueAt(defaults, first)
  return {
    path: pathText(path),
    value,
    default: usual,
    changed: JSON.stringify(value) !== JSON.stringify(usual),
    text: nodesAt(model, path).find(({ description }) => description !== undefined)?.description,
    restart: needsRestart(path),
  }
}
