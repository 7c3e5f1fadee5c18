// JSON to read: keys, texts and the rest in different inks; as elements, never as markup.

import type { ComponentChildren } from 'preact'

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

export const JsonText = ({ text }: { text: string }) => (
  <pre class="code" role="region" tabIndex={0} aria-label="Configuration as JSON">
    {coloured(text)}
  </pre>
)
