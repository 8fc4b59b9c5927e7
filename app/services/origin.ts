import type { ReceivedEnvelope } from '../../signaling/network.ts'
import type { ReadTransaction } from '../store/client-store.ts'
import { laneTable } from '../store/records/lane.ts'

/** By which way an envelope came, as far as that says whose it is. */
export interface Origin {
  /** Whose lane or recognised link it was. */
  readonly contactId?: Uint8Array
  /** It came through the lane of this invite. */
  readonly inviteSecret?: Uint8Array
}

export const originOf = async (
  tx: ReadTransaction,
  { laneHash }: ReceivedEnvelope,
  linkContact: Uint8Array | undefined,
): Promise<Origin> => {
  const lane = laneHash && (await tx.get(laneTable, [laneHash]))
  const contactId = linkContact ?? lane?.contactId
  const inviteSecret = lane?.inviteSecret
  return { ...(contactId ? { contactId } : {}), ...(inviteSecret ? { inviteSecret } : {}) }
}
