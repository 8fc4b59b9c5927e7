import { spawn, type ChildProcess } from 'node:child_process'
import { root } from './step.ts'

// usage: npm run dev -- [any flag of the relay]. The app with hot reload at Vite's address, a relay beside it.
const port = '8787'
const children: ChildProcess[] = [
  spawn(process.execPath, ['node/main.ts', '--no-app', '--port', port, ...process.argv.slice(2)], {
    cwd: root,
    stdio: 'inherit',
  }),
  spawn('vite', [], { cwd: root, stdio: 'inherit', env: { ...process.env, SOTTO_DEV_RELAY_PORT: port } }),
]
const stop = (code: number): void => {
  for (const child of children) child.kill('SIGTERM')
  process.exitCode = code
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stop(0))
for (const child of children) child.on('exit', (code) => stop(code ?? 1))
