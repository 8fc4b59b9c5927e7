import { mutants, type Mutant } from './engine-calls.ts'

/** Everything a run can be told. */
export interface SoakOptions {
  readonly seed: number
  /** Over all accounts. */
  readonly messages: number
  /** After so many nothing is written any more; what was is still waited for. */
  readonly minutes: number
  /** Engines and browsers together. */
  readonly accounts: number
  readonly browsers: number
  readonly relays: number
  readonly relayKills: number
  /** Of engines and browsers together. */
  readonly engineKills: number
  /** Cuts, and as many again of the other troubles. */
  readonly cuts: number
  /** Seconds after the last fault and the last arrival at which what has not arrived is stuck. */
  readonly patience: number
  readonly mutant?: Mutant
}

/**
 * What the project promises of itself: so many messages and kills, and nothing lost. 300 s: what was handed over but never
 * answered is offered again after one minute, then after two more.
 */
const defaults: Omit<SoakOptions, 'seed'> = {
  messages: 100_000,
  minutes: 24 * 60,
  accounts: 20,
  browsers: 4,
  relays: 3,
  relayKills: 100,
  engineKills: 100,
  cuts: 30,
  patience: 300,
}

type Flag = Exclude<keyof SoakOptions, 'mutant'>

const flags: Readonly<Record<string, Flag>> = {
  '--seed': 'seed',
  '--messages': 'messages',
  '--minutes': 'minutes',
  '--accounts': 'accounts',
  '--browsers': 'browsers',
  '--relays': 'relays',
  '--relay-kills': 'relayKills',
  '--engine-kills': 'engineKills',
  '--cuts': 'cuts',
  '--patience': 'patience',
}

const usage = `usage: npm run soak -- [${Object.keys(flags).join(' N] [')} N] [--mutant ${mutants.join('|')}]`

/** Least values; an account needs somebody to write to, a name has two digits. */
const least: Partial<Record<Flag, number>> = { accounts: 2, relays: 1, messages: 1 }
const mostAccounts = 100

/** @throws Error with a sentence for whoever typed it. `seed`: where none is given. */
export const readOptions = (argv: readonly string[], seed: number): SoakOptions => {
  const numbers: Record<Flag, number> = { ...defaults, seed }
  let mutant: Mutant | undefined
  for (let i = 0; i < argv.length; i += 2) {
    const [flag = '', value = ''] = argv.slice(i, i + 2)
    const name = Object.hasOwn(flags, flag) ? flags[flag] : undefined
    if (flag === '--mutant') mutant = mutants.find((known) => known === value)
    if (flag === '--mutant' ? mutant === undefined : name === undefined || !/^\d{1,9}$/.test(value)) {
      throw new Error(`"${flag} ${value}" is not understood\n${usage}`)
    }
    if (name !== undefined) numbers[name] = Math.max(Number(value), least[name] ?? 0)
  }
  if (numbers.accounts > mostAccounts) throw new Error(`at most ${mostAccounts} accounts`)
  if (numbers.browsers > numbers.accounts) throw new Error('browsers are some of the accounts')
  return { ...numbers, ...(mutant ? { mutant } : {}) }
}
