import { minuteMs, secondMs } from '../../protocol/wire/limits.ts'
import { RelayRefusal } from '../../signaling/stream/request-stream.ts'
import { RateLimiter, type RateLimit } from './rate-limiter.ts'

/** 600 a minute and 2,000 at once per lane: an outbox that comes back from a week offline leaves in one go. */
const perLane: RateLimit = { burst: 2_000, everyMs: minuteMs / 600, maxKeys: 100_000 }

/** 20 a second outside mailbox streams: a client starting up asks for a handful of logs and bundles. */
const perConnection: RateLimit = { burst: 60, everyMs: secondMs / 20, maxKeys: 10_000 }

/**
 * 200 a second and 5,000 at once on mailbox streams: above what the lanes of a busy person allow together, and low enough
 * that one connection cannot occupy the relay.
 */
const perMailboxConnection: RateLimit = { burst: 5_000, everyMs: secondMs / 200, maxKeys: 10_000 }

/** 6, then 1 per 10 minutes: a conversation needs one bundle; more of the same one only drains one-time keys. */
const perAskerAndTarget: RateLimit = { burst: 6, everyMs: 10 * minuteMs, maxKeys: 100_000 }

/** 30, then 1 per minute: peer keys cost nothing, addresses do. A household behind one address stays below. */
const perAddressAndTarget: RateLimit = { burst: 30, everyMs: minuteMs, maxKeys: 100_000 }

/**
 * 12, then 1 per 5 s: a log of 256 entries takes 30 ms to verify, and a device publishes its own a few times a year. Ten
 * people behind one address may begin at once.
 */
const publishedLogs: RateLimit = { burst: 12, everyMs: 5 * secondMs, maxKeys: 20_000 }

/** 10 new connections a second per address: a browser makes one or two, a household restarting its router a few. */
const newPerAddress: RateLimit = { burst: 20, everyMs: secondMs / 10, maxKeys: 20_000 }

/** 20 open connections per address: ten people behind one router, each with two hosts. */
const maxOpenPerAddress = 20

/** Own machine: a reverse proxy, or the operator. It has no address of its own to be limited by. */
const isLoopback = (address: string): boolean => address === '::1' || /^(?:::ffff:)?127\./.test(address)

/**
 * What counts as one address. IPv6 gives every customer at least 2^64 of them (RFC 6177), so the first 64 bits do; an IPv4
 * address written as IPv6 stays whole.
 */
const networkOf = (address: string): string => {
  if (!address.includes(':') || address.includes('.')) return address
  const [left = '', right] = address.split('::')
  const [before, after] = [left, right ?? ''].map((part) => part.split(':').filter((group) => group !== ''))
  const head = before ?? []
  const zeros = right === undefined ? 0 : 8 - head.length - (after?.length ?? 0)
  const groups = [...head, ...Array.from({ length: Math.max(0, zeros) }, () => '0'), ...(after ?? [])]
  return groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')
}

/** Every rate limit of the relay. Refusals say `slow-down` and when. */
export class Limits {
  readonly #lanes: RateLimiter
  readonly #connections: RateLimiter
  readonly #mailboxConnections: RateLimiter
  readonly #askers: RateLimiter
  readonly #askingAddresses: RateLimiter
  readonly #publishedLogs: RateLimiter
  readonly #newConnections: RateLimiter
  readonly #open = new Map<string, number>()

  constructor(now: () => number) {
    this.#lanes = new RateLimiter(perLane, now)
    this.#connections = new RateLimiter(perConnection, now)
    this.#mailboxConnections = new RateLimiter(perMailboxConnection, now)
    this.#askers = new RateLimiter(perAskerAndTarget, now)
    this.#askingAddresses = new RateLimiter(perAddressAndTarget, now)
    this.#publishedLogs = new RateLimiter(publishedLogs, now)
    this.#newConnections = new RateLimiter(newPerAddress, now)
  }

  /** Whether an address may open one more connection; `onClose` reports its end. */
  readonly admitConnection = (address: string, onClose: (listener: () => void) => void): boolean => {
    if (address === '' || isLoopback(address)) return true
    const network = networkOf(address)
    const open = this.#open.get(network) ?? 0
    if (open >= maxOpenPerAddress || this.#newConnections.take(network) > 0) return false
    this.#open.set(network, open + 1)
    onClose(() => {
      const left = (this.#open.get(network) ?? 1) - 1
      if (left > 0) this.#open.set(network, left)
      else this.#open.delete(network)
    })
    return true
  }

  /** @throws RelayRefusal `slow-down`. */
  request(connectionId: string): void {
    refuseAfter(this.#connections.take(connectionId), '20 requests a second')
  }

  /** @throws RelayRefusal `slow-down`. */
  mailboxRequest(connectionId: string): void {
    refuseAfter(this.#mailboxConnections.take(connectionId), '200 mailbox requests a second')
  }

  /**
   * One deposit through each of these lanes (any strings that name lane and mailbox). Counts lanes that do not exist like
   * those that do, so that the limit tells nothing. Every target after the first is one more request of the connection,
   * since each is written to disk. @throws RelayRefusal `slow-down` when any is over; no lane is then charged.
   */
  deposit(connectionId: string, lanes: readonly string[]): void {
    refuseAfter(Math.max(0, ...lanes.map((lane) => this.#lanes.waitMs(lane))), '600 envelopes a minute for this lane')
    refuseAfter(this.#mailboxConnections.take(connectionId, lanes.length - 1), '200 mailbox requests a second')
    for (const lane of lanes) this.#lanes.take(lane)
  }

  /** @throws RelayRefusal `slow-down`. */
  fetchPrekeys(asker: string, address: string, target: string): void {
    const counted = address !== '' && !isLoopback(address)
    const asking = `${networkOf(address)} ${target}`
    const waitMs = counted ? this.#askingAddresses.waitMs(asking) : 0
    refuseAfter(waitMs || this.#askers.take(`${asker} ${target}`), 'one bundle of the same account in 10 minutes')
    if (counted) this.#askingAddresses.take(asking)
  }

  /** Before a log is verified, which is the dearest thing a stranger can ask for. @throws RelayRefusal `slow-down`. */
  publishLog({ connectionId, address }: { readonly connectionId: string; readonly address: string }): void {
    const counted = address !== '' && !isLoopback(address)
    refuseAfter(this.#publishedLogs.take(counted ? networkOf(address) : connectionId), 'one account log in 5 seconds')
  }

  /** Forgets what no longer limits anybody. */
  sweep(): void {
    for (const limiter of [
      this.#lanes,
      this.#connections,
      this.#mailboxConnections,
      this.#askers,
      this.#askingAddresses,
      this.#publishedLogs,
    ]) {
      limiter.sweep()
    }
    this.#newConnections.sweep()
  }
}

const refuseAfter = (waitMs: number, limit: string): void => {
  if (waitMs > 0) throw new RelayRefusal('slow-down', `over the limit of ${limit}`, waitMs)
}
