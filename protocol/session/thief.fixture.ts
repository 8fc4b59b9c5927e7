import type { CryptoProvider } from '../crypto/provider.ts'
import { ProtocolError } from '../wire/error.ts'
import { seededRandom } from '../wire/random.fixture.ts'
import { decryptMessage, encryptMessage, type Session } from './session.ts'

/** A message as it passed the network. */
export interface Seen {
  readonly by: 'victim' | 'peer'
  /** Counts the chains of both: they are opened in turn. */
  readonly chain: number
  readonly envelope: Uint8Array
}

/** A sending chain that the victim opened after the theft. */
export interface LaterChain {
  /** Its X25519 secret, where it is given away. */
  readonly secret?: Uint8Array
  /** Whether its headers carry a KEM key; anybody with the header key could see that. */
  readonly offersKem: boolean
}

/** What the victim sends can be read like anything received, with the chain it sends in. */
const mirrored = (session: Session): Session | undefined => {
  const { ratchet } = session
  const { sending } = ratchet
  if (sending === undefined) return undefined
  const { headerKey, chainKey, next } = sending
  const { own: _, ...rest } = ratchet
  const { handshake: _handshake, ...unsent } = session
  return {
    ...unsent,
    role: 'responder',
    confirmed: true,
    ratchet: { ...rest, receiving: [{ headerKey, chainKey, next }] },
  }
}

/**
 * Somebody who copied the whole session of the victim and sees all that passes, but changes nothing. Reads what the victim
 * receives as the victim would, and what it sends by its sending chain; follows the victim into a new sending chain if its
 * X25519 secret is given. For tests only.
 */
export class Thief {
  private session: Session
  private readonly now: number
  private readonly crypto: CryptoProvider
  private readonly noise = seededRandom(666)
  readonly read = new Set<Seen>()

  constructor(stolen: Session, now: number, crypto: CryptoProvider) {
    this.session = stolen
    this.now = now
    this.crypto = crypto
  }

  private tryWith(session: Session, message: Seen): Session | undefined {
    try {
      const next = decryptMessage(session, message.envelope, { now: this.now, crypto: this.crypto }).session
      this.read.add(message)
      return next
    } catch (error) {
      if (error instanceof ProtocolError) return undefined
      throw error
    }
  }

  /** Whatever opens, in any order. */
  private readAll(start: Session, messages: readonly Seen[]): Session {
    let session = start
    for (let progress = true; progress;) {
      progress = false
      for (const message of messages) {
        const next = this.read.has(message) ? undefined : this.tryWith(session, message)
        if (next === undefined) continue
        session = next
        progress = true
      }
    }
    return session
  }

  /** Opens the victim's next sending chain as the victim did, with randomness of its own for ML-KEM. */
  private follow({ secret, offersKem }: LaterChain): boolean {
    const { sending, remoteRatchetKey } = this.session.ratchet
    if (secret === undefined || sending !== undefined || remoteRatchetKey === undefined) return false
    const given = [secret]
    const random = (length: number) => (length === 32 ? given.shift()?.slice() : undefined) ?? this.noise(length)
    const chainKeys: Uint8Array[] = []
    const crypto: CryptoProvider = {
      ...this.crypto,
      hmacSha256Pair: (key, first, second) => {
        chainKeys.push(key.slice())
        return this.crypto.hmacSha256Pair(key, first, second)
      },
    }
    const { ratchet, ...rest } = encryptMessage(this.session, new Uint8Array(0), {
      now: this.now,
      random,
      crypto,
    }).session
    const { own, sending: opened } = ratchet
    const [chainKey] = chainKeys
    if (own === undefined || opened === undefined || chainKey === undefined) return false
    const { kemSeed: _, ...pair } = own
    const seed = this.noise(64) as NonNullable<typeof own.kemSeed>
    this.session = {
      ...rest,
      ratchet: {
        ...ratchet,
        own: { ...pair, ...(offersKem && { kemSeed: seed }) },
        // From its first message on, which is the victim's, not the thief's.
        sending: { ...opened, chainKey: chainKey as typeof opened.chainKey, next: 0 },
      },
    }
    return true
  }

  /** Reads all that can be read of `seen`. `later`: the victim's chains after the theft, in order. */
  run(seen: readonly Seen[], later: readonly LaterChain[]): void {
    const fromPeer = seen.filter(({ by }) => by === 'peer')
    const fromVictim = seen.filter(({ by }) => by === 'victim')
    const chains = [...later]
    for (let next: LaterChain | undefined; ;) {
      const mirror = mirrored(this.session)
      if (mirror !== undefined) this.readAll(mirror, fromVictim)
      this.session = this.readAll(this.session, fromPeer)
      next = chains.shift()
      if (next === undefined || !this.follow(next)) return
    }
  }
}
