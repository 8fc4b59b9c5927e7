import { randomInt } from 'node:crypto'
import { talkWithPython } from './talk.suite.ts'

const given = process.env['SOTTO_DIFFERENTIAL_SEED']

talkWithPython({ sessions: 1_000, seed: given === undefined ? randomInt(2 ** 32) : Number(given) })
