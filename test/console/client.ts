// An HTTP client that sends what it is told to, Host and Origin included, which fetch does not; and a console to ask.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type IncomingHttpHeaders, request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { SettingsDoor } from '../../src/console/api/settings-routes.ts'
import { type Console, type ConsoleOptions, startConsole } from '../../src/console/server.ts'
import { type ScriptedView, scriptedView } from './scripted-view.ts'

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

/** One request on a connection of its own. */
export function ask(
  console: Pick<Console, 'url'>,
  path: string,
  {
    method = 'GET',
    headers = {},
    body,
  }: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(console.url)
    const host = hostname.replace(/^\[|\]$/g, '')
    const sent = request({ host, port, path, method, headers, agent: false }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        const { statusCode = 0, headers } = response
        resolve({ status: statusCode, headers, text: Buffer.concat(chunks).toString() })
      })
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

/** A POST of JSON. */
export const post = (console: Console, path: string, body: unknown, headers: Record<string, string> = {}) =>
  ask(console, path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })

/** A TCP connection to the console, closed with the test. */
export async function dial({ url }: Console): Promise<Socket> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  onTestFinished(() => void socket.destroy())
  socket.on('error', () => {}) // a reset is an end like any other
  await new Promise((resolve) => socket.once('connect', resolve))
  return socket
}

/** All that comes until the other side ends the connection. */
export async function everything(socket: Socket): Promise<string> {
  let text = ''
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
  })
  if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve))
  return text
}

/** A folder with a small page in it. */
function pageFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'mqttsn-page-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'index.html'), '<!doctype html><title>page</title>')
  writeFileSync(join(folder, 'app.js'), 'export {}')
  writeFileSync(join(folder, 'notes.txt'), 'not for the web')
  return folder
}

/** What a file of a gateway might come to. */
const check = {
  valid: false,
  problems: [{ path: 'broker.url', line: 3, text: 'found 7, expected a url' }],
  warnings: ['it is unwise'],
  applied: ['limits.sensors'],
  waiting: [],
}

const settings: SettingsDoor = {
  report: () => ({
    file: 'gateway.config.json',
    reloadable: true,
    settings: [
      { path: 'limits.sensors', value: 7, default: 10_000, changed: true, text: 'Sessions.', restart: false },
      { path: 'predefined', value: [], default: undefined, changed: true, text: undefined, restart: false },
    ],
  }),
  check: () => check,
  reload: async () => ({ ...check, ended: ['meter-7'] }),
}

/** A console on a free port of 127.0.0.1, closed with the test. */
export async function openConsole(
  options: Partial<ConsoleOptions> = {},
  view: ScriptedView = scriptedView(),
): Promise<Console & { readonly view: ScriptedView }> {
  const console = await startConsole(view, {
    url: 'http://127.0.0.1:0',
    metrics: async () => 'some_metric 1\n',
    settings,
    page: pageFolder(),
    ...options,
  })
  onTestFinished(() => console.close())
  return { ...console, view }
}

/** Waits until something is so; the test's own timeout ends it if it never is. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5))
}
