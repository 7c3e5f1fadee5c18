// A whole gateway with its console and metrics over HTTP, asked as a page or Prometheus would.

import { onTestFinished } from 'vitest'
import { silentLog } from '../../src/log.ts'
import { openConsole } from '../../src/monitor/open-console.ts'
import { TestGateway } from './gateway.ts'

/** A gateway that is looked at through its API. */
export interface WatchedGateway {
  readonly test: TestGateway
  readonly url: string
  /** asks for JSON */
  get<Answer>(path: string): Promise<Answer>
  post(path: string, body?: object, method?: string): Promise<Response>
  /** the value of a metric; 0 where it has none */
  metric(name: string): Promise<number>
}

/** Starts it at the embedded broker, or at another one; ended with the test. */
export async function startWatched(
  overrides: Record<string, unknown> & { broker?: object } = {},
  broker: Parameters<typeof TestGateway.start>[0] = 'embedded',
  parts: Parameters<typeof TestGateway.start>[2] = {},
): Promise<WatchedGateway> {
  const { console: section, ...others } = overrides
  const served = { enabled: true, url: 'http://127.0.0.1:0', ...(section as object | undefined) }
  const test = await TestGateway.start(broker, { console: served, ...others }, parts)
  onTestFinished(() => test.stop())
  const opened = await openConsole(test.gateway, test.config, silentLog, '1.2.3')
  if (opened === undefined) throw new Error('the console is switched off')
  onTestFinished(() => opened.close())
  const { url } = opened
  return {
    test,
    url,
    async get(path) {
      const response = await fetch(url + path)
      if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
      return JSON.parse(await response.text())
    },
    post: (path, body = {}, method = 'POST') =>
      fetch(url + path, {
        method,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
    async metric(name) {
      const text = await (await fetch(`${url}/metrics`)).text()
      const line = text.split('\n').find((one) => one.startsWith(`${name} `))
      return line === undefined ? 0 : Number(line.slice(name.length + 1))
    },
  }
}
