import { ProtocolError } from '../../protocol/wire/error.ts'
import { secondMs } from '../../protocol/wire/limits.ts'
import type { NetworkFailure, NetworkResult } from '../network.ts'
import { RelayRefusal } from '../stream/request-stream.ts'

/** For refusals that name no time of their own. */
const defaultRetryMs = 5 * secondMs

const ofRefusal = ({ code, message, retryAfterMs = defaultRetryMs }: RelayRefusal): NetworkFailure => {
  switch (code) {
    case 'slow-down':
    case 'overloaded':
    case 'internal':
      return { ok: false, reason: 'slow-down', message, retryAfterMs, refusal: code }
    case 'bad-request':
    case 'not-owner':
    case 'too-large':
    case 'not-found':
    case 'stale-head':
      return { ok: false, reason: 'refused', message, refusal: code }
  }
}

/** The failure an error of a relay call stands for, as a value that survives structured cloning. */
const failureOf = (error: unknown): NetworkFailure => {
  if (error instanceof RelayRefusal) return ofRefusal(error)
  if (error instanceof ProtocolError) return { ok: false, reason: 'refused', message: error.message }
  return { ok: false, reason: 'offline', message: 'the relay did not answer' }
}

/** `{ ok: true, value }` of what `work` resolves to, or the failure. Never rejects. */
export const resultOf = async <T>(work: () => Promise<T>): Promise<NetworkResult<T>> => {
  try {
    return { ok: true, value: await work() }
  } catch (error) {
    return failureOf(error)
  }
}
