// Nothing happens to the nodes: the balancer sends all sensors elsewhere. Answers that are on their way then are thrown away, as by any
// balancer that translates addresses: what these sensors wait for is T_RETRY.

import { happens, type Row } from '../scene.ts'
import { ANSWERED } from '../waits.ts'

const AFTERMATH = 3000

export const rehash: Row = async (scene) => {
  const { balancer } = scene.site
  const happening = await happens(scene, 'rehash', async () => balancer.rehash(Math.random()), AFTERMATH)
  const { seconds, note } = happening.waits(ANSWERED, false)
  const { strays } = happening
  return [
    {
      id: 'rehash-wait',
      value: seconds,
      note: `${note}; ${strays} had an answer under way, and repeated themselves`,
    },
  ]
}
