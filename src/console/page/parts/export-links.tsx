// Downloads of a list as it is filtered: for a spreadsheet, or for a program.

import { api, type ExportKind } from '../data/api.ts'

export function ExportLinks({ kind, query = {} }: { kind: ExportKind; query?: object }) {
  return (
    <span class="export">
      {(['csv', 'json'] as const).map((format) => (
        <a
          key={format}
          class="button small"
          href={api.exportUrl(kind, format, query)}
          download={`${kind}.${format}`}
          data-tip={
            format === 'csv' ? 'All that is found, for a spreadsheet.' : 'All that is found, for a program.'
          }
        >
          {format.toUpperCase()}
        </a>
      ))}
    </span>
  )
}
