import type { Page } from '@playwright/test'
import type { Person } from '../harness/person.ts'

/** What the measuring code keeps in a page. Both pages run on one machine, so their wall clocks are one. */
interface Measured {
  /** By number: Unix milliseconds, with fractions, at which the message stood in the list. */
  readonly latencySeen: Map<number, number>
}

/** Notes when each `latency N` appears in the list, until the page goes away. */
const watchFor = (page: Page): Promise<void> =>
  page.evaluate(() => {
    const seen = new Map<number, number>()
    Object.assign(window, { latencySeen: seen })
    const look = (): void => {
      for (const item of document.querySelectorAll('[aria-posinset]')) {
        const number = Number(/latency (\d+)\./.exec(item.textContent ?? '')?.[1])
        if (!Number.isNaN(number) && !seen.has(number)) seen.set(number, performance.timeOrigin + performance.now())
      }
    }
    new MutationObserver(look).observe(document.body, { childList: true, subtree: true, characterData: true })
  })

const enter = (person: Person, number: number): Promise<number> =>
  person.composer.evaluate((box: HTMLTextAreaElement | HTMLInputElement, text) => {
    const set = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(box), 'value')?.set
    set?.call(box, text)
    box.dispatchEvent(new InputEvent('input', { bubbles: true }))
    const enteredMs = performance.timeOrigin + performance.now()
    box.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, cancelable: true }))
    return enteredMs
  }, `latency ${number}. how long it takes from key to eye`)

/** Milliseconds from Enter in one browser to the message in the other's list, one message after the other. */
export const latencies = async (from: Person, to: Person, first: number, count: number): Promise<number[]> => {
  await watchFor(to.page)
  const out: number[] = []
  for (let number = first; number < first + count; number++) {
    const enteredMs = await enter(from, number)
    const shown = await to.page.waitForFunction(
      (wanted) => (window as unknown as Measured).latencySeen.get(wanted),
      number,
      { polling: 10, timeout: 60_000 },
    )
    out.push(((await shown.jsonValue()) ?? Number.NaN) - enteredMs)
  }
  return out
}

/** Milliseconds one way through a bare data channel between the same two pages: half of each round trip. */
export const rawChannel = async (a: Page, b: Page, count: number): Promise<number[]> => {
  const offer = await a.evaluate(async () => {
    const connection = new RTCPeerConnection({ iceServers: [] })
    const channel = connection.createDataChannel('raw')
    Object.assign(window, { rawConnection: connection, rawChannel: channel })
    await connection.setLocalDescription()
    await new Promise<void>((resolve) => {
      connection.onicegatheringstatechange = () => connection.iceGatheringState === 'complete' && resolve()
      if (connection.iceGatheringState === 'complete') resolve()
    })
    return connection.localDescription?.toJSON()
  })
  const answer = await b.evaluate(async (given) => {
    const connection = new RTCPeerConnection({ iceServers: [] })
    connection.ondatachannel = ({ channel }) => (channel.onmessage = ({ data }) => channel.send(data as string))
    Object.assign(window, { rawConnection: connection })
    await connection.setRemoteDescription(given as RTCSessionDescriptionInit)
    await connection.setLocalDescription()
    await new Promise<void>((resolve) => {
      connection.onicegatheringstatechange = () => connection.iceGatheringState === 'complete' && resolve()
      if (connection.iceGatheringState === 'complete') resolve()
    })
    return connection.localDescription?.toJSON()
  }, offer)
  return a.evaluate(
    async ([given, times]) => {
      const { rawConnection, rawChannel: channel } = window as unknown as {
        rawConnection: RTCPeerConnection
        rawChannel: RTCDataChannel
      }
      await rawConnection.setRemoteDescription(given as RTCSessionDescriptionInit)
      if (channel.readyState !== 'open') await new Promise((resolve) => (channel.onopen = resolve))
      const out: number[] = []
      for (let i = 0; i < times; i++) {
        const startedMs = performance.now()
        await new Promise((resolve) => {
          channel.onmessage = resolve
          channel.send('x'.repeat(300))
        })
        out.push((performance.now() - startedMs) / 2)
      }
      rawConnection.close()
      return out
    },
    [answer, count] as const,
  )
}
