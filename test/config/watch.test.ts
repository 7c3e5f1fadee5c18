// Noticing that a file is another one now.

import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it, onTestFinished, vi } from 'vitest'
import { watchFile } from '../../src/config/watch.ts'
import { directoryWith } from './files.ts'

/** Counts the calls for a file in a directory. */
function watched(directory: string, name = 'c.json') {
  const onChange = vi.fn()
  onTestFinished(watchFile(join(directory, name), onChange))
  return {
    onChange,
    times: (times: number) =>
      vi.waitFor(() => expect(onChange).toHaveBeenCalledTimes(times), { timeout: 5000 }),
  }
}

it('notices a file that is written in place, once per pause', async () => {
  const directory = directoryWith({ 'c.json': '{' })
  const { times } = watched(directory)
  for (const text of ['{ ', '{ }', '{  }']) writeFileSync(join(directory, 'c.json'), text)
  await times(1)
  writeFileSync(join(directory, 'c.json'), '{}')
  await times(2)
})

it('notices a file that an editor replaces, more than once', async () => {
  const directory = directoryWith({ 'c.json': '1' })
  const { times } = watched(directory)
  for (const round of [1, 2]) {
    writeFileSync(join(directory, 'new'), String(round))
    renameSync(join(directory, 'new'), join(directory, 'c.json'))
    await times(round)
  }
})

it('notices a file that goes, and comes back', async () => {
  const directory = directoryWith({ 'c.json': '1' })
  const { times } = watched(directory)
  rmSync(join(directory, 'c.json'))
  await times(1)
  writeFileSync(join(directory, 'c.json'), '1')
  await times(2)
})

it('notices that a link on the way leads elsewhere, as in mounted volumes', async () => {
  const directory = directoryWith({})
  for (const name of ['one', 'two']) {
    mkdirSync(join(directory, name))
    writeFileSync(join(directory, name, 'c.json'), name)
  }
  symlinkSync('one', join(directory, 'data'))
  symlinkSync('data/c.json', join(directory, 'c.json'))
  const { times } = watched(directory)
  symlinkSync('two', join(directory, 'data.new'))
  renameSync(join(directory, 'data.new'), join(directory, 'data'))
  await times(1)
})

it('takes no notice of its neighbours, nor of anything after its end', async () => {
  const directory = directoryWith({ 'c.json': '1' })
  const { onChange } = watched(directory)
  const ended = vi.fn()
  const end = watchFile(join(directory, 'c.json'), ended)
  const other = watched(directory, 'other')
  writeFileSync(join(directory, 'other'), '2')
  await other.times(1) // so the folder's watchers have heard of it
  expect(onChange).not.toHaveBeenCalled()
  end()
  writeFileSync(join(directory, 'c.json'), '22')
  await vi.waitFor(() => expect(onChange).toHaveBeenCalledTimes(1), { timeout: 5000 })
  expect(ended).not.toHaveBeenCalled()
})

it('says so at once where there is nothing to watch', () => {
  expect(() => watchFile('/nonexistent/folder/c.json', () => {})).toThrow('ENOENT')
})
