// What may stand where on the command line: commands, options and what they take, as data for the scripts of all shells.

import type { Command, Option } from 'commander'

/** One option. */
export interface OptionWord {
  /** `-t`, `--topic` */
  readonly names: readonly string[]
  readonly about: string
  /** whether a value follows, and which: a file, a folder, or one of some words */
  readonly takes: 'nothing' | 'anything' | 'file' | 'folder' | readonly string[]
}

/** A command, or a command within one: `path` is `sensor valve`. */
export interface CommandWords {
  readonly path: string
  readonly about: string
  readonly options: readonly OptionWord[]
  /** what may follow besides options: commands within it, words, a file */
  readonly takes: 'nothing' | 'file' | readonly string[]
}

/** Everything, the program itself first, with the path ''. */
export function completionWords(all: readonly Command[]): CommandWords[] {
  const program: CommandWords = {
    path: '',
    about: '',
    options: [
      { names: ['--help'], about: 'display help', takes: 'nothing' },
      { names: ['-V', '--version'], about: 'output the version number', takes: 'nothing' },
    ],
    takes: all.map((command) => command.name()),
  }
  return [program, ...all.flatMap((command) => wordsOf(command, ''))]
}

function wordsOf(command: Command, above: string): CommandWords[] {
  const path = `${above} ${command.name()}`.trim()
  const within = command.commands
  const choices = command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? [])
  const takesFile = command.registeredArguments.some((argument) => /file/.test(argument.name()))
  const others = within.length > 0 ? within.map((one) => one.name()) : choices
  const words: CommandWords = {
    path,
    about: command.description(),
    options: command.createHelp().visibleOptions(command).map(optionWord),
    takes: takesFile ? 'file' : others.length > 0 ? others : 'nothing',
  }
  return [words, ...within.flatMap((one) => wordsOf(one, path))]
}

function optionWord(option: Option): OptionWord {
  const { short, long, flags, argChoices, description } = option
  const value = /[<[]([^>\]]+)[>\]]/.exec(flags)?.[1]
  const names = [short, long].filter((name) => name !== undefined)
  if (value === undefined) return { names, about: description, takes: 'nothing' }
  if (argChoices !== undefined) return { names, about: description, takes: argChoices }
  if (/file|path/.test(value)) return { names, about: description, takes: 'file' }
  return { names, about: description, takes: value === 'folder' ? 'folder' : 'anything' }
}
