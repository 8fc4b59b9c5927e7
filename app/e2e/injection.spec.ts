import { expect } from '@playwright/test'
import { introduce, test } from './harness/scenario.ts'

const markup = [
  '<img src=x onerror="document.title=\'ran\'">',
  '<script>document.title="ran"</script>',
  '<svg onload="document.title=\'ran\'"></svg>',
  '<a href="javascript:document.title=\'ran\'">click</a>',
  '<iframe srcdoc="<script>parent.document.title=\'ran\'</script>"></iframe>',
  '<style>*{display:none}</style>',
]

test('markup in messages is text', async ({ world }) => {
  const { alice, bob } = await introduce(world)
  for (const text of markup) {
    await alice.send(text)
    await bob.expectMessage(text)
  }
  for (const { page } of [alice, bob]) {
    expect(await page.title()).not.toContain('ran')
    expect(
      await page.locator('img[src="x"], script:not([src]), iframe, [onerror], [onload], a[href^="javascript"]').count(),
    ).toBe(0)
  }
})

test('markup that gets into the page neither runs nor loads', async ({ world }) => {
  const relay = await world.relay()
  const alice = await world.person('Alice')
  const foreign: string[] = []
  const isForeign = (url: string): boolean => new URL(url).origin !== new URL(relay.url).origin
  alice.profile.context.on('requestfinished', (request) => {
    if (isForeign(request.url())) foreign.push(request.url())
  })
  alice.profile.context.on('requestfailed', (request) => {
    // What the policy stops never leaves the browser; anything else that fails has been tried.
    const reason = request.failure()?.errorText ?? ''
    if (isForeign(request.url()) && !/csp/i.test(reason)) foreign.push(`${request.url()} ${reason}`)
  })
  await alice.onboard(relay.url)
  const outcome = await alice.page.evaluate(async () => {
    const violations: string[] = []
    addEventListener('securitypolicyviolation', (event) => violations.push(event.effectiveDirective))
    // The browser's other process decides about frames, and tells of it when it comes to it.
    const frameRefused = new Promise<void>((resolve) => {
      addEventListener('securitypolicyviolation', ({ effectiveDirective }) => {
        if (effectiveDirective === 'frame-src') resolve()
      })
    })
    const attempts: Record<string, () => void> = {
      innerHTML: () => (document.body.innerHTML = '<img src=x onerror="document.title=1">'),
      insertAdjacentHTML: () => document.body.insertAdjacentHTML('beforeend', '<b>x</b>'),
      evaluation: () => new Function('return 1')(),
      foreignPolicy: () =>
        (
          window as never as { trustedTypes: { createPolicy: (n: string, r: object) => void } }
        ).trustedTypes.createPolicy('evil', {}),
      worker: () => new Worker('/assets/other.js'),
      scriptText: () => (document.createElement('script').textContent = 'document.title = "ran"'),
      handler: () => document.body.setAttribute('onclick', 'document.title = "ran"'),
    }
    // Later, as the page's own code: what a debugger evaluates is allowed to evaluate in turn.
    await new Promise((resolve) => setTimeout(resolve))
    const refused = Object.entries(attempts).flatMap(([name, attempt]) => {
      try {
        attempt()
        return []
      } catch {
        return [name]
      }
    })
    const script = document.createElement('script')
    script.append('document.title = "ran"')
    const image = document.createElement('img')
    image.src = 'https://elsewhere.example/pixel.png'
    const frame = document.createElement('iframe')
    frame.src = 'https://elsewhere.example/'
    const style = document.createElement('style')
    style.textContent = '@import "https://elsewhere.example/x.css"'
    document.body.append(script, image, frame, style)
    await fetch('https://elsewhere.example/').catch(() => undefined)
    await frameRefused
    return { refused, violations, title: document.title }
  })
  expect(outcome.refused).toEqual(
    expect.arrayContaining([
      'innerHTML',
      'insertAdjacentHTML',
      'evaluation',
      'foreignPolicy',
      'worker',
      'scriptText',
      'handler',
    ]),
  )
  expect(outcome.violations).toEqual(
    expect.arrayContaining([
      'require-trusted-types-for',
      'trusted-types',
      'img-src',
      'connect-src',
      'style-src-elem',
      'frame-src',
    ]),
  )
  expect(outcome.title).not.toContain('ran')
  expect(foreign).toEqual([])
})

test('a whole conversation asks nobody else for anything and writes nothing to the console', async ({ world }) => {
  const { relay, alice, bob } = await introduce(world)
  const foreign: string[] = []
  for (const { profile } of [alice, bob]) {
    profile.context.on('request', (request) => {
      if (new URL(request.url()).host !== new URL(relay.url).host) foreign.push(request.url())
    })
  }
  await alice.page.reload()
  await alice.openConversation('Bob')
  await alice.send('hello')
  await bob.expectMessage('hello')
  expect(foreign).toEqual([])
  for (const { profile } of [alice, bob]) expect(profile.consoleLines).toEqual([])
})
