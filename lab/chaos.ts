// Kills the gateway under load, again and again, and checks that no sensor and no subscriber notices: see chaos/run.ts.
//   npm run chaos -- --rounds 200 --seed 1

import { setMaxListeners } from 'node:events'
import { Command, InvalidArgumentError, Option } from 'commander'
import { count } from '../src/cli/options.ts'
import { type ChaosOptions, runChaos } from './chaos/run.ts'

interface Flags
  extends Pick<
    ChaosOptions,
    'rounds' | 'seed' | 'protocol' | 'store' | 'poison' | 'dtls' | 'lines' | 'shared' | 'nodes'
  > {
  entry: string
  keep?: true
}

function share(text: string): number {
  const value = Number(text)
  if (text.trim() === '' || !(value >= 0 && value <= 1))
    throw new InvalidArgumentError('A number from 0 to 1.')
  return value
}

const ended = new AbortController()
// Every sensor listens to this signal.
setMaxListeners(0, ended.signal)

await new Command('chaos')
  .description('Kill the gateway and restart the broker under traffic through a lossy path; check the books.')
  .option('--rounds <count>', 'how many, of about four seconds each', count, 20)
  .option('--seed <number>', 'determines kills, losses and traffic', count, 1)
  .addOption(
    new Option('--protocol <version>', 'MQTT towards the broker').choices(['5', '3.1.1']).default('5'),
  )
  .addOption(
    new Option(
      '--store <type>',
      'memory shows what the checks find; postgres: a primary with a synchronous standby, which are killed and frozen too',
    )
      .choices(['lmdb', 'memory', 'postgres'])
      .default('lmdb'),
  )
  .option(
    '--poison <share>',
    'of rounds with messages that the broker hangs up at, and strangers',
    share,
    0.3,
  )
  .option(
    '--dtls <share>',
    'of sensors that speak DTLS; each may make one handshake in the whole run',
    share,
    0,
  )
  .option(
    '--lines <share>',
    'of the other sensors that are on serial lines, which are unplugged, and without poison on a simulated XBee module, which is reset (socat)',
    share,
    0,
  )
  .option(
    '--shared <count>',
    'connections to the broker that all sensors share; 0: each has its own',
    count,
    0,
  )
  .option(
    '--nodes <count>',
    'processes that are one gateway behind a balancer, with --store postgres; of two one serves, more share the sensors',
    count,
    1,
  )
  .option('--keep', 'stop at the first round that fails, and keep logs and conversations')
  .addOption(new Option('--entry <file>', 'program of the gateway').default('dist/src/cli.js').hideHelp())
  .addHelpText(
    'after',
    `
Checked: QoS 1 and 2 messages that were acknowledged arrive, QoS 2 once; topics and topic ids keep their meaning; wills
come from the dead only; nothing is sent to sleepers; no sensor has to connect or register again. With MQTT 3.1.1 the
broker publishes wills when the gateway crashes: of the living they are not checked there. Mosquitto saves its sessions
only at a clean end, so it is restarted, never killed; over its restart it repeats some QoS 2 messages by itself, and
publishes the wills of all: both are counted, not blamed on the gateway.
Sessions of DTLS (--dtls 0.5) outlive kills and stops of the gateway: a second handshake is a fault, with the store on disk.
With --shared 2 the broker sees two connections for all sensors, and the gateway publishes their wills.
With --nodes nodes are killed, stopped, frozen and cut off from the database, which notes who writes: in each slot only its
owner, in each of its epochs one process. More than two are also cut off from each other, and sensors are sent elsewhere.
In a round with poison sensors also send what the broker does not take: too long, or forbidden. They must be told so, or the
message must become a dead letter, within a minute; twins with one ClientId and strangers with those of others disturb nobody.
Exit code: 0 all well, 1 something is wrong or it could not start, 130 interrupted.`,
  )
  .action(async ({ keep, entry, ...flags }: Flags) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => ended.abort())
    try {
      const say = (line: string) => console.log(line)
      const outcome = await runChaos({
        ...flags,
        entry: [entry],
        keep: keep === true,
        say,
        signal: ended.signal,
      })
      process.exitCode = outcome.faults.length > 0 ? 1 : ended.signal.aborted ? 130 : 0
    } catch (error) {
      console.error(error instanceof Error ? error.message : error)
      process.exitCode = 1
    }
  })
  .parseAsync()
// A connection to the stopped broker would go on trying, and keep the process alive.
process.exit()
