/**
 * What must be true of everything that was seen in a run, whatever was killed in it. Pure: observations in, violations out.
 * A channel is one direction of a conversation (`a00>a01`); its messages are numbered from 1, in the order of writing.
 */

export type Status = 'waiting' | 'sent' | 'delivered' | 'read'

/** One message key that sealed something. Hashes and the tag, which is public; never a key. */
export interface Sealing {
  /** Hash of the message key. */
  readonly key: string
  /** Hash of message key and nonce together. */
  readonly keyAndNonce: string
  /** Names the ciphertext: its last 16 bytes. */
  readonly tag: string
}

export interface StatusSeen {
  readonly channel: string
  readonly number: number
  readonly status: Status
}

export interface ChannelHistory {
  /** Numbers whose sender was told that they are stored. */
  readonly acknowledged: ReadonlySet<number>
  /** Highest number that was ever written, told or not. */
  readonly attempted: number
  /** As the sender's own screen has them, in display order. */
  readonly own: readonly number[]
  /** As the recipient's screen has them, in display order. */
  readonly shown: readonly number[]
}

export interface History {
  readonly channels: ReadonlyMap<string, ChannelHistory>
  /** In the order of observation, over all lives of an engine. */
  readonly statuses: readonly StatusSeen[]
  /** By account: what its engines sealed with message keys, in all their lives. */
  readonly sealings: ReadonlyMap<string, readonly Sealing[]>
  /** By account: tags of ciphertexts that were handed to the network. What never left was never used. */
  readonly left: ReadonlyMap<string, ReadonlySet<string>>
  /** By account: envelopes it acknowledged of which its store knew nothing after the next start. */
  readonly unstored: ReadonlyMap<string, readonly string[]>
}

export type ViolationKind =
  /** Acknowledged to its writer, and not on the recipient's screen. */
  | 'lost'
  /** Acknowledged to its writer, and gone from the writer's own screen. */
  | 'forgotten'
  | 'shown-twice'
  | 'out-of-order'
  /** Shown, and never written. */
  | 'invented'
  | 'status-fell'
  | 'key-reused'
  | 'nonce-reused'
  | 'acknowledged-unstored'
  /** The writer was not killed and could not write. */
  | 'refused'
  /** Acknowledged to its writer, and not on the recipient's screen long after the last fault, whatever a restart brings. */
  | 'stuck'

export interface Violation {
  readonly kind: ViolationKind
  /** Channel or account. */
  readonly where: string
  readonly detail: string
}

const statusOrder: Readonly<Record<Status, number>> = { waiting: 0, sent: 1, delivered: 2, read: 3 }

const repeated = (numbers: readonly number[]): number[] => {
  const seen = new Set<number>()
  return numbers.filter((number) => seen.size === seen.add(number).size)
}

/** Numbers that stand after a higher one; a repeat is not one of them. */
const misplaced = (numbers: readonly number[]): number[] => {
  let highest = 0
  return numbers.filter((number) => {
    const late = number < highest
    highest = Math.max(highest, number)
    return late
  })
}

const checkScreen = (where: string, screen: string, numbers: readonly number[], attempted: number): Violation[] => {
  const violation =
    (kind: ViolationKind) =>
    (number: number): Violation => ({
      kind,
      where,
      detail: `message ${number} on the ${screen} screen`,
    })
  const once = [...new Set(numbers)]
  return [
    ...repeated(numbers).map(violation('shown-twice')),
    ...misplaced(once).map(violation('out-of-order')),
    ...once.filter((number) => number > attempted).map(violation('invented')),
  ]
}

const checkChannel = (where: string, { acknowledged, attempted, own, shown }: ChannelHistory): Violation[] => {
  const missing = (numbers: readonly number[], kind: ViolationKind): Violation[] => {
    const there = new Set(numbers)
    return [...acknowledged]
      .filter((number) => !there.has(number))
      .map((number) => ({ kind, where, detail: `message ${number}` }))
  }
  return [
    ...missing(shown, 'lost'),
    ...missing(own, 'forgotten'),
    ...checkScreen(where, 'recipient’s', shown, attempted),
    ...checkScreen(where, 'sender’s', own, attempted),
  ]
}

const checkStatuses = (statuses: readonly StatusSeen[]): Violation[] => {
  const best = new Map<string, Status>()
  return statuses.flatMap(({ channel, number, status }): Violation[] => {
    const name = `${channel}#${number}`
    const before = best.get(name) ?? 'waiting'
    if (statusOrder[status] >= statusOrder[before]) {
      best.set(name, status)
      return []
    }
    return [{ kind: 'status-fell', where: channel, detail: `message ${number} from ${before} to ${status}` }]
  })
}

/** A key that sealed two things which both left this device. */
const checkKeys = (where: string, sealings: readonly Sealing[], left: ReadonlySet<string>): Violation[] => {
  const byName = (name: 'key' | 'keyAndNonce', kind: ViolationKind): Violation[] => {
    const used = new Map<string, string>()
    return sealings.flatMap((sealing): Violation[] => {
      if (!left.has(sealing.tag)) return []
      const before = used.get(sealing[name])
      used.set(sealing[name], sealing.tag)
      return before === undefined || before === sealing.tag ? [] : [{ kind, where, detail: `${name} ${sealing[name]}` }]
    })
  }
  return [...byName('keyAndNonce', 'nonce-reused'), ...byName('key', 'key-reused')]
}

/** Everything that is wrong with a history, gravest kinds of one channel together. Empty: nothing is. */
export const checkHistory = ({ channels, statuses, sealings, left, unstored }: History): Violation[] => [
  ...[...channels].flatMap(([where, channel]) => checkChannel(where, channel)),
  ...checkStatuses(statuses),
  ...[...sealings].flatMap(([where, all]) => checkKeys(where, all, left.get(where) ?? new Set())),
  ...[...unstored].flatMap(([where, ids]) =>
    ids.map((id): Violation => ({ kind: 'acknowledged-unstored', where, detail: `envelope ${id}` })),
  ),
]
