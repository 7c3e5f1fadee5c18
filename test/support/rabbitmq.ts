// RabbitMQ with its MQTT plugin as a broker under test: a node of its own that only this machine can reach.

import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Broker, freePort } from './broker.ts'
import { endProgram, startProgram, startWithFreePorts } from './broker-process.ts'

/** What Debian installs; the one in /usr/sbin changes to another user, who could not write into our folder. */
const PROGRAM = '/usr/lib/rabbitmq/bin/rabbitmq-server'

/** whether RabbitMQ is installed here */
export const haveRabbitMq = existsSync(PROGRAM)

/** Starts RabbitMQ (MQTT 3.1.1, anyone may connect) with all its files in a directory of its own: about 10 s. */
export function startRabbitMq(): Promise<Broker> {
  return startWithFreePorts(startNode)
}

async function startNode(): Promise<Broker> {
  const directory = mkdtempSync(join(tmpdir(), 'rabbitmq-'))
  const path = (name: string) => join(directory, name)
  const [port, namesPort, nodePort] = [await freePort(), await freePort(), await freePort()]
  const settings = ['listeners.tcp = none', `mqtt.listeners.tcp.1 = 127.0.0.1:${port}`]
  settings.push('mqtt.allow_anonymous = true', 'log.console = true', 'log.file = false', '')
  writeFileSync(path('rabbitmq.conf'), settings.join('\n'))
  writeFileSync(path('enabled_plugins'), '[rabbitmq_mqtt].\n')
  // Erlang would start a daemon for the names of nodes and leave it behind; this one is ours and ends with the node.
  const names = await startProgram({
    program: 'epmd',
    args: ['-d', '-address', '127.0.0.1', '-port', `${namesPort}`],
    ready: /epmd running/,
  })
  const cleanUp = async (): Promise<void> => {
    await endProgram(names, 'SIGKILL')
    rmSync(directory, { recursive: true, force: true, maxRetries: 5 })
  }
  try {
    const node = await startProgram({
      program: PROGRAM,
      args: [],
      ready: /Server startup complete/,
      patience: 90_000,
      env: {
        PATH: process.env['PATH'],
        LANG: 'C.UTF-8',
        // where the cookie is written
        HOME: directory,
        // The script then becomes the server, instead of a parent that stops it with a tool of its own.
        RUNNING_UNDER_SYSTEMD: 'true',
        RABBITMQ_NODENAME: `test${port}@localhost`,
        RABBITMQ_CONF_ENV_FILE: '/dev/null',
        RABBITMQ_CONFIG_FILE: path('rabbitmq.conf'),
        RABBITMQ_ENABLED_PLUGINS_FILE: path('enabled_plugins'),
        RABBITMQ_MNESIA_BASE: path('mnesia'),
        RABBITMQ_LOG_BASE: path('log'),
        RABBITMQ_DIST_PORT: `${nodePort}`,
        RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '-kernel inet_dist_use_interface {127,0,0,1}',
        ERL_EPMD_ADDRESS: '127.0.0.1',
        ERL_EPMD_PORT: `${namesPort}`,
      },
    })
    return {
      url: `mqtt://127.0.0.1:${port}`,
      port,
      close: async () => {
        await endProgram(node, 'SIGKILL')
        await cleanUp()
      },
    }
  } catch (error) {
    await cleanUp()
    throw error
  }
}
