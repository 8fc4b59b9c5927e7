import { ProtocolError, type ProtocolErrorCode } from './error.ts'

/** The code with which `run` refuses, or `accepted`. Anything but a ProtocolError is a failure. For tests only. */
export const refusal = (run: () => unknown): ProtocolErrorCode | 'accepted' => {
  try {
    run()
  } catch (error) {
    if (error instanceof ProtocolError) return error.code
    throw error
  }
  return 'accepted'
}
