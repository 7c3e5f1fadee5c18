// A radiator valve that sleeps, beside any MQTT-SN gateway: `npx tsx scripts/valve.ts --help` tells the options.

import { runSimulation } from '../src/cli/sensor/run-simulation.ts'
import { valve } from '../src/simulation/valve.ts'

await runSimulation(valve)
