import { done } from '../../protocol/relay/frame.ts'
import type { StructCodec } from '../../protocol/wire/codec.ts'
import { toHex } from '../../protocol/wire/bytes.ts'
import type { Caller } from '../../signaling/host/relay.ts'
import { RelayRefusal } from '../../signaling/stream/request-stream.ts'
import type { RequestContext, RequestHandler, ServeOptions } from '../../signaling/stream/serve-requests.ts'
import { describeError, type Log } from '../log.ts'
import { StoreError } from '../store/relay-store.ts'

/** A relay service: its protocol, and what answers one stream of it. */
export interface RelayService {
  readonly protocol: string
  serve(caller: Caller): ServeOptions
}

/** The answer of a call that has nothing to say but yes. */
export const yes = done.encode({})

/** A minute: long enough for a volunteer to free some disk, short enough that nobody waits for nothing. */
const fullRetryMs = 60_000

/**
 * A handler from typed parameters to an encoded answer. `answer` is called at once, before any `await`, so that the order
 * of requests is the order of their effects. Storage trouble becomes a refusal: `overloaded` when the disk is full.
 */
export const handler =
  <P>(
    params: StructCodec<P>,
    answer: (params: P, context: RequestContext) => Promise<Uint8Array> | Uint8Array,
    onStoreFailure: (error: StoreError) => void,
  ): RequestHandler =>
  async (data, context) => {
    try {
      return await answer(params.decode(data), context)
    } catch (error) {
      if (!(error instanceof StoreError)) throw error
      onStoreFailure(error)
      if (error.code === 'full') throw new RelayRefusal('overloaded', 'the relay has no space left', fullRetryMs)
      throw new RelayRefusal('internal', 'the relay could not store this; nothing was promised')
    }
  }

/** What services share for reporting trouble without personal data. */
export const reportFailures = (log: Log, service: string) => ({
  onStoreFailure: (error: StoreError): void => log('error', 'store-failure', { service, code: error.code }),
  onFailure: (method: string, error: unknown): void =>
    log('error', 'service-failure', { service, method, ...describeError(error) }),
})

/** The caller's peer key. @throws RelayRefusal `not-owner` when it has none that could own anything. */
export const ownerKey = ({ peerKey }: Caller): Uint8Array => {
  if (!peerKey) throw new RelayRefusal('not-owner', 'only Ed25519 peer keys own anything here')
  return peerKey
}

/** Names the asker in a limiter's table. */
export const askerName = ({ peerKey, connectionId }: Caller): string => (peerKey ? toHex(peerKey) : connectionId)
