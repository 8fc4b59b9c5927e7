import { spawn } from 'node:child_process'
import { buildIfStale } from './build-app.ts'
import { root } from './step.ts'

// usage: npm start -- [--port N] [--udp-port N] [--data DIR] [any other flag of the relay]
if (!(await buildIfStale())) process.exit(1)
const relay = spawn(process.execPath, ['node/main.ts', ...process.argv.slice(2)], {
  cwd: root,
  stdio: 'inherit',
})
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  // Ctrl-C in a terminal reaches the relay by itself.
  process.on(signal, () => {
    if (signal !== 'SIGINT' || !process.stdin.isTTY) relay.kill(signal)
  })
}
relay.on('exit', (code) => process.exit(code ?? 1))
