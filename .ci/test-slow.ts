import { buildIfStale } from './build-app.ts'
import { browser } from './gates.ts'
import { scenarios, vitest } from './reports.ts'
import { oneFailed, onePassed, runSteps } from './step.ts'

await runSteps([
  browser,
  { name: 'build', run: async () => ((await buildIfStale()) ? onePassed : oneFailed) },
  vitest('long unit tests', '--mode', 'slow', '--passWithNoTests'),
  scenarios('long scenarios', '--grep', '@slow', '--pass-with-no-tests'),
])
