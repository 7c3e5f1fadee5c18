// The scripts that make bash, zsh and fish complete the command line.

import type { CommandWords, OptionWord } from './words.ts'

/** The shells that are known. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const

/** The script for a shell. */
export const completionScript = (shell: (typeof SHELLS)[number], all: readonly CommandWords[]): string =>
  ({ bash: bashScript, zsh: zshScript, fish: fishScript })[shell](all)

const namesOf = ({ options }: CommandWords): string[] => options.flatMap(({ names }) => names)

/** Finds the command that is typed: the longest path that the words before begin with. */
const find = (all: readonly CommandWords[]): string =>
  all
    .map(({ path }) => path)
    .filter((path) => path !== '')
    .map((path) => `'${path}'`)
    .join('|')

/** What bash lists for a kind of value. */
function bashValue({ takes }: OptionWord): string | undefined {
  if (takes === 'nothing') return undefined
  if (takes === 'file') return 'compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$word"))'
  if (takes === 'folder') return 'compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -d -- "$word"))'
  return takes === 'anything' ? ':' : `COMPREPLY=($(compgen -W '${takes.join(' ')}' -- "$word"))`
}

function bashCase(words: CommandWords): string {
  const values = words.options.flatMap((option) => {
    const list = bashValue(option)
    return list === undefined ? [] : [`        ${option.names.join('|')}) ${list}; return ;;`]
  })
  const others = typeof words.takes === 'string' ? '' : words.takes.join(' ')
  const files =
    words.takes === 'file'
      ? `[[ $word != -* ]] && { compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$word")); return; }`
      : ':'
  return [
    `    '${words.path}')`,
    ...(values.length > 0 ? ['      case "$before" in', ...values, '      esac'] : []),
    `      ${files}`,
    // options are offered once a dash is typed, or where there is nothing else
    others === ''
      ? `      list='${namesOf(words).join(' ')}' ;;`
      : `      list='${others}'; [[ $word == -* ]] && list='${namesOf(words).join(' ')}' ;;`,
  ].join('\n')
}

const bashScript = (all: readonly CommandWords[]): string => `\
# bash completion for mqttsn: eval "$(mqttsn completion bash)", or put it into a file that bash reads
_mqttsn() {
  local word="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}" path='' longer i list
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    longer="\${path:+$path }\${COMP_WORDS[i]}"
    case "$longer" in ${find(all)}) path="$longer" ;; *) break ;; esac
  done
  case "$path" in
${all.map(bashCase).join('\n')}
  esac
  COMPREPLY=($(compgen -W "$list" -- "$word"))
}
complete -F _mqttsn mqttsn
`

const zshQuoted = (text: string): string => text.replace(/'/g, `'\\''`)
const zshAbout = (text: string): string => zshQuoted(text.replace(/[[\]:\\]/g, '\\$&'))

function zshValue({ takes }: OptionWord): string {
  if (takes === 'nothing') return ''
  if (takes === 'file') return ':file:_files'
  if (takes === 'folder') return ':folder:_files -/'
  return takes === 'anything' ? ':value: ' : `:value:(${takes.join(' ')})`
}

function zshCase(words: CommandWords): string {
  const options = words.options.flatMap((option) =>
    option.names.map((name) => `'*${name}[${zshAbout(option.about)}]${zshQuoted(zshValue(option))}'`),
  )
  const rest =
    words.takes === 'file'
      ? ["'*:file:_files'"]
      : words.takes === 'nothing'
        ? []
        : [`'*:word:(${words.takes.join(' ')})'`]
  return [
    `    '${words.path}')`,
    `      _arguments -S ${[...options, ...rest].join(' \\\n        ')} ;;`,
  ].join('\n')
}

const zshScript = (all: readonly CommandWords[]): string => `\
#compdef mqttsn
# zsh completion for mqttsn: mqttsn completion zsh > _mqttsn in a folder of $fpath
_mqttsn() {
  local where='' longer i
  for ((i = 2; i < CURRENT; i++)); do
    longer="\${where:+$where }\${words[i]}"
    case "$longer" in
      (${find(all)}) where="$longer" ;;
      (*) break ;;
    esac
  done
  # _arguments counts from the command that is called
  local -a typed=(\${(z)where})
  local depth=$#typed
  words=("\${(@)words[1]}" "\${(@)words[depth+2,-1]}")
  (( CURRENT -= depth ))
  case "$where" in
${all.map(zshCase).join('\n')}
  esac
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then _mqttsn "$@"; else compdef _mqttsn mqttsn; fi
`

const fishQuoted = (text: string): string => `'${text.replace(/[\\']/g, '\\$&')}'`

/** Whether the words of a path were typed, and no command further in. */
function fishCondition({ path }: CommandWords, all: readonly CommandWords[]): string {
  if (path === '') return '__fish_use_subcommand'
  const seen = path.split(' ').map((word) => `__fish_seen_subcommand_from ${word}`)
  const within = all
    .filter((one) => one.path.startsWith(`${path} `))
    .map((one) => one.path.slice(path.length + 1))
  const none = within.length > 0 ? [`not __fish_seen_subcommand_from ${within.join(' ')}`] : []
  return [...seen, ...none].join('; and ')
}

function fishLines(words: CommandWords, all: readonly CommandWords[]): string[] {
  const condition = fishQuoted(fishCondition(words, all))
  const aboutOf = (word: string) =>
    all.find(({ path }) => path === `${words.path} ${word}`.trim())?.about ?? ''
  const inner = typeof words.takes === 'string' ? [] : words.takes
  return [
    ...inner.map(
      (word) => `complete -c mqttsn -n ${condition} -f -a ${word} -d ${fishQuoted(aboutOf(word))}`,
    ),
    ...words.options.map(({ names, about, takes }) => {
      const spelt = names
        .map((name) => (name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`))
        .join(' ')
      const value = {
        nothing: '',
        anything: ' -x',
        file: ' -r -F',
        folder: " -x -a '(__fish_complete_directories)'",
      }
      const list = typeof takes === 'string' ? value[takes] : ` -x -a ${fishQuoted(takes.join(' '))}`
      return `complete -c mqttsn -n ${condition} ${spelt}${list} -d ${fishQuoted(about)}`
    }),
    ...(words.takes === 'file' ? [`complete -c mqttsn -n ${condition} -F`] : []),
  ]
}

const fishScript = (all: readonly CommandWords[]): string =>
  [
    '# fish completion for mqttsn: mqttsn completion fish > ~/.config/fish/completions/mqttsn.fish',
    'complete -c mqttsn -f',
    ...all.flatMap((words) => fishLines(words, all)),
    '',
  ].join('\n')
