import { runCommand } from './step.ts'

// usage: npm run fuzz -- [decoder] [--seconds N] [--executions N] [--seed N]
process.exit(await runCommand(process.execPath, ['protocol/fuzz/main.ts', ...process.argv.slice(2)]))
