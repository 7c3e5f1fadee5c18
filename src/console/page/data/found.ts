// What one look at the gateway's health found.

import { docsOf, type Subject } from '../../contract/docs.ts'
import type { Tone } from '../words/explained.ts'

/** What was found. */
export interface Found {
  readonly tone: Tone
  readonly value: string
  readonly text: string
  /** what to do, where something is to be done */
  readonly next?: string
  /** the paragraph of the docs about it */
  readonly docs?: string
  /** the page that tells more about just this */
  readonly link?: string
}

/** The paragraph of the docs about it. */
export const doc = (subject: Subject) => ({ docs: docsOf(subject) })
