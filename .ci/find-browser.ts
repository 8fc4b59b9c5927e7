import { spawnSync } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { chromium } from '@playwright/test'

/** The oldest Chromium major with everything the app uses (Trusted Types, ES2024, structured clone of errors). */
const oldestMajor = 130

/** What every automated Chromium is started with: works as root and without a graphics card, and stays off the network. */
export const browserArguments = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

const ownPath = (): string => {
  try {
    return chromium.executablePath()
  } catch {
    return ''
  }
}

/** Names by which systems install a Chromium. */
const systemNames = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome']

const candidates = (): string[] => [
  process.env['CHROMIUM'] ?? '',
  ownPath(),
  ...systemNames.flatMap((name) => (process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, name))),
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
]

const runs = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK)
  } catch {
    return false
  }
  // A snap stub or a missing shared library shows only when it is started.
  const { stdout } = spawnSync(path, ['--version', '--no-sandbox'], { encoding: 'utf8', timeout: 20_000 })
  return Number(/(\d+)\.\d+\.\d+/.exec(stdout ?? '')?.[1] ?? 0) >= oldestMajor
}

let known: string | undefined

/** A Chromium of this machine that starts, or undefined. */
export const installedBrowser = (): string | undefined => {
  known ??= candidates().find((path) => path !== '' && runs(path))
  return known
}

const attempt = (command: string, args: string[], timeoutMs: number): boolean => {
  process.stderr.write(`> ${command} ${args.join(' ')}\n`)
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  return spawnSync(command, args, { stdio: ['ignore', 2, 2], timeout: timeoutMs, env }).status === 0
}

/** Installs Debian packages as root, or by a sudo that asks nothing. False where neither is possible. */
export const installDebianPackages = (names: readonly string[]): boolean => {
  if (spawnSync('apt-get', ['--version']).error) return false
  const isRoot = process.getuid?.() === 0
  if (!isRoot && spawnSync('sudo', ['-n', 'true']).status !== 0) return false
  const apt = (...args: string[]): boolean => {
    const whole = [
      ...(isRoot ? [] : ['sudo', '-n']),
      'apt-get',
      '-o',
      'DPkg::Lock::Timeout=120',
      '-o',
      'Acquire::Retries=3',
    ]
    const [command = 'apt-get', ...rest] = [...whole, ...args]
    return attempt(command, rest, 600_000)
  }
  apt('update')
  return apt('install', '-y', '--no-install-recommends', ...names)
}

/** A Chromium that starts, fetched if need be. Throws a sentence with the ways out. */
export const findOrInstallBrowser = (): string => {
  const steps = [
    // Where the download is blocked it fails within seconds; 3 minutes are for slow lines.
    () => attempt('npx', ['playwright', 'install', 'chromium'], 180_000),
    () => installDebianPackages(['chromium']),
  ]
  let path = installedBrowser()
  for (const step of steps) {
    if (path !== undefined) return path
    step()
    path = installedBrowser()
  }
  if (path !== undefined) return path
  throw new Error(
    'No browser for the tests. Do one of:\n' +
      '  npx playwright install --with-deps chromium\n' +
      '  apt-get install chromium            (Debian; on Ubuntu: google-chrome)\n' +
      '  CHROMIUM=/path/to/chrome npm test',
  )
}
