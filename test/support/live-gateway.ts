// A whole gateway with its console, for the commands that look into a running one.

import { startConsole } from '../../src/console/server.ts'
import { createView } from '../../src/monitor/view.ts'
import { TestGateway, testConfig } from './gateway.ts'

/** A gateway on its embedded broker, with a console. */
export interface LiveGateway {
  readonly test: TestGateway
  /** of the console */
  readonly url: string
  /** Stops the console alone; `restart` serves it again at the same address. */
  stopConsole(): Promise<void>
  restart(): Promise<void>
  stop(): Promise<void>
}

/** Starts it; with a token if one is given, and with other settings than those of `TestGateway`. */
export async function startLiveGateway(
  token?: string,
  overrides: Record<string, unknown> = {},
): Promise<LiveGateway> {
  const test = await TestGateway.start('embedded', overrides)
  const view = createView(test.gateway, testConfig('embedded', overrides), '1.2.3')
  const serve = (url: string) => startConsole(view, { url, token, metrics: async () => '' })
  let console = await serve('http://127.0.0.1:0')
  const { url } = console
  return {
    test,
    url,
    stopConsole: () => console.close(),
    async restart() {
      console = await serve(url)
    },
    async stop() {
      await console.close()
      view.close()
      await test.stop()
    },
  }
}
