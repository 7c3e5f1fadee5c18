// A button that is off until somebody presses it, beside any MQTT-SN gateway: `npx tsx scripts/button.ts --help` tells the options.

import { runSimulation } from '../src/cli/sensor/run-simulation.ts'
import { button } from '../src/simulation/button.ts'

await runSimulation(button)
