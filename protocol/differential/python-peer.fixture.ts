import { spawn, spawnSync, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** Debian's own Python, the one that sees Debian's packages. */
const python = '/usr/bin/python3'

/** Whether the Python packages are there to talk to. */
export const hasPython = spawnSync(python, ['-I', '-c', 'import doubleratchet, x3dh']).status === 0

/** To be put behind the name of a test that needs them. */
export const pythonMissing = hasPython ? '' : ' (skipped: needs python3-doubleratchet and python3-x3dh (Debian))'

/** What `python-peer.py` answers; which fields are there depends on the request. Bytes in hexadecimal. */
export interface Answer {
  readonly identityKey?: string
  readonly signedPrekey?: string
  readonly signature?: string
  readonly oneTimePrekey?: string | null
  readonly ephemeralKey?: string
  readonly secret?: string
  readonly associatedData?: string
  readonly header?: string
  readonly body?: string
  readonly plaintext?: string
  /** Name of the exception with which the package refused. */
  readonly refused?: string
}

interface Waiting {
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: Error) => void
}

/** A running `python-peer.py`. Requests of many sessions may be under way at once; answers come in their order. */
export class PythonPeer {
  private readonly child: ChildProcessWithoutNullStreams
  private readonly waiting: Waiting[] = []
  private said = ''

  constructor() {
    // Isolated mode: neither variables nor the user's own packages change what is imported.
    this.child = spawn(python, ['-I', fileURLToPath(new URL('python-peer.py', import.meta.url))])
    this.child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.said += text
    })
    createInterface(this.child.stdout).on('line', (line) => {
      this.waiting.shift()?.resolve(JSON.parse(line) as Answer)
    })
    // A write after the process ended fails here as well as in `close`, which tells more.
    this.child.stdin.on('error', () => undefined)
    this.child.on('close', () => {
      for (const { reject } of this.waiting.splice(0)) reject(new Error(`the Python peer ended: ${this.said}`))
    })
  }

  request(request: Readonly<Record<string, string | number | boolean | null>>): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (this.child.exitCode !== null) {
        reject(new Error(`the Python peer has ended: ${this.said}`))
        return
      }
      this.waiting.push({ resolve, reject })
      this.child.stdin.write(`${JSON.stringify(request)}\n`)
    })
  }

  /** Lets the process end; what it wrote to standard error, warnings included. */
  async end(): Promise<string> {
    const ended = new Promise((resolve) => this.child.once('close', resolve))
    this.child.stdin.end()
    await ended
    return this.said
  }
}
