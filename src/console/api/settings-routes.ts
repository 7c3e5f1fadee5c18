// The part of the API about the configuration: key by key, checked as it is on the disk, and loaded again.

import type { FastifyInstance, FastifyReply } from 'fastify'
import type {
  CheckReport,
  ReloadAnswer,
  Setting,
  SettingProblem,
  SettingsReport,
} from '../contract/settings.ts'
import type { ConsoleLog } from './actions.ts'
import { listOf, object, optional, ref, type Schema, text, whole, yesNo } from './schemas/shapes.ts'
import { told } from './told.ts'

/** The configuration of the running gateway, as far as the console may ask for it. */
export interface SettingsDoor {
  report(): SettingsReport
  /** Loads the file, and says what would come of it. */
  check(): CheckReport
  /** Loads the file and applies it; one that is wrong changes nothing. */
  reload(): Promise<ReloadAnswer>
}

const free: Schema = { description: 'as in the file; secrets are "***"' }

const checked = {
  valid: yesNo('it can be used'),
  problems: listOf(ref('SettingProblem')),
  warnings: listOf(text('what is unwise about it')),
  applied: listOf(text('a path whose new value holds at once')),
  waiting: listOf(text('a path whose new value waits for a restart')),
}

/** What the description calls by name. */
export const settingsSchemas: readonly (Schema & { readonly $id: string })[] = [
  {
    $id: 'Setting',
    ...object<Setting>({
      path: text('such as broker.url'),
      value: { optional: free },
      default: { optional: free },
      changed: yesNo('it differs from the default'),
      text: optional(text('what the key means')),
      restart: yesNo('a change takes effect at the next start only'),
    }),
  },
  {
    $id: 'Settings',
    ...object<SettingsReport>({
      file: optional(text('where they come from')),
      reloadable: yesNo('the file can be checked and loaded again from here'),
      settings: listOf(ref('Setting')),
    }),
  },
  {
    $id: 'SettingProblem',
    ...object<SettingProblem>({
      path: text('the key, or nothing where it is the file'),
      line: optional(whole('in the file')),
      text: text('what was found and what was expected'),
    }),
  },
  { $id: 'SettingsCheck', ...object<CheckReport>(checked) },
  {
    $id: 'SettingsReload',
    ...object<ReloadAnswer>({ ...checked, ended: listOf(text('ClientId of a sensor that was sent away')) }),
  },
]

const post = (operationId: string, summary: string, name: string) => ({
  schema: {
    operationId,
    summary,
    tags: ['settings'],
    response: {
      200: { description: 'what came of it; a file that is wrong is no error of the request', ...ref(name) },
      409: { description: 'the gateway runs without a file', ...ref('Problem') },
    },
  },
})

function noFile(reply: FastifyReply): FastifyReply {
  const message = 'The gateway runs without a configuration file that could be loaded from here.'
  return reply.code(409).send({ error: 'no-file', message })
}

/** Adds the routes. */
export function serveSettings(app: FastifyInstance, door: SettingsDoor, log: ConsoleLog): void {
  app.get(
    '/api/settings',
    told('getSettings', 'The configuration key by key, secrets hidden', ref('Settings')),
    () => door.report(),
  )
  app.post(
    '/api/settings/check',
    post('checkSettings', 'Reads the file on the disk, and says what would come of it', 'SettingsCheck'),
    (_request, reply) => (door.report().reloadable ? door.check() : noFile(reply)),
  )
  app.post(
    '/api/settings/reload',
    post('reloadSettings', 'Loads the file on the disk and applies it', 'SettingsReload'),
    async (_request, reply) => {
      if (!door.report().reloadable) return noFile(reply)
      log.info({ action: 'reload' }, 'done by the console')
      return await door.reload()
    },
  )
}
