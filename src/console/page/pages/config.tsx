// The configuration in effect: what differs from the default, what each key means, and the file checked and loaded again.

import { useState } from 'preact/hooks'
import type { CheckReport, ReloadAnswer, Setting } from '../../contract/settings.ts'
import { FileReport } from '../config/file-report.tsx'
import { JsonText } from '../config/json-text.tsx'
import { type ApiError, api } from '../data/api.ts'
import { useAnswer } from '../data/use-answer.ts'
import { confirm } from '../layers/dialog.tsx'
import { toast } from '../layers/toasts.tsx'
import { Failure } from '../parts/failure.tsx'
import { count } from '../parts/format.ts'
import { EmptyState, Intro, Panel } from '../parts/panel.tsx'

const inWords = (value: unknown) => (value === undefined ? 'none' : JSON.stringify(value))

function SettingRow({ setting }: { setting: Setting }) {
  const { path, value, default: usual, changed, text, restart } = setting
  return (
    <li data-changed={changed ? 'true' : undefined}>
      <div class="setting">
        <code class="path">{path}</code>
        <code class="value">{inWords(value)}</code>
        {changed && <span class="muted">{`instead of ${inWords(usual)}`}</span>}
      </div>
      <p class="muted">
        {text}
        {restart && ' A change takes effect at the next start.'}
      </p>
    </li>
  )
}

function Settings({ settings }: { settings: readonly Setting[] }) {
  const [words, setWords] = useState('')
  const [onlyChanged, setOnlyChanged] = useState(true)
  const wanted = words.toLowerCase()
  const found = settings
    .filter(({ changed }) => changed || !onlyChanged)
    .filter(({ path, text = '' }) => `${path} ${text}`.toLowerCase().includes(wanted))
  return (
    <Panel
      title="Keys"
      actions={
        <>
          <label class="check">
            <input
              type="checkbox"
              checked={onlyChanged}
              onChange={({ currentTarget }) => setOnlyChanged(currentTarget.checked)}
            />
            <span>Only what differs from the default</span>
          </label>
          <input
            type="search"
            placeholder="Key or word"
            aria-label="Search keys"
            onInput={({ currentTarget }) => setWords(currentTarget.value)}
          />
          <span class="muted">{`${count(found.length)} of ${count(settings.length)}`}</span>
        </>
      }
    >
      {found.length === 0 ? (
        <EmptyState title={words === '' ? 'Everything is as it is by default' : 'No key matches'} />
      ) : (
        <ul class="settings">
          {found.map((setting) => (
            <SettingRow key={setting.path} setting={setting} />
          ))}
        </ul>
      )}
    </Panel>
  )
}

async function copy(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text)
    toast('Copied.')
  } catch {
    toast('The browser does not allow copying here: select the text instead.', 'bad')
  }
}

export function ConfigPage() {
  const report = useAnswer(api.settings)
  const { value: config, error, reload } = useAnswer(api.config)
  const [file, setFile] = useState<CheckReport | ReloadAnswer>()
  const [problem, setProblem] = useState<ApiError>()
  const isReloadable = report.value?.reloadable === true
  const text = config === undefined ? '' : JSON.stringify(config, null, 2)

  async function look(ask: () => Promise<CheckReport | ReloadAnswer>): Promise<void> {
    try {
      setFile(await ask())
      setProblem(undefined)
    } catch (failed) {
      setFile(undefined)
      setProblem(failed as ApiError)
    }
  }
  async function load(): Promise<void> {
    const isWanted = await confirm({
      title: 'Load the configuration again?',
      text: [
        'What can change while the gateway runs takes effect at once; sensors that a rule sends away are disconnected.',
        'If the file is wrong, nothing changes.',
      ],
      action: 'Load it',
      danger: false,
    })
    if (!isWanted) return
    await look(api.reloadSettings)
    report.reload()
    reload()
  }
  return (
    <div class="page stack">
      <Intro title="Configuration">
        {report.value?.file === undefined
          ? 'What is in effect, defaults included. Secrets are hidden.'
          : `What is in effect, defaults included, from ${report.value.file}. Secrets are hidden.`}{' '}
        It is changed in its file. Loading it again takes over what can change while the gateway runs; keys
        that need a start say so.
      </Intro>
      {isReloadable && (
        <div class="toolbar">
          <button type="button" onClick={() => void look(api.checkSettings)}>
            Check the file
          </button>
          <button type="button" onClick={() => void load()}>
            Load it again…
          </button>
        </div>
      )}
      {problem !== undefined && (
        <Failure
          title="The file could not be looked at"
          error={problem}
          retry={() => void look(api.checkSettings)}
        />
      )}
      {file !== undefined && <FileReport report={file} />}
      {report.value !== undefined && <Settings settings={report.value.settings} />}
      <Panel
        title="All of it, as JSON"
        actions={
          <button type="button" onClick={() => void copy(text)}>
            Copy
          </button>
        }
      >
        {error !== undefined && config === undefined && (
          <Failure title="The configuration could not be loaded" error={error} retry={reload} />
        )}
        {config !== undefined && <JsonText text={text} />}
      </Panel>
    </div>
  )
}
