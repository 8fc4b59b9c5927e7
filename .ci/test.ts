import { gates } from './gates.ts'
import { scenarios } from './reports.ts'
import { runSteps } from './step.ts'

await runSteps([...gates, scenarios('scenarios in real browsers', '--grep-invert', '@slow')])
