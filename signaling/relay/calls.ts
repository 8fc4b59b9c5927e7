import type { PrekeyBundle, SignedPublicKey } from '../../protocol/identity/prekeys.ts'
import {
  directoryProtocol,
  fetchLogParams,
  fetchLogResult,
  publishLogParams,
} from '../../protocol/relay/directory-calls.ts'
import { done } from '../../protocol/relay/frame.ts'
import { infoProtocol, relayInfo, type RelayInfo } from '../../protocol/relay/info-calls.ts'
import {
  ackParams,
  advanceParams,
  advanceResult,
  depositParams,
  mailboxProtocol,
  revokeLanesParams,
  setLanesParams,
} from '../../protocol/relay/mailbox-calls.ts'
import {
  countPrekeysParams,
  fetchPrekeysParams,
  fetchPrekeysResult,
  maxPrekeysPerCall,
  prekeyCount,
  prekeysProtocol,
  publishPrekeysParams,
} from '../../protocol/relay/prekey-calls.ts'
import { maxIdsPerCall } from '../../protocol/wire/limits.ts'
import type { LaneGrant } from '../network.ts'
import { RelayRefusal } from '../stream/request-stream.ts'
import type { RelayChannel } from './channel.ts'

/** The calls of a relay's services, each with its one deadline. All throw as `RelayChannel.call` does. */

export interface PrekeyOwner {
  readonly accountId: Uint8Array
  readonly deviceId: Uint8Array
}

/** One-time prekeys left at a relay. */
export interface PrekeyCount {
  readonly oneTime: number
  readonly oneTimeKem: number
}

export interface DepositTarget {
  readonly mailboxId: Uint8Array
  readonly lane: Uint8Array
}

const slices = <T>(all: readonly T[], size: number): T[][] =>
  Array.from({ length: Math.ceil(all.length / size) }, (_, i) => all.slice(i * size, (i + 1) * size))

/** The relay's public settings. */
export const fetchInfo = (channel: RelayChannel): Promise<RelayInfo> =>
  channel.call({ protocol: infoProtocol, method: 'info', params: [done, {}], result: relayInfo })

/** Stores the account's log; the connection's key must be a device of it. */
export const publishLog = async (channel: RelayChannel, log: Uint8Array): Promise<void> => {
  const params = [publishLogParams, { log }] as const
  await channel.call({ protocol: directoryProtocol, method: 'publishLog', params, result: done })
}

/** The account's log as the relay has it; to be verified by the caller. */
export const fetchLog = async (channel: RelayChannel, accountId: Uint8Array): Promise<Uint8Array> => {
  const params = [fetchLogParams, { accountId }] as const
  const { log } = await channel.call({
    protocol: directoryProtocol,
    method: 'fetchLog',
    params,
    result: fetchLogResult,
  })
  return log
}

/** Raises the mailbox's counter; what it was before. */
export const advance = async (channel: RelayChannel, mailboxId: Uint8Array, counter: number): Promise<number> => {
  const params = [advanceParams, { mailboxId, counter }] as const
  return (await channel.call({ protocol: mailboxProtocol, method: 'advance', params, result: advanceResult })).before
}

/** One-time prekeys the relay still has of this device. */
export const countPrekeys = (channel: RelayChannel, { accountId, deviceId }: PrekeyOwner): Promise<PrekeyCount> => {
  const params = [countPrekeysParams, { accountId, deviceId }] as const
  return channel.call({ protocol: prekeysProtocol, method: 'count', params, result: prekeyCount })
}

/** Publishes in as many calls as it takes; the count after the last one. */
export const publishPrekeys = async (
  channel: RelayChannel,
  { accountId, deviceId }: PrekeyOwner,
  prekeys: readonly SignedPublicKey[],
): Promise<PrekeyCount> => {
  const counts = slices(prekeys, maxPrekeysPerCall).map((part) => {
    const params = [publishPrekeysParams, { accountId, deviceId, prekeys: part }] as const
    return channel.call({ protocol: prekeysProtocol, method: 'publish', params, result: prekeyCount })
  })
  return (await Promise.all(counts)).at(-1) ?? countPrekeys(channel, { accountId, deviceId })
}

/** A bundle per device of the account; to be verified by the caller. */
export const fetchBundles = async (channel: RelayChannel, accountId: Uint8Array): Promise<PrekeyBundle[]> => {
  const params = [fetchPrekeysParams, { accountId }] as const
  const call = { protocol: prekeysProtocol, method: 'fetch', params, result: fetchPrekeysResult }
  return (await channel.call(call)).bundles
}

/** Adds lanes to an own mailbox, or replaces their limits. */
export const setLanes = async (
  channel: RelayChannel,
  mailboxId: Uint8Array,
  lanes: readonly LaneGrant[],
): Promise<void> => {
  const calls = slices(lanes, maxIdsPerCall).map((part) => {
    const params = [setLanesParams, { mailboxId, lanes: part }] as const
    return channel.call({ protocol: mailboxProtocol, method: 'setLanes', params, result: done })
  })
  await Promise.all(calls)
}

/** Makes the relay forget lanes of an own mailbox. */
export const revokeLanes = async (
  channel: RelayChannel,
  mailboxId: Uint8Array,
  laneHashes: readonly Uint8Array[],
): Promise<void> => {
  const calls = slices(laneHashes, maxIdsPerCall).map((part) => {
    const params = [revokeLanesParams, { mailboxId, laneHashes: part }] as const
    return channel.call({ protocol: mailboxProtocol, method: 'revokeLanes', params, result: done })
  })
  await Promise.all(calls)
}

/** Leaves one envelope in mailboxes of this relay; resolves once it is on its disk. */
export const deposit = async (
  channel: RelayChannel,
  targets: readonly DepositTarget[],
  envelope: Uint8Array,
): Promise<void> => {
  const params = [
    depositParams,
    { envelope, targets: targets.map(({ mailboxId, lane }) => ({ mailboxId, lane })) },
  ] as const
  await channel.call({ protocol: mailboxProtocol, method: 'deposit', params, result: done })
}

/**
 * A sign of life on the mailbox stream itself: acknowledging nothing is a yes to the owner, and being asked for patience is a
 * sign of life too. @throws when there is no answer, or the mailbox is not ours any more.
 */
export const pingMailbox = async (channel: RelayChannel, mailboxId: Uint8Array): Promise<void> => {
  const params = [ackParams, { mailboxId, sequences: new Array<number>() }] as const
  try {
    await channel.call({ protocol: mailboxProtocol, method: 'ack', params, result: done })
  } catch (error) {
    if (!(error instanceof RelayRefusal) || error.code === 'not-owner') throw error
  }
}
