// The embedded broker as a process of its own, for machines without Mosquitto: `node dist/lab/bench/broker.js PORT`.

import { startEmbeddedBroker } from '../../src/upstream/embedded.ts'

const { url } = await startEmbeddedBroker(Number(process.argv[2]))
console.log(`listening ${url}`)
