// What can be done with several sensors at once.

import type { SeveralAnswer, SimpleAction } from '../../contract/routes.ts'
import { type ApiError, api } from '../data/api.ts'
import { CancelButton, confirm, openDialog } from '../layers/dialog.tsx'
import { Menu } from '../layers/menu.tsx'
import { toast } from '../layers/toasts.tsx'
import { plural } from '../parts/format.ts'
import { tagsIn } from '../sensor/label-form.tsx'

interface ForSeveral {
  readonly action: SimpleAction
  readonly label: string
  readonly text: string
  readonly danger: boolean
}

const ACTIONS: readonly ForSeveral[] = [
  {
    action: 'disconnect',
    label: 'Disconnect',
    text: 'The gateway tells them that their connection is over. Well-behaved sensors connect again by themselves.',
    danger: false,
  },
  {
    action: 'endSecureSession',
    label: 'End secure sessions',
    text: 'Their DTLS sessions end: each needs a handshake before it is heard again. Their MQTT-SN sessions stay. Sensors without DTLS are left alone.',
    danger: false,
  },
  {
    action: 'resendDeadLetters',
    label: 'Send dead letters again',
    text: 'Their messages that the broker would not have are sent once more.',
    danger: false,
  },
  {
    action: 'clearQueue',
    label: 'Clear queues',
    text: 'All messages that wait for them are discarded. They cannot be brought back.',
    danger: true,
  },
  {
    action: 'discardDeadLetters',
    label: 'Discard dead letters',
    text: 'Their messages that the broker will not have are deleted. They cannot be brought back.',
    danger: true,
  },
  {
    action: 'forget',
    label: 'Forget',
    text: 'All that the gateway knows of them is deleted. When they connect again, they begin as strangers.',
    danger: true,
  },
]

/** Asks for tags to add and to take away. */
async function askTags(many: string): Promise<{ add: string[]; remove: string[] } | undefined> {
  const draft = { add: '', remove: '' }
  const field = (name: keyof typeof draft, label: string) => (
    <label class="field">
      <span>{label}</span>
      <input
        name={name}
        data-first={name === 'add' ? '' : undefined}
        onInput={({ currentTarget }) => {
          draft[name] = currentTarget.value
        }}
      />
    </label>
  )
  const answer = await openDialog(
    `Tags of ${many}`,
    <>
      {field('add', 'Tags to add, separated by commas')}
      {field('remove', 'Tags to take away')}
      <div class="buttons">
        <CancelButton />
        <button type="submit" value="yes" class="primary">
          Change tags
        </button>
      </div>
    </>,
  )
  return answer === 'yes' ? { add: tagsIn(draft.add), remove: tagsIn(draft.remove) } : undefined
}

interface ChosenProps {
  readonly clientIds: readonly string[]
  /** chooses none any more */
  readonly none: () => void
  /** something was done */
  readonly changed: () => void
}

const WHY_NOT: Readonly<Record<SeveralAnswer['failed'][number]['error'], string>> = {
  'wrong-state': 'not possible in its state',
  'no-such-sensor': 'it is not known',
  'node-silent': 'the node that serves it does not answer',
}

export function Chosen({ clientIds, none, changed }: ChosenProps) {
  if (clientIds.length === 0) return null
  const many = plural(clientIds.length, 'sensor')

  async function perform(act: () => Promise<SeveralAnswer>): Promise<void> {
    try {
      const { done, failed } = await act()
      const [first] = failed
      if (first === undefined) toast(`Done for ${plural(done, 'sensor')}.`)
      else
        toast(
          `Done for ${plural(done, 'sensor')}; not for ${plural(failed.length, 'sensor')}, such as ${first.clientId}: ${
            WHY_NOT[first.error]
          }.`,
          'warn',
        )
    } catch (error) {
      toast(`It was not done: ${(error as ApiError).message}`, 'bad')
    }
    changed()
  }
  async function ask({ action, label, text, danger }: ForSeveral): Promise<void> {
    const title = `${label}: ${many}?`
    if (await confirm({ title, text: [text], action: label, danger }))
      await perform(() => api.actOnSeveral(clientIds, action))
  }
  async function tag(): Promise<void> {
    const changes = await askTags(many)
    if (changes !== undefined) await perform(() => api.tagSeveral(clientIds, changes))
  }
  return (
    <div class="chosen panel" role="group" aria-label="What to do with the chosen sensors">
      <b>{`${many} chosen`}</b>
      <button type="button" onClick={() => void tag()}>
        Tags…
      </button>
      <Menu label="Do">
        {ACTIONS.map((action) => (
          <button
            key={action.action}
            type="button"
            class={action.danger ? 'careful' : undefined}
            onClick={() => void ask(action)}
          >
            {`${action.label}…`}
          </button>
        ))}
      </Menu>
      <button type="button" onClick={none}>
        Choose none
      </button>
    </div>
  )
}
