// A sensor behind a forwarder, beside any MQTT-SN gateway: `npx tsx scripts/forwarded.ts --help` tells the options.

import { runSimulation } from '../src/cli/sensor/run-simulation.ts'
import { forwarded } from '../src/simulation/forwarded.ts'

await runSimulation(forwarded)
