import { ProtocolError, type ProtocolErrorCode } from './error.ts'

const refusalOf = (run: () => unknown): ProtocolError | undefined => {
  try {
    run()
  } catch (error) {
    if (error instanceof ProtocolError) return error
    throw error
  }
  return undefined
}

/** The code with which `run` refuses, or `accepted`. Anything but a ProtocolError is a failure. For tests only. */
export const refusal = (run: () => unknown): ProtocolErrorCode | 'accepted' => refusalOf(run)?.code ?? 'accepted'

/** The same with the message: `code: message`. */
export const refusalInFull = (run: () => unknown): string => {
  const error = refusalOf(run)
  return error === undefined ? 'accepted' : `${error.code}: ${error.message}`
}
