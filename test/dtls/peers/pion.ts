// pion, the implementation in Go, where Go and its modules are.

import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { folder } from './program.ts'

/** The program; undefined where it cannot be built without the network. `go mod download` in its folder fetches what it needs. */
export const pion = ((): string | undefined => {
  const program = join(folder, 'pion')
  try {
    execFileSync('go', ['build', '-o', program, '.'], {
      cwd: new URL('pion/', import.meta.url),
      env: { ...process.env, GOPROXY: 'off', GOTOOLCHAIN: 'local', GOFLAGS: '-mod=readonly' },
      stdio: 'ignore',
    })
    return program
  } catch {
    return undefined
  }
})()
