import { toHex } from '../../protocol/wire/bytes.ts'
import type { CourierPool } from '../host/courier-pool.ts'
import type { NetworkFailure, NetworkResult, PeerRoute, RemoteMailbox } from '../network.ts'
import { deposit } from '../relay/calls.ts'
import { resultOf } from '../relay/failure.ts'

/** Mailboxes by relay: one call reaches all of a relay's. */
const byRelay = (mailboxes: readonly RemoteMailbox[]): RemoteMailbox[][] => [
  ...Map.groupBy(mailboxes, ({ relayKey }) => toHex(relayKey)).values(),
]

/** The failure that says most: a limit names a time, a refusal a reason; being offline says nothing. */
const summary = (failures: readonly NetworkFailure[]): NetworkFailure => {
  const slow = failures.filter(({ reason }) => reason === 'slow-down')
  const soonest = slow.toSorted((a, b) => (a.retryAfterMs ?? 0) - (b.retryAfterMs ?? 0))[0]
  if (soonest !== undefined) return soonest
  const everywhere = failures.length > 0 && failures.every(({ reason }) => reason === 'refused')
  const worst = everywhere ? failures[0] : failures.find(({ reason }) => reason === 'offline')
  return worst ?? { ok: false, reason: 'offline', message: 'the contact has no mailbox' }
}

/**
 * Leaves an envelope in all mailboxes of a contact, each relay by its courier. Resolves with the first relay's yes, while
 * the others go on; with a failure once all have failed. Never rejects.
 */
export const depositEverywhere = async (
  couriers: CourierPool,
  { mailboxes }: PeerRoute,
  envelope: Uint8Array,
): Promise<NetworkResult<null>> => {
  const attempts = byRelay(mailboxes).map(async (targets): Promise<NetworkResult<null>> => {
    const [relay] = targets
    if (relay === undefined) return summary([])
    return resultOf(async () => {
      await couriers.get(relay).use((channel) => deposit(channel, targets, envelope))
      return null
    })
  })
  const failures: NetworkFailure[] = []
  return new Promise((resolve) => {
    if (attempts.length === 0) resolve(summary([]))
    for (const attempt of attempts) {
      void attempt.then((result) => {
        if (result.ok) resolve(result)
        else failures.push(result)
        if (failures.length === attempts.length) resolve(summary(failures))
      })
    }
  })
}
