import { readFileSync } from 'node:fs'
import { encodeQR } from 'qr'
import { startText } from './addresses.ts'
import { ConfigError, readConfig, usage, type RelayConfig } from './config.ts'
import { AppMissing } from './http/static-app.ts'
import { createLog, describeError, type Log } from './log.ts'
import { startRelay, StartError, type RunningRelay } from './relay.ts'
import { DataDirectoryError } from './store/data-directory.ts'
import { StoreError } from './store/relay-store.ts'

/**
 * The relay as a program; the only file that touches the process. Exit codes: 0 stopped as asked, 1 could not start or
 * failed, 2 wrong settings.
 */

const exit = (code: number, sentence: string): never => {
  process.stderr.write(`${sentence}\n`)
  process.exit(code)
}

const version = (): string => {
  const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  return (JSON.parse(manifest) as { version: string }).version
}

const settings = (): RelayConfig => {
  try {
    const config = readConfig({
      argv: process.argv.slice(2),
      env: process.env,
      readFile: (path) => readFileSync(path, 'utf8'),
    })
    if (config !== 'help') return config
    process.stdout.write(usage())
    process.exit(0)
  } catch (error) {
    if (error instanceof ConfigError) return exit(2, error.message)
    throw error
  }
}

/** Errors whose message was written for the operator. */
const forOperators = [StartError, DataDirectoryError, StoreError, AppMissing]

const start = async (config: RelayConfig, log: Log): Promise<RunningRelay> => {
  try {
    const memoryBytes = (): number => process.memoryUsage.rss()
    return await startRelay(config, { log, now: Date.now, version: version(), memoryBytes })
  } catch (error) {
    if (forOperators.some((known) => error instanceof known)) return exit(1, (error as Error).message)
    log('error', 'start-failure', describeError(error))
    return exit(1, 'The relay could not start; the log line before this one says where it failed.')
  }
}

const announce = (config: RelayConfig, relay: RunningRelay, log: Log): void => {
  const appUrl = config.app === null ? null : (config.appUrl ?? `http://localhost:${relay.port}/`)
  const addresses = relay.addresses()
  const qr = appUrl === null ? null : encodeQR(appUrl, 'term', { border: 2 })
  process.stdout.write(`${startText({ appUrl, addresses, qr })}\n`)
  const { port, stunPort, peerId } = relay
  const { pid } = process
  log('info', 'listening', { ...(appUrl === null ? {} : { appUrl }), pid, port, stunPort, peerId, addresses })
}

const stopOnSignals = (relay: RunningRelay, log: Log): void => {
  let stopping = false
  const stop = (signal: NodeJS.Signals): void => {
    if (stopping) {
      log('warn', 'forced', { signal })
      process.exit(1)
    }
    stopping = true
    log('info', 'stopping', { signal })
    relay.stop().then(
      () => {
        log('info', 'stopped')
        process.exit(0)
      },
      (error: unknown) => {
        log('error', 'stop-failure', describeError(error))
        process.exit(1)
      },
    )
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
}

const main = async (): Promise<void> => {
  // Whatever a library writes into the data directory is the operator's alone.
  process.umask(0o077)
  const config = settings()
  const log = createLog(config.logLevel, (line) => process.stdout.write(line))
  // A rejection nobody waited for is a bug, but one connection's: the others go on. After an exception thrown out of an event
  // nothing is certain any more: the process ends and its supervisor starts a clean one.
  process.on('unhandledRejection', (error) => log('error', 'unhandled-rejection', describeError(error)))
  process.on('uncaughtException', (error) => {
    log('error', 'uncaught-exception', describeError(error))
    process.exit(1)
  })
  const relay = await start(config, log)
  stopOnSignals(relay, log)
  announce(config, relay, log)
}

await main()
