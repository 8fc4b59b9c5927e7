import type { ProtocolErrorCode } from '../../protocol/wire/error.ts'
import type { WriteTransaction } from '../store/client-store.ts'
import type { Core } from './core.ts'
import type { Effects } from './effects.ts'
import { holdEnvelope } from './held.ts'
import type { Origin } from './origin.ts'
import { noteFailure } from './repair.ts'

/** What follows from an envelope that did not open. Nothing, unless it came by a way that only people we know have. */
export const noteUnopened = async (
  tx: WriteTransaction,
  core: Core,
  effects: Effects,
  { id, envelope, origin, code }: { id: Uint8Array; envelope: Uint8Array; origin: Origin; code: ProtocolErrorCode },
): Promise<void> => {
  if (code === 'version') await holdEnvelope(tx, core, effects, { id, envelope, origin })
  else if (origin.contactId) await noteFailure(tx, core, effects, origin.contactId, id, code)
}
