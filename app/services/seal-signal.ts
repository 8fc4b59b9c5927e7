import { sealSignal, type Signal } from '../../protocol/session/signal.ts'
import { fromHex } from '../../protocol/wire/bytes.ts'
import { contactTable } from '../store/records/contact.ts'
import type { Core } from './core.ts'
import { sendingSession } from './sessions.ts'

/** Seals a signal for a contact (hex); null without a session to say it on. Moves no ratchet and writes nothing. */
export const sealFor = (core: Core, contactId: string, signal: Signal): Promise<Uint8Array | null> =>
  core.store.read(async (tx) => {
    const contact = await tx.get(contactTable, [fromHex(contactId)])
    const session = contact?.state === 'accepted' ? await sendingSession(tx, contact, core.now()) : undefined
    return session ? sealSignal(session, signal, { now: core.now(), random: core.random, crypto: core.crypto }) : null
  })

/** Sends a signal over the open link to a contact (hex), if there is one; otherwise it is lost, as signals are. */
export const signalTo = async (core: Core, contactId: string, signal: Signal): Promise<void> => {
  const sealed = await sealFor(core, contactId, signal)
  if (sealed) await core.network()?.signal(contactId, sealed)
}
