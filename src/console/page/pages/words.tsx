// All words of the console, explained on one page.

import type { ComponentChildren } from 'preact'
import { Intro, Panel } from '../parts/panel.tsx'
import { Badge } from '../parts/term.tsx'
import { DROPS } from '../words/drops.ts'
import type { ToneWords } from '../words/explained.ts'
import { MESSAGES } from '../words/messages.ts'
import { STATES, UPSTREAM } from '../words/states.ts'
import { TERMS } from '../words/terms.ts'

/** Where the name of a term is not the word itself. */
const NAMES: Readonly<Record<string, string>> = {
  qos: 'QoS',
  keepAlive: 'keep-alive',
  cleanSession: 'clean session',
  kernelDrops: 'lost by the system',
  receiveBuffer: 'receive buffer',
  sendErrors: 'send errors',
  lostConnections: 'broken connections',
}

interface Entry {
  readonly key: string
  readonly name: ComponentChildren
  readonly lines: readonly string[]
}

function Glossary({ title, entries }: { title: string; entries: readonly Entry[] }) {
  return (
    <Panel title={title}>
      <dl class="glossary">
        {entries.map(({ key, name, lines }) => (
          <div key={key}>
            <dt>{name}</dt>
            <dd>
              {lines.map((line) => (
                <p key={line}>{line}</p>
              ))}
            </dd>
          </div>
        ))}
      </dl>
    </Panel>
  )
}

const badges = (table: Readonly<Record<string, ToneWords>>): Entry[] =>
  Object.entries(table).map(([key, words]) => ({
    key,
    name: <Badge words={words} state={key} />,
    lines: [words.text],
  }))

export function WordsPage() {
  return (
    <div class="page stack">
      <Intro title="Words">
        A gateway stands between sensors, which speak MQTT-SN over UDP, and an MQTT broker. These are the
        words of its console.
      </Intro>
      <Glossary title="States of a sensor" entries={badges(STATES)} />
      <Glossary title="Its connection to the broker" entries={badges(UPSTREAM)} />
      <Glossary
        title="Terms"
        entries={Object.entries(TERMS).map(([key, text]) => ({
          key,
          name: NAMES[key] ?? key,
          lines: [text],
        }))}
      />
      <Glossary
        title="Messages"
        entries={Object.entries(MESSAGES).map(([key, text]) => ({
          key,
          name: <code>{key}</code>,
          lines: [text],
        }))}
      />
      <Glossary
        title="Reasons for drops"
        entries={Object.entries(DROPS).map(([key, { label, text, next }]) => ({
          key,
          name: (
            <>
              {label} <code>{key}</code>
            </>
          ),
          lines: [text, next],
        }))}
      />
    </div>
  )
}
