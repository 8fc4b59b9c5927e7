// Runs a command on a Node that can run this project: the one at hand if it is recent enough, else the one npm brought.
// Plain JavaScript for Node 18 and up, because it must start before anything newer can.
// usage: node node/ops/with-node.mjs <script.ts | command from node_modules/.bin> [arguments]
import { spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** node:sqlite and type stripping exist from here on; from 22.18 types are stripped without being asked. */
const oldest = [22, 13]
const stripsTypes = [22, 18]

const parse = (version) => version.replace(/^v/, '').split('.').map(Number)
const atLeast = ([major, minor], [wantedMajor, wantedMinor]) =>
  major > wantedMajor || (major === wantedMajor && minor >= wantedMinor)

const versionOf = (path) => {
  const { stdout, status } = spawnSync(path, ['--version'], { encoding: 'utf8' })
  return status === 0 ? parse(stdout.trim()) : [0, 0]
}

const find = () => {
  const own = parse(process.version)
  if (atLeast(own, oldest)) return { path: process.execPath, version: own }
  const brought = join(root, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin', 'node')
  if (existsSync(brought)) {
    const version = versionOf(brought)
    if (atLeast(version, oldest)) return { path: brought, version }
  }
  return undefined
}

const node = find()
if (node === undefined) {
  console.error(
    `Sotto needs Node ${oldest.join('.')} or newer; this is ${process.version}, and npm brought no other. Do one of:\n` +
      '  npm install --include=optional     (brings Node 24 on Linux, x64 and arm64)\n' +
      '  install Node 24 from https://nodejs.org or with your version manager, then try again',
  )
  process.exit(1)
}

const [command, ...rest] = process.argv.slice(2)
if (command === undefined) {
  console.error('usage: node node/ops/with-node.mjs <script.ts | command> [arguments]')
  process.exit(2)
}

const env = {
  ...process.env,
  PATH: [dirname(node.path), join(root, 'node_modules', '.bin'), process.env.PATH].join(delimiter),
}
if (!atLeast(node.version, stripsTypes)) {
  env.NODE_OPTIONS = `${env.NODE_OPTIONS ?? ''} --experimental-strip-types --disable-warning=ExperimentalWarning`.trim()
}

const isScript = /\.(ts|mjs|js)$/.test(command)
const child = spawn(isScript ? node.path : command, isScript ? [command, ...rest] : rest, { stdio: 'inherit', env })

// A terminal's Ctrl-C reaches the child by itself; twice would look like impatience.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal)
  })
}
child.on('error', (error) => {
  console.error(error.code === 'ENOENT' ? `${command} is not installed. Run: npm install` : error.message)
  process.exit(1)
})
child.on('exit', (code, signal) => {
  if (signal === null) process.exit(code ?? 1)
  process.removeAllListeners(signal)
  process.kill(process.pid, signal)
})
