import type { Connection } from '@libp2p/interface'
import { secondMs } from '../../protocol/wire/limits.ts'

/** Ends a connection at once, whatever state it is in. Never throws. */
export const abortConnection = (connection: Connection, reason: string): void => {
  try {
    connection.abort(new Error(reason))
  } catch {
    // libp2p's muxers throw when they cannot write their goodbye; the connection is over all the same.
  }
}

/** Closes a connection, giving what is written a second to leave. Never throws. */
export const closeConnection = (connection: Connection): void => {
  // Closing may reject with an AggregateError of all its streams.
  connection.close({ signal: AbortSignal.timeout(secondMs) }).catch(() => abortConnection(connection, 'did not close'))
}
