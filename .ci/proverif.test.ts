import { spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { allRuns, differences, runsOf, switched, verdictsOf } from './proverif.ts'
import { root } from './step.ts'

/** In the form that ProVerif 2 prints: each query with its result, comments on a failed injective one, and the summary. */
const printed = `Linear part: exp(exp(g,x_1),y) = exp(exp(g,y),x_1)
-- Query not attacker(toBob[]) in process 1.
Starting query not attacker(toBob[])
RESULT not attacker(toBob[]) is true.
-- Query inj-event(Accepted(i_2,r_1)) ==> inj-event(Called(i_2,r_1)) in process 1.
RESULT inj-event(Accepted(i_2,r_1)) ==>
  inj-event(Called(i_2,r_1)) is false.
RESULT (even event(Accepted(i_2,r_1)) ==> event(Called(i_2,r_1)) is false.)
RESULT inj-event(Confirmed(i_2)) ==> inj-event(Replied(i_2)) is false.
RESULT (but event(Confirmed(i_2)) ==> event(Replied(i_2)) is true.)
RESULT Observational equivalence cannot be proved.
RESULT Weak secret callerId is true.

--------------------------------------------------------------
Verification summary:

Query not attacker(toBob[]) is true.

Query inj-event(Accepted(i_2,r_1)) ==> inj-event(Called(i_2,r_1)) is false.

--------------------------------------------------------------
`

test('every result is read once, comments and the summary are not', () => {
  expect(verdictsOf(printed)).toEqual(['true', 'false', 'false', 'unproved', 'true'])
  expect(verdictsOf('Error: Syntax error.')).toEqual([])
})

test('a difference names its query', () => {
  expect(differences(['true', 'false', 'broken', 'broken'], ['true', 'false', 'false', 'unproved'])).toEqual([])
  expect(differences(['false'], ['true'])).toEqual(['query 1: expected false, got true'])
  expect(differences(['false'], ['unproved'])).toEqual(['query 1: expected false, got unproved'])
  expect(differences(['broken'], ['true'])).toEqual(['query 1: expected broken, got true'])
  expect(differences(['true', 'true'], ['true'])).toEqual(['query 2: expected true, got no result'])
  expect(differences(['true'], ['true', 'true'])).toEqual(['query 2: expected no such query, got true'])
})

const source = `(* expect: true *)
(* also other: true *)
(* control other weak: broken *)
  a; (* unless weak *)
  (* only weak: b; *)
  c; (* unless other *)
  d.`

test('switches bring lines in and take lines out', () => {
  const lines = (switches: string[]): string[] =>
    switched(source, switches)
      .split('\n')
      .slice(3)
      .map((line) => line.trim())
      .filter((line) => line !== '')
  expect(lines([])).toEqual(['a;', 'c;', 'd.'])
  expect(lines(['other'])).toEqual(['a;', 'd.'])
  expect(lines(['other', 'weak'])).toEqual(['b;', 'd.'])
})

test('a header lists its runs', () => {
  const runs = runsOf('m', 'library', source)
  expect(runs.map(({ name, control, expected }) => ({ name, control, expected }))).toEqual([
    { name: 'm', control: false, expected: ['true'] },
    { name: 'm other', control: false, expected: ['true'] },
    { name: 'm other weak', control: true, expected: ['broken'] },
  ])
  expect(runs[0]?.text.startsWith('library\n')).toBe(true)
  expect(() => runsOf('m', '', 'process 0')).toThrow('m: the header expects nothing')
  expect(() => runsOf('m', '', '(* expect: maybe *)')).toThrow('"maybe" is no expectation')
})

describe('the models', async () => {
  const runs = await allRuns()
  test.for(runs)('$name: as many expectations as queries, comments closed', ({ text, expected }) => {
    const bare = text.replaceAll(/\(\*[\s\S]*?\*\)/g, '')
    expect(bare).not.toMatch(/\(\*|\*\)/)
    const queries = bare.match(/^(?:query|weaksecret)\b/gm)?.length ?? 0
    expect(expected).toHaveLength(bare.includes('choice[') ? 1 : queries)
    const depth = [...bare].reduce((sum, sign) => sum + (sign === '(' ? 1 : sign === ')' ? -1 : 0), 0)
    expect(depth).toBe(0)
  })

  test('every switch is used by a run, and every control expects a failure that its model does not', () => {
    const folder = join(root, 'protocol/spec/models')
    for (const file of readdirSync(folder).filter((name) => name.endsWith('.pv'))) {
      const text = readFileSync(join(folder, file), 'utf8')
      const inLines = [...text.matchAll(/\(\* (?:only|unless) ([a-z0-9 -]+?)(?:: | \*\))/g)].flatMap(([, names = '']) =>
        names.split(' '),
      )
      const own = runs.filter(({ name }) => name.split(' ')[0] === file.slice(0, -3))
      expect(new Set(inLines)).toEqual(new Set(own.flatMap(({ name }) => name.split(' ').slice(1))))
      for (const run of own.filter(({ control }) => control)) expect(run.expected).not.toEqual(own[0]?.expected)
    }
  })
})

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

/** `npm run prove` with a stand-in for ProVerif: a shell script, or nothing. */
const runProve = (script: string | undefined, ...args: string[]): { status: number | null; output: string } => {
  const folder = mkdtempSync(join(tmpdir(), 'sotto-proverif-'))
  folders.push(folder)
  if (script !== undefined) {
    const file = join(folder, 'proverif')
    writeFileSync(file, `#!/bin/sh\ncase "$1" in -help) echo "Proverif 2.05. A stand-in."; exit 0;; esac\n${script}\n`)
    chmodSync(file, 0o755)
  }
  const path = script === undefined ? folder : [folder, process.env['PATH']].join(delimiter)
  const { status, stdout, stderr } = spawnSync(process.execPath, ['.ci/prove.ts', ...args], {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, PATH: path },
  })
  return { status, output: `${stdout}${stderr}` }
}

describe('npm run prove', () => {
  test('says in one line that it was skipped where there is no ProVerif', () => {
    const { status, output } = runProve(undefined, 'harvest')
    expect(output.trim()).toMatch(/^skipped: needs ProVerif 2\.05 on the PATH .*; 2 runs not made$/)
    expect(status).toBe(0)
  })

  test('passes when model and control come out as their headers say', () => {
    const told = 'if grep -q "let ss = none" "$1"; then r=false; else r=true; fi; echo "RESULT not attacker is $r."'
    const { status, output } = runProve(told, 'harvest')
    expect(output).toContain('Proverif 2.05')
    expect(output).toContain('2 passed, 0 failed')
    expect(status).toBe(0)
  })

  test('fails when a control does not fail', () => {
    const { status, output } = runProve('echo "RESULT not attacker is true."', 'harvest')
    expect(output).toContain('query 1: expected false, got true')
    expect(output).toContain('1 passed, 1 failed')
    expect(status).toBe(1)
  })

  test('fails when ProVerif refuses a model', () => {
    const { status, output } = runProve('echo "Error: Syntax error."; exit 2', 'caller-id public-kid')
    expect(output).toContain('ProVerif ended with 2: Error: Syntax error.')
    expect(status).toBe(1)
  })

  test('writes every run as a file of its own', () => {
    const folder = mkdtempSync(join(tmpdir(), 'sotto-models-'))
    folders.push(folder)
    const { status } = runProve(undefined, '--write', folder)
    expect(status).toBe(0)
    expect(readdirSync(folder)).toContain('forward-secrecy+one-time-kem+no-kem.pv')
    expect(readFileSync(join(folder, 'harvest.pv'), 'utf8')).toContain('fun exp(point, scalar): point.')
  })
})
