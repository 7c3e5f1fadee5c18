// What a person may do to a sensor, each step asked about before it is done.

import { askMessage, confirm } from '../parts/dialogs.js'
import { h } from '../parts/dom.js'

const QUESTIONS = (clientId) => [
  {
    label: 'Clear queue',
    call: 'clearQueue',
    title: 'Discard the messages that wait?',
    text: [`All messages that wait for ${clientId} are discarded. They cannot be brought back.`],
    action: 'Discard them',
    done: 'The queue was cleared.',
    danger: true,
  },
  {
    label: 'Send dead letters again',
    call: 'resendDeadLetters',
    title: 'Send the dead letters again?',
    text: [`The messages of ${clientId} that the broker would not have are sent once more.`],
    action: 'Send them again',
    done: 'They are on their way.',
    danger: false,
  },
  {
    label: 'Discard dead letters',
    call: 'discardDeadLetters',
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
    call: 'disconnect',
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
    call: 'forget',
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

/** Buttons for one sensor; `done` is called after each action. */
export function actionsFor(clientId, { api, toast, done }) {
  async function perform(call, success) {
    try {
      await call()
      toast(success)
    } catch (error) {
      toast(`It was not done: ${error.message}`, 'bad')
    }
    done()
  }

  const send = h('button', {
    type: 'button',
    text: 'Send message…',
    on: {
      async click() {
        const message = await askMessage(clientId)
        if (message !== undefined)
          await perform(
            () => api.publish(clientId, message),
            `The message about ${message.topic} is on its way.`,
          )
      },
    },
  })
  const others = QUESTIONS(clientId).map((question) =>
    h('button', {
      type: 'button',
      class: question.danger ? 'careful' : undefined,
      text: `${question.label}…`,
      on: {
        async click() {
          if (await confirm(question)) await perform(() => api[question.call](clientId), question.done)
        },
      },
    }),
  )
  return [send, ...others]
}
