// A DTLS link whose sessions are in a store: what leaves when, and what is there for whoever has them next.

import { describe, expect, it } from 'vitest'
import { encodeFrame } from '../../../src/codec/v1/frame.ts'
import { publish as publishOf } from '../../support/dtls-scene.ts'
import { StoreByHand } from '../../support/store-by-hand.ts'
import { openStoredLink, openStoredSensor } from '../../support/stored-link.ts'

const publish = (msgId: number): Uint8Array => encodeFrame(publishOf('ab', 'x', 1, msgId))
const puback = (): Uint8Array => encodeFrame({ type: 'puback', topicId: 1, msgId: 1, returnCode: 0 })

describe('acknowledgements of a session', () => {
  it('leave as soon as what they acknowledge is on the disk, though the next ones always wait already: as a forwarder has them', async () => {
    const store = new StoreByHand()
    const link = await openStoredLink({ store, answer: puback })
    const { received } = link
    const sensor = await openStoredSensor(link)
    store.write()
    const acknowledged = () => sensor.of('data').length
    for (let count = 1; count <= 20; count += 1) {
      store.begin() // has those before this one
      sensor.do((turn) => void sensor.core.send(publish(count), turn))
      await expect.poll(() => received.length, { interval: 2 }).toBe(count)
      store.finish()
      await expect.poll(acknowledged, { interval: 2 }).toBe(count - 1)
    }
    store.write()
    await expect.poll(acknowledged, { interval: 2 }).toBe(20)
  })
})
