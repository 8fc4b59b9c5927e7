import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { drain } from './drain.ts'

// usage: node app/soak/drain-bench.ts --json FILE [--contacts 50] [--messages 200]

const { values } = parseArgs({
  options: {
    json: { type: 'string', default: '/dev/stdout' },
    contacts: { type: 'string', default: '50' },
    messages: { type: 'string', default: '200' },
  },
})
const contacts = Number(values.contacts)
const messages = Number(values.messages)
const directory = await mkdtemp(join(tmpdir(), 'sotto-drain-'))
try {
  const result = await drain({ directory, contacts, messages, say: (line) => console.error(line) })
  const name = `${contacts * messages} messages of ${contacts} contacts waiting`
  const row = (what: string, unit: string, ours: number) => ({
    part: 'drain',
    name: `${name}: ${what}`,
    unit,
    ours,
    runs: 1,
  })
  const rows = [
    row('until all are there', 's', result.seconds),
    row('messages a second', 'messages/s', result.messagesPerSecond),
    row('longest task of the page while they come', 'ms', Math.max(0, ...result.longTasksMs)),
    row('tasks over 50 ms while they come', 'tasks', result.longTasksMs.length),
    row('longest task of the page before that, at its two starts', 'ms', Math.max(0, ...result.startTasksMs)),
    row('tasks over 50 ms before that', 'tasks', result.startTasksMs.length),
    row('there when the browser was killed', 'messages', result.thereAtKill),
    row('still to come after that', 'messages', result.toGoAfterKill),
  ]
  await writeFile(values.json, `${JSON.stringify(rows, null, 2)}\n`)
} finally {
  await rm(directory, { recursive: true, force: true, maxRetries: 5 })
}
