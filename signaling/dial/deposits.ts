import { toHex } from '../../protocol/wire/bytes.ts'
import type { CourierPool } from '../host/courier-pool.ts'
import type { NetworkFailure, NetworkResult, PeerRoute, RemoteMailbox } from '../network.ts'
import { deposit } from '../relay/calls.ts'
import { resultOf } from '../relay/failure.ts'

/** 2: one relay that is gone for good, and has not been noticed yet, costs nothing; a third copy would only cost its relay. */
const copies = 2

/** What is known of a relay without asking: 0 reached now, 1 not asked lately, 2 failed the last time. */
const reachOf = (couriers: CourierPool, { relayKey }: RemoteMailbox): number => {
  const reachable = couriers.peek(relayKey)?.reachable
  return reachable === undefined ? 1 : reachable ? 0 : 2
}

/** The mailboxes whose relays are reached first; the order of the contact decides among equals. */
export const byReach = (couriers: CourierPool, mailboxes: readonly RemoteMailbox[]): RemoteMailbox[] =>
  mailboxes.toSorted((a, b) => reachOf(couriers, a) - reachOf(couriers, b))

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
 * Runs attempts, `atOnce` to begin with and one more for each that fails, until all have been begun. Resolves with the first
 * yes, while others under way go on; with every failure once all have failed. The attempts never reject.
 */
const firstYes = (
  attempts: readonly (() => Promise<NetworkResult<null>>)[],
  atOnce: number,
): Promise<NetworkResult<null>> =>
  new Promise((resolve) => {
    const failures: NetworkFailure[] = []
    let begun = 0
    const beginNext = (): void => {
      const next = attempts[begun]
      if (next === undefined) return
      begun++
      void next().then((result) => {
        if (result.ok) return resolve(result)
        failures.push(result)
        if (failures.length === attempts.length) resolve(summary(failures))
        else beginNext()
      })
    }
    if (attempts.length === 0) resolve(summary([]))
    for (let i = 0; i < atOnce; i++) beginNext()
  })

/**
 * Leaves an envelope in mailboxes of a contact at two relays at once, those that are reached first; at a third one only when
 * one of them fails. Unproven mailboxes get a copy besides. Each relay is asked by its courier. Never rejects.
 */
export const depositEnvelope = (
  couriers: CourierPool,
  { mailboxes }: PeerRoute,
  envelope: Uint8Array,
): Promise<NetworkResult<null>> => {
  const ordered = byReach(couriers, mailboxes)
  const unproven = byRelay(ordered.filter((mailbox) => mailbox.unproven === true))
  const proven = byRelay(ordered.filter((mailbox) => mailbox.unproven !== true))
  const attempts = [...unproven, ...proven].map(
    (targets) => () =>
      resultOf(async () => {
        const [relay] = targets
        if (relay === undefined) throw new Error('nothing is there to be reached')
        await couriers.get(relay).use((channel) => deposit(channel, targets, envelope))
        return null
      }),
  )
  return firstYes(attempts, unproven.length + copies)
}
