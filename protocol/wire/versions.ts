import { refine, struct, uint } from './codec.ts'
import { ProtocolError } from './error.ts'

/**
 * The versions of the protocol a device can hold a conversation in, both ends included. A version stands for all that has to
 * be the same on both sides: envelope, handshake, ratchet, content.
 */
const shape = struct('version-range', { oldest: [0, uint(0xffff)], newest: [1, uint(0xffff)] })

export const versionRange = refine(shape, ({ oldest, newest }) => {
  if (oldest > newest) throw new ProtocolError('malformed', 'version range: ends before it begins')
})
export type VersionRange = ReturnType<typeof versionRange.decode>

/** What this code speaks. Version 1 was left behind on purpose: its sessions do not heal against a quantum adversary. */
export const ownVersions: VersionRange = { oldest: 2, newest: 2 }

/** A device that says nothing of versions: the first release, which had only one. */
export const unsaidVersions: VersionRange = { oldest: 1, newest: 1 }

/**
 * The version two devices use: the newest that both speak. Without a common one, who of the two needs an update:
 * `update-here` when the other side has left our versions behind, `update-there` when we have left theirs.
 */
export const negotiate = (own: VersionRange, theirs: VersionRange): number | 'update-here' | 'update-there' => {
  if (theirs.oldest > own.newest) return 'update-here'
  if (theirs.newest < own.oldest) return 'update-there'
  return Math.min(own.newest, theirs.newest)
}

/** Whether a relay that serves clients from `oldestClient` on serves one with these versions. */
export const isServed = (own: VersionRange, oldestClient: number): boolean => own.newest >= oldestClient
