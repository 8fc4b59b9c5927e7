import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { createSocket } from 'node:dgram'
import { setTimeout as pause } from 'node:timers/promises'

interface ProcessRow {
  readonly pid: number
  readonly parent: number
  readonly command: string
}

const listProcesses = (): ProcessRow[] =>
  execFileSync('ps', ['-A', '-ww', '-o', 'pid=,ppid=,args='], { encoding: 'utf8', maxBuffer: 2 ** 26 })
    .split('\n')
    .flatMap((line) => {
      const [, pid, parent, command] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? []
      return command === undefined ? [] : [{ pid: Number(pid), parent: Number(parent), command }]
    })

/** The process whose command line has all the words, and everything it started; the oldest first. */
export const processTree = (...words: string[]): number[] => {
  const rows = listProcesses()
  const tree = rows
    .filter(({ command }) => words.every((word) => command.includes(word)))
    .map(({ pid }) => pid)
    .filter((pid) => pid !== process.pid)
  for (let index = 0; index < tree.length; index++) {
    for (const { pid, parent } of rows) if (parent === tree[index] && !tree.includes(pid)) tree.push(pid)
  }
  return tree
}

/** Those of a browser's processes that run pages and their workers. */
export const renderersOf = (pids: readonly number[]): number[] =>
  listProcesses()
    .filter(({ pid, command }) => pids.includes(pid) && command.includes('--type=renderer'))
    .map(({ pid }) => pid)

/** Sends a signal to each; one that has ended meanwhile is fine. */
export const signalAll = (pids: readonly number[], signal: NodeJS.Signals): void => {
  for (const pid of pids) {
    try {
      process.kill(pid, signal)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
    }
  }
}

/** False once it has ended, even if nobody has asked how it did. */
const isAlive = (pid: number): boolean => {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}

/** Resolves when all of them have ended. */
export const haveEnded = async (pids: readonly number[]): Promise<void> => {
  while (pids.some(isAlive)) await pause(20)
}

/** A TCP port nobody listens on at this moment. */
export const freeTcpPort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer()
    server.on('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })

/** A UDP port nobody has bound at this moment. */
export const freeUdpPort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const socket = createSocket('udp4')
    socket.on('error', reject)
    socket.bind(0, '127.0.0.1', () => {
      const { port } = socket.address()
      socket.close(() => resolve(port))
    })
  })

/** Linux counts processor time in hundredths of a second. */
const ticksPerSecond = 100

/** Processor seconds these processes have used so far; Linux only. */
export const processorSeconds = (pids: readonly number[]): number =>
  pids.reduce((sum, pid) => {
    try {
      // The name in parentheses may hold blanks; user and system time are the 12th and 13th field after it.
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? []
      return sum + (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
    } catch {
      return sum
    }
  }, 0)
