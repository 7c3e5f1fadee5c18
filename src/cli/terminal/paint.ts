// Colours for what a person reads; none where a program reads it, or where NO_COLOR is set (`hasColors` minds it).

import { styleText } from 'node:util'
import { processTerminal, type Terminal } from './terminal.ts'

type Style = Parameters<typeof styleText>[0]

/** Colours a text, or leaves it alone. */
export type Paint = (style: Style, text: string) => string

export const inColour: Paint = (style, text) => styleText(style, text, { validateStream: false })

export const plain: Paint = (_style, text) => text

/** The one that suits where this terminal's output goes. */
export function paintFor(terminal: Terminal): Paint {
  const colours = terminal === processTerminal && process.stdout.isTTY && process.stdout.hasColors()
  return colours ? inColour : plain
}

const stateStyles: Record<string, Style> = {
  active: 'green',
  awake: 'cyan',
  asleep: 'blue',
  lost: 'red',
  disconnected: 'gray',
}

/** The colour of a sensor's state; yellow while it is connecting. */
export const stateStyle = (state: string): Style => stateStyles[state] ?? 'yellow'
