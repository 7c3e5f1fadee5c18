// Which kind of link an url opens.

import { expect, it } from 'vitest'
import { openLink } from '../../src/transport/open.ts'

const receiveBuffer = 65_536

it('opens the kind of link that the scheme names', async () => {
  const link = await openLink({ url: 'udp://127.0.0.1:0', receiveBuffer }, () => {})
  expect(link.url).toMatch(/^udp:\/\/127\.0\.0\.1:\d+$/)
  await link.close()
})

it('says that there is no such kind, whatever the name', async () => {
  for (const url of ['carrier-pigeon://127.0.0.1:1', 'constructor://127.0.0.1:1', '', 'udp'])
    await expect(openLink({ url, receiveBuffer }, () => {})).rejects.toMatchObject({
      name: 'TransportError',
      code: 'invalid',
    })
})
