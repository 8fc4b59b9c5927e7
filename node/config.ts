import { isIP } from 'node:net'
import { multiaddr } from '@multiformats/multiaddr'
import { maxAddressLength, maxAddressesPerRelay } from '../protocol/wire/limits.ts'
import type { LogLevel } from './log.ts'

/** Everything an operator can set. */
export interface RelayConfig {
  /** IP address to listen on; `0.0.0.0`: every interface. */
  readonly host: string
  /** TCP: app, health, WebSockets. 0 takes a free one, as with the others. */
  readonly port: number
  /** UDP: webrtc-direct; null: not offered. */
  readonly udpPort: number | null
  /** UDP: STUN; null: not offered. */
  readonly stunPort: number | null
  /** Data directory. */
  readonly data: string
  /** Folder of the built app; null: relay alone. */
  readonly app: string | null
  /** What people see as the relay's name. */
  readonly name: string
  /** Further multiaddrs (without peer id) under which the relay can be reached. */
  readonly announce: readonly string[]
  /** Where people open the app, for the start-up text; null: `http://localhost:<port>/`. */
  readonly appUrl: string | null
  /** Oldest protocol version of clients served; older ones are told to update. */
  readonly oldestClient: number
  /** IP addresses of reverse proxies whose X-Forwarded-For is believed. */
  readonly trustedProxies: readonly string[]
  readonly logLevel: LogLevel
}

/** A wrong setting; the message is a sentence for the operator. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

export interface ConfigSources {
  /** Arguments after the program's name. */
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
  /** Reads the file named by `--config`. @throws when it cannot. */
  readonly readFile: (path: string) => string
}

/** One knob: its flag is `--<name>`, its variable `SOTTO_<NAME>`, its key in the file `<name>`. */
interface Knob<T> {
  readonly help: string
  readonly fallback: T
  readonly parse: (text: string, source: string) => T
}

const fail = (source: string, text: string, wanted: string): never => {
  throw new ConfigError(`${source} is "${text}", but it must be ${wanted}.`)
}

const port = (text: string, source: string): number => {
  const value = Number(text)
  return /^\d{1,5}$/.test(text) && value <= 65_535 ? value : fail(source, text, 'a port number from 0 to 65535')
}

const portOrOff = (text: string, source: string): number | null =>
  text === 'off'
    ? null
    : /^\d/.test(text)
      ? port(text, source)
      : fail(source, text, 'a port number from 0 to 65535, or "off"')

const version = (text: string, source: string): number => {
  const value = Number(text)
  return /^\d{1,5}$/.test(text) && value >= 1 && value <= 65_535
    ? value
    : fail(source, text, 'a protocol version, a whole number from 1')
}

const ip = (text: string, source: string): string =>
  isIP(text) > 0
    ? text
    : fail(source, text, 'an IP address, such as 0.0.0.0 for every interface or 127.0.0.1 for this machine alone')

const list = (text: string): string[] =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')

const announced = (text: string, source: string): string[] => {
  const addresses = list(text)
  for (const address of addresses) {
    try {
      multiaddr(address)
    } catch {
      fail(source, address, 'a list of multiaddrs, such as /dns4/relay.example.org/tcp/443/wss')
    }
    if (address.length > maxAddressLength - 64)
      fail(source, `${address.slice(0, 20)}…`, `of addresses under ${maxAddressLength - 64} characters`)
    if (address.includes('/p2p/'))
      fail(source, address, 'a list of addresses without /p2p/…: the relay adds its own peer id')
  }
  return addresses.length <= maxAddressesPerRelay
    ? addresses
    : fail(source, `${addresses.length} addresses`, `at most ${maxAddressesPerRelay}`)
}

const webUrl = (text: string, source: string): string => {
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol))
    fail(source, text, 'a URL beginning with https:// or http://')
  return new URL(text).href
}

const label = (text: string, source: string): string =>
  text.length > 0 && text.length <= 64 && text.isWellFormed()
    ? text
    : fail(source, text.slice(0, 80), 'a name of 1 to 64 characters')

const directory = (text: string, source: string): string =>
  text !== '' && !text.includes('\0') ? text : fail(source, text, 'a folder')

const level = (text: string, source: string): LogLevel =>
  text === 'debug' || text === 'info' || text === 'warn' || text === 'error'
    ? text
    : fail(source, text, 'one of debug, info, warn, error')

const knob = <T>(help: string, fallback: T, parse: Knob<T>['parse']): Knob<T> => ({ help, fallback, parse })

const knobs = {
  host: knob('IP address to listen on', '0.0.0.0', ip),
  port: knob('TCP port of app and WebSockets', 8787, port),
  'udp-port': knob<number | null>('UDP port of webrtc-direct, or off', 8788, portOrOff),
  'stun-port': knob<number | null>('UDP port that answers STUN, or off', 8789, portOrOff),
  data: knob('data directory', './data', directory),
  app: knob('folder of the built app', './dist', directory),
  name: knob('what people see as the name of the relay', 'Sotto relay', label),
  announce: knob<string[]>('further multiaddrs of this relay, comma-separated', [], announced),
  'app-url': knob<string | null>('where people open the app', null, webUrl),
  'oldest-client': knob('oldest protocol version of clients served', 1, version),
  'trusted-proxy': knob<string[]>('IP addresses of your reverse proxies, comma-separated', [], (text, source) =>
    list(text).map((item) => ip(item, source)),
  ),
  'log-level': knob<LogLevel>('debug, info, warn or error', 'info', level),
}

type KnobName = keyof typeof knobs

/** The text of `--help`. */
export const usage = (): string =>
  [
    'Usage: npm start -- [settings], or npm run relay -- [settings]',
    '',
    ...Object.entries(knobs).map(([name, { help, fallback }]) => {
      const shown =
        fallback === null || (Array.isArray(fallback) && fallback.length === 0) ? '' : ` (${String(fallback)})`
      return `  --${name.padEnd(14)} ${help}${shown}`
    }),
    '  --no-app         the relay alone, without the app',
    '  --config FILE    a JSON file with the same names',
    '  --help           this text',
    '',
    'Each setting can also stand in the environment, e.g. SOTTO_UDP_PORT. Flags win over the environment, that over the file.',
    '',
  ].join('\n')

const isKnob = (name: string): name is KnobName => Object.hasOwn(knobs, name)

interface Flags {
  readonly values: ReadonlyMap<string, string>
  readonly noApp: boolean
  readonly help: boolean
  readonly config: string | undefined
}

const readFlags = (argv: readonly string[]): Flags => {
  const values = new Map<string, string>()
  let noApp = false
  let help = false
  for (let i = 0; i < argv.length; i++) {
    const [flag, inline] = splitOnce(argv[i] ?? '')
    if (flag === '--no-app') noApp = true
    else if (flag === '--help') help = true
    else if (flag.startsWith('--') && (isKnob(flag.slice(2)) || flag === '--config')) {
      const value = inline ?? argv[++i]
      if (value === undefined) throw new ConfigError(`${flag} needs a value after it; see --help.`)
      values.set(flag.slice(2), value)
    } else throw new ConfigError(`There is no setting "${flag}"; see --help.`)
  }
  return { values, noApp, help, config: values.get('config') }
}

const splitOnce = (argument: string): [string, string?] => {
  const at = argument.indexOf('=')
  return at < 0 ? [argument] : [argument.slice(0, at), argument.slice(at + 1)]
}

const readFileValues = (path: string | undefined, readFile: ConfigSources['readFile']): Map<string, string> => {
  if (path === undefined) return new Map()
  let parsed: unknown
  try {
    parsed = JSON.parse(readFile(path))
  } catch (cause) {
    throw new ConfigError(`The configuration file ${path} cannot be read as JSON.`, { cause })
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw new ConfigError(`The configuration file ${path} must hold one JSON object.`)
  }
  const values = new Map<string, string>()
  for (const [name, value] of Object.entries(parsed)) {
    if (!isKnob(name)) throw new ConfigError(`The configuration file ${path} has an unknown setting "${name}".`)
    values.set(name, Array.isArray(value) ? value.join(',') : String(value))
  }
  return values
}

/** Reads and checks every setting. `help`: only the usage was asked for. @throws ConfigError with a sentence. */
export const readConfig = ({ argv, env, readFile }: ConfigSources): RelayConfig | 'help' => {
  const flags = readFlags(argv)
  if (flags.help) return 'help'
  const path = flags.config ?? env['SOTTO_CONFIG']
  const file = readFileValues(path, readFile)
  const read = <N extends KnobName>(name: N): (typeof knobs)[N]['fallback'] => {
    const { parse, fallback }: Knob<(typeof knobs)[N]['fallback']> = knobs[name]
    const variable = `SOTTO_${name.toUpperCase().replaceAll('-', '_')}`
    const flag = flags.values.get(name)
    if (flag !== undefined) return parse(flag, `--${name}`)
    const environment = env[variable]
    if (environment !== undefined) return parse(environment, variable)
    const stored = file.get(name)
    return stored === undefined ? fallback : parse(stored, `"${name}" in ${path}`)
  }
  const config: RelayConfig = {
    host: read('host'),
    port: read('port'),
    udpPort: read('udp-port'),
    stunPort: read('stun-port'),
    data: read('data'),
    app: flags.noApp ? null : read('app'),
    name: read('name'),
    announce: read('announce'),
    appUrl: read('app-url'),
    oldestClient: read('oldest-client'),
    trustedProxies: read('trusted-proxy'),
    logLevel: read('log-level'),
  }
  if (config.udpPort !== null && config.udpPort !== 0 && config.udpPort === config.stunPort) {
    throw new ConfigError(`--udp-port and --stun-port are both ${config.udpPort}; they need different UDP ports.`)
  }
  return config
}
