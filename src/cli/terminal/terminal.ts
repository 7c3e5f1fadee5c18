// What a command needs of the process around it: input, output, exit code, Ctrl-C. Tests put their own in place.

import { SensorError } from '../../sensor/sensor.ts'

/** Exit codes of the commands that talk to a gateway. */
export const ExitCode = { ok: 0, refused: 1, usage: 2, noAnswer: 3, interrupted: 130 } as const

/** The surroundings of one command. */
export interface Terminal {
  readonly stdin: AsyncIterable<Uint8Array>
  /** Prints one line of results. */
  out(line: string): void
  /** Prints one line of diagnostics. */
  err(line: string): void
  /** Sets the exit code; the process ends once nothing is left to do. */
  exit(code: number): void
  /** Aborted at Ctrl-C; a second Ctrl-C ends the process at once. */
  interruption(): AbortSignal
}

/** The real process. */
export const processTerminal: Terminal = {
  get stdin() {
    return process.stdin
  },
  out: (line) => void process.stdout.write(`${line}\n`),
  err: (line) => void process.stderr.write(`${line}\n`),
  exit: (code) => {
    process.exitCode = code
    process.stdin.destroy()
  },
  interruption() {
    const controller = new AbortController()
    const interrupt = () => {
      controller.abort()
      process.stdin.destroy()
    }
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, interrupt)
    // `mqttsn sub | head` closes our output: there is no reader any more.
    process.stdout.once('error', interrupt)
    return controller.signal
  },
}

/** Prints why a command failed and sets its exit code. */
export function reportFailure(terminal: Terminal, error: unknown, json: boolean): void {
  const message = error instanceof Error ? error.message : String(error)
  const { code, returnCode } =
    error instanceof SensorError ? error : { code: 'invalid', returnCode: undefined }
  terminal.err(json ? JSON.stringify({ error: code, returnCode, message }) : `error: ${message}`)
  if (code === 'rejected' || code === 'disconnected' || code === 'security') terminal.exit(ExitCode.refused)
  else terminal.exit(code === 'timeout' || code === 'transport' ? ExitCode.noAnswer : ExitCode.usage)
}
