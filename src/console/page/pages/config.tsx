// The configuration in effect, to read: secrets are hidden by the gateway.

import type { ComponentChildren } from 'preact'
import { api } from '../data/api.ts'
import { useAnswer } from '../data/use-answer.ts'
import { Failure } from '../parts/failure.tsx'
import { Intro, Panel } from '../parts/panel.tsx'
import { toast } from '../parts/toasts.tsx'

/** Keys, texts and the rest of JSON in different inks; as elements, never as markup. */
function coloured(json: string): ComponentChildren[] {
  const parts: ComponentChildren[] = []
  let end = 0
  for (const match of json.matchAll(/"(?:[^"\\]|\\.)*"(\s*:)?|\b(?:true|false|null)\b|-?\d+(?:\.\d+)?/g)) {
    parts.push(json.slice(end, match.index))
    const kind = match[1] !== undefined ? 'key' : match[0].startsWith('"') ? 'text' : 'value'
    parts.push(
      <span key={match.index} class={`json-${kind}`}>
        {match[0]}
      </span>,
    )
    end = match.index + match[0].length
  }
  return [...parts, json.slice(end)]
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
  const { value: config, error, reload } = useAnswer(api.config)
  const text = config === undefined ? '' : JSON.stringify(config, null, 2)
  const copyButton = (
    <button type="button" onClick={() => void copy(text)}>
      Copy
    </button>
  )
  return (
    <div class="page stack">
      <Intro title="Configuration">
        What is in effect, defaults included. It is changed in its file only; a reload of the gateway (SIGHUP)
        takes over what can change while it runs, the rest with the next start. Secrets are hidden.
      </Intro>
      <Panel title="In effect" actions={copyButton}>
        {error !== undefined && config === undefined && (
          <Failure title="The configuration could not be loaded" error={error} retry={reload} />
        )}
        {config !== undefined && (
          <pre class="code" role="region" tabIndex={0} aria-label="Configuration as JSON">
            {coloured(text)}
          </pre>
        )}
      </Panel>
    </div>
  )
}
