// The window that asks what people call a sensor: name, description and tags.

import type { SensorDetail, SensorLabel } from '../../contract/sensors.ts'
import { CancelButton, openDialog } from '../layers/dialog.tsx'

/** Tags as somebody writes them: separated by commas or spaces. */
export const tagsIn = (text: string): string[] => [
  ...new Set(
    text
      .split(/[,\s]+/)
      .map((tag) => tag.trim())
      .filter((tag) => tag !== ''),
  ),
]

const WHERE: Readonly<Record<string, string>> = {
  rule: 'What is there now comes from a rule of the configuration; what is written here is used instead.',
  console: 'What is there now was written here.',
}

/** Resolves with the new label, empty if there shall be none, or with undefined. */
export async function askLabel(sensor: SensorDetail): Promise<Partial<SensorLabel> | undefined> {
  const { clientId, name = '', description = '', tags, labelledBy } = sensor
  const draft = { name, description, tags: tags.join(', ') }
  const answer = await openDialog(
    `What is ${clientId}?`,
    <>
      <p class="muted">
        {`For people only: sensors and broker do not see it. ${WHERE[labelledBy ?? ''] ?? ''}`}
      </p>
      <label class="field">
        <span>Name</span>
        <input
          name="name"
          defaultValue={name}
          maxLength={100}
          data-first=""
          onInput={({ currentTarget }) => {
            draft.name = currentTarget.value
          }}
        />
      </label>
      <label class="field">
        <span>Description</span>
        <textarea
          name="description"
          rows={2}
          defaultValue={description}
          maxLength={1000}
          onInput={({ currentTarget }) => {
            draft.description = currentTarget.value
          }}
        />
      </label>
      <label class="field">
        <span>Tags, separated by commas</span>
        <input
          name="tags"
          defaultValue={draft.tags}
          onInput={({ currentTarget }) => {
            draft.tags = currentTarget.value
          }}
        />
      </label>
      <div class="buttons">
        {labelledBy === 'console' && (
          <button type="submit" value="none">
            Back to the configuration
          </button>
        )}
        <CancelButton />
        <button type="submit" value="yes" class="primary">
          Keep
        </button>
      </div>
    </>,
  )
  if (answer === 'none') return {}
  if (answer !== 'yes') return undefined
  const [newName, newDescription] = [draft.name.trim(), draft.description.trim()]
  return {
    ...(newName === '' ? {} : { name: newName }),
    ...(newDescription === '' ? {} : { description: newDescription }),
    tags: tagsIn(draft.tags),
  }
}
