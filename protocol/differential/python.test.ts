import { talkWithPython } from './talk.suite.ts'

talkWithPython({ sessions: 40, seed: 1 })
