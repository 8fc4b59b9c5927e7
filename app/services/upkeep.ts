import { dayMs, mailboxRetentionMs } from '../../protocol/wire/limits.ts'
import type { WriteTransaction } from '../store/client-store.ts'
import { envelopeDay, envelopeTable } from '../store/records/envelope.ts'
import { contactUpkeepStep } from './contacts.ts'
import type { Core } from './core.ts'
import type { Effects } from './effects.ts'
import { readAccount, requireAccount } from './identity.ts'
import { sweepInvites } from './invites.ts'
import { stockLanes } from './lanes.ts'
import { sweepLeftRelays } from './own-relays.ts'
import { renewOpenings } from './renew-openings.ts'
import { sweepEarlyChanges } from './receive-change.ts'
import { sweepFailures } from './repair.ts'
import { sweepRetiredDevices } from './retired-devices.ts'

/** 15 days more than a mailbox keeps an envelope: the clocks and delays of both sides. */
const knownEnvelopesMs = mailboxRetentionMs + 15 * dayMs

/** Days looked back at each time, for a device that slept that long. */
const daysSwept = 60

/**
 * Hourly: forgets envelopes that cannot come again, forgets spent invites, rotates lanes, lets go of old sessions, begins
 * unanswered ones again, keeps lanes in stock.
 */
export const upkeepStep = async (tx: WriteTransaction, core: Core, effects: Effects): Promise<void> => {
  const account = await readAccount(tx)
  if (!account) return
  const newest = Math.floor((core.now() - knownEnvelopesMs) / dayMs)
  for (let day = Math.max(0, newest - daysSwept); day < newest; day++) {
    for (const row of await tx.findAll(envelopeTable, envelopeDay(day))) tx.delete(envelopeTable, [row.envelopeId])
  }
  await sweepRetiredDevices(tx, account, core.now())
  await sweepLeftRelays(tx, core.now(), effects)
  await sweepInvites(tx, core.now())
  await contactUpkeepStep(tx, core, effects)
  await renewOpenings(tx, core, effects)
  await sweepFailures(tx, core.now())
  await sweepEarlyChanges(tx, core.now() - knownEnvelopesMs)
  await stockLanes(tx, core, await requireAccount(tx), effects)
}
