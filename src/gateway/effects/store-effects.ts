// Effects that write to the store.

import type { Store } from '../../store/store.ts'
import type { EffectTable } from './effect-table.ts'

type StoreEffects = EffectTable<
  'save' | 'saveProgress' | 'forget' | 'keepMessage' | 'dropMessage' | 'keepUplink' | 'dropUplink'
>

/** How each of them is performed. */
export const createStoreEffects = (store: Store): StoreEffects => ({
  save: ({ session }) => store.save(session),
  saveProgress: ({ session }) => store.saveProgress(session),
  forget: ({ session }) => store.forget(session.clientId),
  keepMessage: ({ session, message }) => store.keepMessage(session.clientId, message),
  dropMessage: ({ session, message }) => store.dropMessage(session.clientId, message.id),
  keepUplink: ({ session, uplink }) => store.keepUplink(session.clientId, uplink),
  dropUplink: ({ session, uplink }) => store.dropUplink(session.clientId, uplink.token),
})
