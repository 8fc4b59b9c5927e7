import { bytes, bytesUpTo, struct } from '../wire/codec.ts'
import { maxLogBytes } from '../wire/limits.ts'

/** Calls of `/sotto/directory/1`: `publishLog`, `fetchLog`. */
export const directoryProtocol = '/sotto/directory/1'

/**
 * `publishLog`: stores an account log. The caller's peer key must be a device of it. Answer: `done`.
 * Refusals: `bad-request` (does not verify), `not-owner`, `stale-head` (does not extend the stored one),
 * `overloaded` (of an account that is not here yet).
 */
export const publishLogParams = struct('publish-log', { log: [0, bytesUpTo(maxLogBytes)] })

/** `fetchLog`: answer `fetchLogResult`, or `not-found`. */
export const fetchLogParams = struct('fetch-log', { accountId: [0, bytes(32)] })
export const fetchLogResult = struct('log', { log: [0, bytesUpTo(maxLogBytes)] })
