// What a person may do to a sensor, each step asked about before it is done.

import { api } from '../data/api.ts'
import { confirm, type Question } from '../parts/dialog.tsx'
import { toast } from '../parts/toasts.tsx'
import { askMessage } from './message-form.tsx'

interface SensorAction extends Question {
  readonly label: string
  readonly perform: (clientId: string) => Promise<void>
  /** what is said when it was done */
  readonly done: string
}

const actionsFor = (clientId: string): SensorAction[] => [
  {
    label: 'Clear queue',
    perform: api.clearQueue,
    title: 'Discard the messages that wait?',
    text: [`All messages that wait for ${clientId} are discarded. They cannot be brought back.`],
    action: 'Discard them',
    done: 'The queue was cleared.',
    danger: true,
  },
  {
    label: 'Send dead letters again',
    perform: api.resendDeadLetters,
    title: 'Send the dead letters again?',
    text: [`The messages of ${clientId} that the broker would not have are sent once more.`],
    action: 'Send them again',
    done: 'They are on their way.',
    danger: false,
  },
  {
    label: 'Discard dead letters',
    perform: api.discardDeadLetters,
    title: 'Discard the dead letters?',
    text: [
      `The messages of ${clientId} that the broker will not have are deleted. They cannot be brought back.`,
    ],
    action: 'Discard them',
    done: 'They are gone.',
    danger: true,
  },
  {
    label: 'Disconnect',
    perform: api.disconnect,
    title: 'Disconnect this sensor?',
    text: [
      `The gateway tells ${clientId} that its connection is over. A well-behaved sensor connects again by itself.`,
      'Its will is not published. Subscriptions and waiting messages stay, unless its session is a clean one.',
    ],
    action: 'Disconnect',
    done: 'The sensor was disconnected.',
    danger: false,
  },
  {
    label: 'Forget',
    perform: api.forget,
    title: 'Forget this sensor?',
    text: [
      `All that the gateway knows of ${clientId} is deleted: its session, subscriptions, topics and waiting messages.`,
      'When it connects again, it begins as a stranger. This cannot be undone.',
    ],
    action: 'Forget it',
    done: 'The sensor was forgotten.',
    danger: true,
  },
]

/** `done` is called after each action. */
export function SensorActions({ clientId, done }: { clientId: string; done: () => void }) {
  async function perform(act: () => Promise<void>, success: string): Promise<void> {
    try {
      await act()
      toast(success)
    } catch (error) {
      toast(`It was not done: ${(error as Error).message}`, 'bad')
    }
    done()
  }
  async function send(): Promise<void> {
    const message = await askMessage(clientId)
    if (message === undefined) return
    await perform(() => api.publish(clientId, message), `The message about ${message.topic} is on its way.`)
  }
  return (
    <div class="actions">
      <button type="button" onClick={() => void send()}>
        Send message…
      </button>
      {actionsFor(clientId).map((action) => (
        <button
          key={action.label}
          type="button"
          class={action.danger ? 'careful' : undefined}
          onClick={async () => {
            if (await confirm(action)) await perform(() => action.perform(clientId), action.done)
          }}
        >
          {`${action.label}…`}
        </button>
      ))}
    </div>
  )
}
