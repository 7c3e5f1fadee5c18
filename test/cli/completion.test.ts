// The completion of the command line, in the shells themselves where they are installed.

import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { directoryWith } from '../config/files.ts'
import { run } from './compiled.ts'

const has = (shell: string) => spawnSync(shell, ['--version']).status === 0

describe.skipIf(!has('bash'))('in bash', () => {
  let script = ''
  beforeAll(async () => {
    script = (await run(['completion', 'bash'])).stdout
  })

  /** What bash proposes for a line that ends at the cursor. */
  function proposals(line: string, cwd = directoryWith({})): string[] {
    const words = line.split(' ')
    const quoted = words.map((word) => `'${word}'`).join(' ')
    const ask = `${script}
      COMP_WORDS=(${quoted}); COMP_CWORD=${words.length - 1}
      _mqttsn
      printf '%s\\n' "\${COMPREPLY[@]}"`
    const text = execFileSync('bash', ['--noprofile', '--norc', '-c', ask], { cwd, encoding: 'utf8' })
    return text.split('\n').filter((word) => word !== '')
  }

  it('is a script that bash reads without a word, and that serves mqttsn', () => {
    const text = execFileSync('bash', ['--noprofile', '--norc', '-c', `${script}\ncomplete -p mqttsn`], {
      encoding: 'utf8',
    })
    expect(text).toBe('complete -F _mqttsn mqttsn\n')
  })

  it('proposes commands, and commands within them', () => {
    expect(proposals('mqttsn ')).toEqual(
      expect.arrayContaining(['gateway', 'init', 'pub', 'sub', 'store', 'completion']),
    )
    expect(proposals('mqttsn p')).toEqual(['pub', 'psk'])
    expect(proposals('mqttsn store ')).toEqual(['list', 'backup', 'restore'])
    expect(proposals('mqttsn sensor v')).toEqual(['valve'])
    expect(proposals('mqttsn completion ')).toEqual(['bash', 'zsh', 'fish'])
    expect(proposals('mqttsn nonsense ')).not.toContain('list')
  })

  it('proposes the options of the command that is typed', () => {
    expect(proposals('mqttsn pub --re')).toEqual(['--retain', '--repeat', '--retry', '--retries'])
    expect(proposals('mqttsn sub -t a --sl')).toEqual(['--sleep'])
    expect(proposals('mqttsn sensor swarm --ver')).toEqual(['--verify'])
    expect(proposals('mqttsn store backup --f')).toEqual(['--force'])
    expect(proposals('mqttsn --v')).toEqual(['--version'])
  })

  it('proposes what an option takes: words, files, folders', () => {
    const cwd = directoryWith({ 'gateway.yaml': '', 'other.txt': '' })
    expect(proposals('mqttsn top --state as')).toEqual(['asleep'])
    expect(proposals('mqttsn gateway -c ga', cwd)).toEqual(['gateway.yaml'])
    expect(proposals('mqttsn store restore o', cwd)).toEqual(['other.txt'])
    expect(proposals('mqttsn store list --store ', cwd)).toEqual([])
    expect(proposals('mqttsn pub --message ', cwd)).toEqual([])
  })
})

describe.skipIf(!has('zsh'))('in zsh', () => {
  it('completes commands, options and their values at a prompt', { timeout: 60_000 }, async () => {
    const directory = directoryWith({
      _mqttsn: (await run(['completion', 'zsh'])).stdout,
      'gateway.yaml': '',
    })
    // each line is typed at an interactive shell of its own; what it becomes is written to a file
    const typist = `
      zmodload zsh/zpty
      zpty z zsh -f -i
      zpty -w z "cd \${(q)1}; fpath=(\${(q)1} \\$fpath); autoload -U compinit; compinit -u -d \${(q)1}/dump"
      zpty -w z "note() { print -r -- \\$BUFFER >> \${(q)1}/lines; BUFFER= }; zle -N note; bindkey '^X' note"
      zpty -w z "zle-line-init() { print -r -- ready >> \${(q)1}/lines }; zle -N zle-line-init"
      until [[ -s $1/lines ]]; do sleep 0.1; done
      n=1
      for line in "\${@:2}"; do
        zpty -w -n z "$line"$'\\t\\x18'
        (( n += 1 ))
        until (( $(wc -l < $1/lines) >= n )); do sleep 0.05; done
      done
      zpty -d z`
    const typed = {
      'mqttsn pu': 'mqttsn pub',
      'mqttsn store ba': 'mqttsn store backup',
      'mqttsn pub --repe': 'mqttsn pub --repeat',
      'mqttsn top --state asl': 'mqttsn top --state asleep',
      'mqttsn gateway -c ga': 'mqttsn gateway -c gateway.yaml',
      'mqttsn sensor valve --inter': 'mqttsn sensor valve --interval',
    }
    execFileSync('zsh', ['-f', '-c', typist, 'typist', directory, ...Object.keys(typed)], { timeout: 50_000 })
    const lines = readFileSync(join(directory, 'lines'), 'utf8').split('\n')
    expect(lines.map((line) => line.trim())).toEqual(['ready', ...Object.values(typed), ''])
  })
})

describe.each(['zsh', 'fish'])('in %s', (shell) => {
  it.skipIf(!has(shell))('is a script that the shell reads without a word', async () => {
    const { stdout, status } = await run(['completion', shell])
    const file = join(directoryWith({ script: stdout }), 'script')
    expect(status).toBe(0)
    const check = spawnSync(shell, ['-n', file], { encoding: 'utf8' })
    expect([check.status, check.stderr]).toEqual([0, ''])
  })

  it.skipIf(shell !== 'fish' || !has('fish'))('proposes commands, options and their values', async () => {
    const file = join(directoryWith({ script: (await run(['completion', 'fish'])).stdout }), 'script')
    const proposals = (line: string) =>
      execFileSync('fish', ['--no-config', '-c', `source ${file}; complete -C '${line}'`], {
        encoding: 'utf8',
      })
        .split('\n')
        .map((one) => one.split('\t')[0])
        .filter((one) => one !== '')
    expect(proposals('mqttsn pu')).toEqual(['pub'])
    expect(proposals('mqttsn store ')).toEqual(expect.arrayContaining(['list', 'backup', 'restore']))
    expect(proposals('mqttsn pub --repe')).toEqual(['--repeat'])
    expect(proposals('mqttsn top --state as')).toEqual(['asleep'])
  })

  it('refuses a shell that it does not know', async () => {
    const { status, stderr } = await run(['completion', 'tcsh'])
    expect([status, stderr]).toEqual([2, expect.stringContaining('bash, zsh, fish')])
  })
})
