// What a person may do to a sensor: only what makes sense now, each step asked about before it is done.

import type { SensorDetail } from '../../contract/sensors.ts'
import { api } from '../data/api.ts'
import { confirm, type Question } from '../layers/dialog.tsx'
import { Menu } from '../layers/menu.tsx'
import { toast } from '../layers/toasts.tsx'
import { count, plural } from '../parts/format.ts'
import { askLabel } from './label-form.tsx'
import { askMessage } from './message-form.tsx'

export interface SensorAction extends Question {
  readonly label: string
  readonly perform: (clientId: string) => Promise<void>
  /** what is said when it was done */
  readonly done: string
  /** whether it makes sense at all */
  readonly fits: (sensor: SensorDetail) => boolean
}

const hasSession = ({ departed }: SensorDetail) => !departed

/** Those that destroy nothing. */
const gentleActions = (clientId: string): SensorAction[] => [
  {
    label: 'Send dead letters again',
    perform: api.resendDeadLetters,
    title: 'Send the dead letters again?',
    text: [`The messages of ${clientId} that the broker would not have are sent once more.`],
    action: 'Send them again',
    done: 'They are on their way.',
    danger: false,
    fits: ({ deadLetters }) => deadLetters.length > 0,
  },
]

/** Those that are behind a menu. */
const seriousActions = (clientId: string): SensorAction[] => [
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
    fits: (sensor) => hasSession(sensor) && sensor.state !== 'lost' && sensor.state !== 'disconnected',
  },
  {
    label: 'End secure session',
    perform: api.endSecureSession,
    title: 'End its secure session?',
    text: [
      `${clientId} is told that its DTLS session is over, and needs a handshake before it is heard again. What it sends before that is thrown away.`,
      'Its MQTT-SN session, subscriptions and waiting messages stay. One that sleeps finds out when it wakes up.',
    ],
    action: 'End it',
    done: 'The secure session was ended.',
    danger: false,
    fits: ({ secure }) => secure?.open !== undefined,
  },
  {
    label: 'Clear queue',
    perform: api.clearQueue,
    title: 'Discard the messages that wait?',
    text: [`All messages that wait for ${clientId} are discarded. They cannot be brought back.`],
    action: 'Discard them',
    done: 'The queue was cleared.',
    danger: true,
    fits: ({ queued }) => queued > 0,
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
    fits: ({ deadLetters }) => deadLetters.length > 0,
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
    fits: hasSession,
  },
]

/** Does it, and says what became of it. */
export async function performAction(act: () => Promise<unknown>, success: string): Promise<void> {
  try {
    await act()
    toast(success)
  } catch (error) {
    toast(`It was not done: ${(error as Error).message}`, 'bad')
  }
}

/** Topics that a message may be about: what it subscribes to, and what was delivered to it. */
function suggestionsFor({ subscribed, delivered, registry }: SensorDetail): string[] {
  const names = [
    ...delivered.map(({ topic }) => topic),
    ...subscribed.map(({ filter }) => filter).filter((filter) => !/[#+]/.test(filter)),
    ...registry.map(({ name }) => name),
  ]
  return [...new Set(names)].slice(0, 50)
}

/** `done` is called after each action. */
export function SensorActions({ sensor, done }: { sensor: SensorDetail; done: () => void }) {
  const { clientId, deadLetters, queued } = sensor
  const amounts: Readonly<Record<string, string>> = {
    'Clear queue': plural(queued, 'message'),
    'Discard dead letters': count(deadLetters.length),
  }
  async function ask(action: SensorAction): Promise<void> {
    if (!(await confirm(action))) return
    await performAction(() => action.perform(clientId), action.done)
    done()
  }
  async function send(): Promise<void> {
    const message = await askMessage(clientId, suggestionsFor(sensor))
    if (message === undefined) return
    await performAction(
      () => api.publish(clientId, message),
      `The message about ${message.topic} is on its way.`,
    )
    done()
  }
  async function rename(): Promise<void> {
    const label = await askLabel(sensor)
    if (label === undefined) return
    await performAction(() => api.label(clientId, label), 'Name and tags were changed.')
    done()
  }
  const serious = seriousActions(clientId).filter(({ fits }) => fits(sensor))
  return (
    <div class="actions">
      {hasSession(sensor) && (
        <button type="button" onClick={() => void send()}>
          Send message…
        </button>
      )}
      {gentleActions(clientId)
        .filter(({ fits }) => fits(sensor))
        .map((action) => (
          <button key={action.label} type="button" onClick={() => void ask(action)}>
            {`${action.label}…`}
          </button>
        ))}
      <button type="button" onClick={() => void rename()}>
        Name and tags…
      </button>
      {serious.length > 0 && (
        <Menu label="More">
          {serious.map((action) => (
            <button
              key={action.label}
              type="button"
              class={action.danger ? 'careful' : undefined}
              onClick={() => void ask(action)}
            >
              {`${action.label}…`}
              {amounts[action.label] !== undefined && <small class="muted"> {amounts[action.label]}</small>}
            </button>
          ))}
        </Menu>
      )}
    </div>
  )
}
