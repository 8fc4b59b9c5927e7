import { gates } from './gates.ts'
import { runSteps } from './step.ts'

await runSteps(gates)
