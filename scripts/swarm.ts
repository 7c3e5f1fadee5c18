// Thousands of sensors in one process, beside any MQTT-SN gateway: `npx tsx scripts/swarm.ts --help` tells the options.

import { runSimulation } from '../src/cli/sensor/run-simulation.ts'
import { swarm } from '../src/simulation/swarm/swarm.ts'

await runSimulation(swarm)
