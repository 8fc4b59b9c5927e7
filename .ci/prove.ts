import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { allRuns, checkRun, proverifVersion, type ModelRun } from './proverif.ts'
import { oneFailed, onePassed, runSteps, type Step } from './step.ts'

/** `npm run prove [-- PREFIX]`: the ProVerif models, or those whose name begins so. `-- --write DIR`: every run as a file. */
const [first = '', directory] = process.argv.slice(2)

const write = async (runs: readonly ModelRun[], folder: string): Promise<void> => {
  await mkdir(folder, { recursive: true })
  for (const { name, text } of runs) await writeFile(join(folder, `${name.replaceAll(' ', '+')}.pv`), text)
  console.log(`${runs.length} files in ${folder}`)
}

const stepOf = (run: ModelRun): Step => ({
  name: `${run.name}${run.control ? ' (control)' : ''}: ${run.expected.join(', ')}`,
  run: async () => {
    const problems = await checkRun(run)
    for (const problem of problems) console.log(problem)
    return problems.length === 0 ? onePassed : oneFailed
  },
})

const runs = await allRuns()
if (first === '--write') {
  if (directory === undefined) throw new Error('--write needs a folder')
  await write(runs, directory)
} else {
  const chosen = runs.filter(({ name }) => name.startsWith(first))
  if (chosen.length === 0) throw new Error(`no model begins with "${first}"`)
  const version = proverifVersion()
  if (version === undefined) {
    console.log(`skipped: needs ProVerif 2.05 on the PATH (opam install proverif); ${chosen.length} runs not made`)
  } else {
    console.log(version)
    await runSteps(chosen.map(stepOf))
  }
}
