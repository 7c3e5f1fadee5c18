// The help: keys, and where to learn the words.

import { singleKeys } from '../parts/keyboard.ts'
import { openDialog } from './dialog.tsx'

const KEYS: readonly (readonly [names: readonly string[], text: string])[] = [
  [['/'], 'Search the sensors'],
  [['j', 'k'], 'Down and up in a list; the arrow keys do it too'],
  [['Enter'], 'Open what is marked'],
  [['Esc'], 'Close, or back to the list'],
  [['p'], 'Pause the conversation of a sensor, or go on'],
  [['?'], 'This help'],
]

export const openHelp = () =>
  openDialog(
    'Help',
    <>
      <p>Words with a dotted line explain themselves when you point at them, or reach them with Tab.</p>
      <table class="keys">
        <tbody>
          {KEYS.map(([names, text]) => (
            <tr key={text}>
              <td>
                {names.map((name) => (
                  <>
                    <kbd>{name}</kbd>{' '}
                  </>
                ))}
              </td>
              <td>{text}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <label class="check">
        <input
          type="checkbox"
          checked={singleKeys.on}
          onChange={({ currentTarget }) => {
            singleKeys.on = currentTarget.checked
          }}
        />
        <span>Single keys do something</span>
      </label>
      <p>
        <a href="#/words">All words of these pages, explained</a>
      </p>
      <div class="buttons">
        <button type="submit" value="" class="primary" data-first="">
          Close
        </button>
      </div>
    </>,
  )
