// What arrives at the broker in a chaos run, as its witness sees it.

import { parseLabel } from './books.ts'
import type { Site } from './site.ts'
import { STRANGER } from './strangers.ts'

/** Enters a message that the broker passed on in the books; returns what is wrong with it, if anything. */
export function faultOfArrival({ wills, up }: Site, topic: string, payload: string): string | undefined {
  if (topic.startsWith('will/')) return wills.arrive(topic.slice('will/'.length), Number(payload))
  if (payload.startsWith(STRANGER)) return undefined
  const label = parseLabel(payload)
  if (label === undefined) return `the broker got what nobody sent, on ${topic}: ${payload}`
  if (label.sender === 'publisher') return undefined
  const fault = up.arrive(label, 'witness')
  if (fault !== undefined) return `${label.sender}: ${fault}`
  return label.topic === topic ? undefined : `${label.sender}: message for ${label.topic} arrived on ${topic}`
}
