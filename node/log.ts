/**
 * Structured logs: one JSON object a line. What may stand in a line is what its caller names; callers never pass addresses,
 * peer ids, mailbox ids, account ids or error causes from the network.
 */

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** What a line may hold besides its time, level and event. */
type LogFields = Readonly<Record<string, string | number | boolean | readonly string[]>>

/** `error` means a bug or failing hardware; `warn` that the operator should look; `debug` is off by default. */
export type Log = (level: LogLevel, event: string, fields?: LogFields) => void

const order: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 }

/** A log that hands finished lines to `write`, leaving out what is below `minimum`. */
export const createLog =
  (minimum: LogLevel, write: (line: string) => void, now: () => number = Date.now): Log =>
  (level, event, fields = {}) => {
    if (order[level] < order[minimum]) return
    write(`${JSON.stringify({ time: new Date(now()).toISOString(), level, event, ...fields })}\n`)
  }

/** First lines of a stack, without its message. */
const whereOf = ({ stack = '' }: Error): string =>
  stack
    .split('\n')
    .filter((line) => line.startsWith('    at '))
    .slice(0, 4)
    .map((line) => line.trim().slice(3))
    .join(' < ')

/**
 * An error as it may be logged: its class, code and place. Never its message, which may quote an address or what a client
 * sent.
 */
export const describeError = (error: unknown): { name: string; code: string; where: string } => {
  if (!(error instanceof Error)) return { name: typeof error, code: '', where: '' }
  const { code } = error as { code?: unknown }
  return {
    name: error.name,
    code: typeof code === 'string' || typeof code === 'number' ? String(code) : '',
    where: whereOf(error),
  }
}
