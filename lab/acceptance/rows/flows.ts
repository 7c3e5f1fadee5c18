// Nothing happens to the nodes: the balancer sends all sensors elsewhere.

import { happens, type Row } from '../scene.ts'

const AFTERMATH = 3000

export const rehash: Row = async (scene) => {
  const { balancer } = scene.site
  const happening = await happens(scene, 'rehash', async () => balancer.rehash(Math.random()), AFTERMATH)
  const { seconds, note } = happening.waits()
  return [{ id: 'rehash-wait', value: seconds, note }]
}
